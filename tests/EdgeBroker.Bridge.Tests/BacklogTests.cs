using System.Globalization;
using EdgeBroker.Bridge.Routes;
using EdgeBroker.Bridge.Tests.Clouds;
using EdgeBroker.Client;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;
using Xunit.Abstractions;

namespace EdgeBroker.Bridge.Tests;

/// <summary>
/// A long backlog on a real store, drained over a link that is cut in the middle of packets and over a kill in between. scripts/backlog.sh runs it with a
/// million messages and prints what it measures; in between the other tests it is short.
/// </summary>
public sealed class BacklogTests(ITestOutputHelper output) : IDisposable
{
    private const int Topics = 10;
    private const int PublishWindow = 1000;

    private static readonly RouteOptions Out = new() { Local = "plant/#" };
    private static readonly string Padding = new('x', 80);

    private readonly TemporaryDirectory _directory = new();
    private readonly FaultyProxy _port = new();

    private static int Count => int.Parse(Environment.GetEnvironmentVariable("EDGEBROKER_BACKLOG") ?? "6000", CultureInfo.InvariantCulture);

    // As many tests as there are cores run at once: the deadline of the long form is its own.
    private static TimeSpan Patience => TimeSpan.FromSeconds(60 + (Count / 500));

    [Fact]
    public async Task Nothing_is_lost_order_is_kept_for_each_topic_and_memory_is_bounded()
    {
        string data = Path.Combine(_directory.Path, "data");
        string copy = Path.Combine(_directory.Path, "copy");
        var taken = new TakenMessages();
        using var cloud = new CloudServer(new CloudRules("any") { IsSecure = false }) { Sink = taken.Take };
        await using (DurableBroker first = await DurableBroker.StartAsync(data, Plan()))
        {
            long before = GC.GetTotalMemory(forceFullCollection: true);
            long began = Environment.TickCount64;
            await PublishAsync(first.Bridged.Test.Port);
            await first.Bridged.UntilAsync("up", status => status.BacklogMessages == Count);
            Report("published", began, Count);
            long each = (GC.GetTotalMemory(forceFullCollection: true) - before) / Count;
            output.WriteLine($"{each} bytes of memory for each message that waits");
            // The short form has little to divide what a broker needs anyway by.
            Assert.True(each < 200 + (8_000_000 / Count), $"{each} bytes of memory for each message that waits");
            _port.Target = cloud.Port;
            await CutUntilAsync(taken, Count / 2);
            DurableBroker.CopyAsKilled(data, copy);
            _port.Target = 0;
            _port.CutAll();
        }

        int takenBefore = taken.Count;
        await using DurableBroker second = await DurableBroker.StartAsync(copy, Plan());
        long drained = Environment.TickCount64;
        _port.CutAfter(long.MaxValue);
        _port.Target = cloud.Port;
        await UntilAsync(() => taken.Count == Count, taken);
        Report("drained", drained, Count - takenBefore);
        await second.Bridged.UntilAsync("up", status => status is { BacklogMessages: 0, Dropped: 0 });
        output.WriteLine($"{_port.Cuts} cuts, {taken.Repeated} messages more than once");
        Assert.True(_port.Cuts > 0, "the link was never cut");
        Assert.Empty(cloud.Violations);
    }

    public void Dispose()
    {
        _port.Dispose();
        _directory.Dispose();
    }

    private static async Task UntilAsync(Func<bool> condition, TakenMessages taken)
    {
        long began = Environment.TickCount64;
        while (!condition())
        {
            Assert.Null(taken.Gap);
            Assert.True(Environment.TickCount64 - began < Patience.TotalMilliseconds, $"{taken.Count} of {Count} messages came");
            await Task.Delay(5);
        }

        Assert.Null(taken.Gap);
    }

    private BridgeOptions Plan() => Bridges.To(_port.Port, Out) with
    {
        Queue = Bridges.Queue with { MaxMessages = Count + 1, MaxBytes = 4L << 30 },
    };

    /// <summary>Cuts the link again and again, wherever in a packet that is.</summary>
    private async Task CutUntilAsync(TakenMessages taken, int count)
    {
        while (taken.Count < count)
        {
            int cuts = _port.Cuts;
            _port.CutAfter(Math.Max(20_000, Count * 20) + (cuts * 777));
            await UntilAsync(() => _port.Cuts > cuts || taken.Count >= count, taken);
        }
    }

    private static async Task PublishAsync(int port)
    {
        var options = new MqttClientOptions { Transport = new TcpTransport("127.0.0.1", port), ClientId = "near", MaximumInflight = 100 };
        await using var client = new MqttClient(options);
        await client.ConnectAsync();
        var underway = new Queue<Task>();
        for (int i = 0; i < Count; i++)
        {
            if (underway.Count == PublishWindow) await underway.Dequeue();
            string payload = string.Create(CultureInfo.InvariantCulture, $"{i / Topics} {Padding}");
            underway.Enqueue(client.PublishAsync(new PublishMessage($"plant/{i % Topics}", CloudRig.Utf8(payload)) { QoS = QoS.AtLeastOnce }));
        }

        await Task.WhenAll(underway);
        await client.DisconnectAsync();
    }

    private void Report(string what, long sinceMs, int count)
    {
        double seconds = Math.Max(1, Environment.TickCount64 - sinceMs) / 1000.0;
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{count} {what} in {seconds:0.0} s: {count / seconds:0} a second"));
    }

    /// <summary>Of each topic the numbers come one after the other; one that has come may come again.</summary>
    private sealed class TakenMessages
    {
        private readonly int[] _next = new int[Topics];
        private readonly Lock _lock = new();
        private volatile string? _gap;
        private int _count;
        private int _repeated;

        public int Count => Volatile.Read(ref _count);

        public int Repeated => Volatile.Read(ref _repeated);

        public string? Gap => _gap;

        public void Take(string topic, string payload)
        {
            int index = int.Parse(topic.AsSpan(6), CultureInfo.InvariantCulture);
            int number = int.Parse(payload.AsSpan(0, payload.IndexOf(' ')), CultureInfo.InvariantCulture);
            lock (_lock)
            {
                if (number > _next[index]) _gap ??= $"{number} came on {topic} when {_next[index]} was due";
                if (number < _next[index]) _repeated++;
                if (number != _next[index]) return;
                _next[index]++;
                _count++;
            }
        }
    }
}
