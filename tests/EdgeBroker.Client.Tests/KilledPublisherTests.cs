using System.Diagnostics;
using System.Globalization;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Client.Tests;

/// <summary>A process with a file of messages is killed, again and again, with the broker there and away.</summary>
public sealed class KilledPublisherTests
{
    private const int Kills = 8;
    private const int Round = 100_000;

    // The client's window where a server states none: as many may have gone and be unanswered when a process is killed.
    private const int Window = 100;

    [Theory]
    [InlineData(QoS.AtLeastOnce)]
    [InlineData(QoS.ExactlyOnce)]
    public async Task Nothing_that_was_kept_is_lost_and_the_order_stays(QoS qos)
    {
        using var directory = new TemporaryDirectory();
        using var link = new FaultyProxy();
        await using var broker = new TestBroker(new TestBrokerOptions
        {
            OverSockets = true,
            Mqtt = TestBrokerOptions.Quiet with { ReceiveMaximum = Window, MaxQueuedMessages = 1_000_000 },
        });
        await using TestClient far = await broker.ConnectAsync("far");
        await far.SubscribeAsync("plant/#", 1);
        var promised = new List<int>();
        var random = new Random(20);
        for (int round = 0; round < Kills; round++)
        {
            link.Target = round % 3 == 2 ? 0 : broker.Port;
            if (link.Target == 0) link.CutAll();
            using Process sender = Start(link.Port, directory.Path, qos, round * Round, Round);
            int until = promised.Count + random.Next(20, 400);
            while (promised.Count < until) promised.Add(await NextAsync(sender));
            sender.Kill();
            // What it had written before it died was promised too.
            while (await sender.StandardOutput.ReadLineAsync().Within() is { } line) promised.Add(NumberOf(line));
            await sender.WaitForExitAsync().Within();
        }

        link.Target = broker.Port;
        using Process last = Start(link.Port, directory.Path, qos, Kills * Round, 10);
        for (int i = 0; i < 10; i++) promised.Add(await NextAsync(last));
        await last.WaitForExitAsync().Within();
        Assert.Equal(0, last.ExitCode);
        var came = new List<int>();
        while (came.Count == 0 || came[^1] != promised[^1])
        {
            ReceivedPacket packet = await far.ExpectAsync(PacketType.Publish);
            came.Add(NumberOf(packet.PayloadText));
            await far.AcknowledgeAsync(packet);
        }

        int[] firsts = [.. came.Distinct()];
        Assert.Empty(promised.Except(firsts));
        Assert.Equal(firsts.Order(), firsts);
        // What was on its way when a process was killed comes twice at QoS 1, and nothing else does.
        Assert.InRange(came.Count - firsts.Length, 0, qos == QoS.ExactlyOnce ? 0 : Kills * Window);
    }

    /// <summary>Killed when a packet of the exchange is on its way, which is lost with the process.</summary>
    [Theory]
    [InlineData(PacketType.Publish)]
    [InlineData(PacketType.Pubrec)]
    [InlineData(PacketType.Pubrel)]
    [InlineData(PacketType.Pubcomp)]
    public async Task At_QoS_2_each_message_comes_once_wherever_the_process_is_killed(PacketType lost)
    {
        using var directory = new TemporaryDirectory();
        await using var broker = new TestBroker(new TestBrokerOptions
        {
            OverSockets = true,
            Mqtt = TestBrokerOptions.Quiet with { ReceiveMaximum = Window, MaxQueuedMessages = 1_000_000 },
        });
        await using TestClient far = await broker.ConnectAsync("far");
        await far.SubscribeAsync("plant/#", 1);
        var promised = new List<int>();
        for (int round = 0; round < 3; round++)
        {
            using var link = new FaultyProxy { Target = broker.Port };
            var killer = new Killer(lost, count: 1 + (7 * round));
            link.Observer = killer.Observe;
            using Process sender = Start(link.Port, directory.Path, QoS.ExactlyOnce, round * Round, Round);
            killer.Victim.SetResult(sender);
            while (await sender.StandardOutput.ReadLineAsync().Within() is { } line) promised.Add(NumberOf(line));
            await sender.WaitForExitAsync().Within();
            Assert.True(killer.HasKilled);
        }

        using Process last = Start(broker.Port, directory.Path, QoS.ExactlyOnce, 3 * Round, 10);
        for (int i = 0; i < 10; i++) promised.Add(await NextAsync(last));
        await last.WaitForExitAsync().Within();
        Assert.Equal(0, last.ExitCode);
        var came = new List<int>();
        while (came.Count == 0 || came[^1] != promised[^1])
        {
            ReceivedPacket packet = await far.ExpectAsync(PacketType.Publish);
            came.Add(NumberOf(packet.PayloadText));
            await far.AcknowledgeAsync(packet);
        }

        // One whose process was killed before it could say so may have been kept.
        Assert.Empty(promised.Except(came));
        Assert.Equal(came.Distinct().Order(), came);
    }

    private static Process Start(int port, string directory, QoS qos, int first, int count)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true };
        string[] arguments =
        [
            "exec", typeof(Program).Assembly.Location, $"{port}", Path.Combine(directory, "messages"), $"{(int)qos}", $"{first}", $"{count}",
        ];
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        return Process.Start(start)!;
    }

    private static async Task<int> NextAsync(Process sender) =>
        NumberOf(await sender.StandardOutput.ReadLineAsync().Within() ?? throw new InvalidOperationException("The process has ended."));

    private static int NumberOf(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    /// <summary>Looks on at a link, and kills a process when some packets of a type have come to it.</summary>
    private sealed class Killer(PacketType type, int count)
    {
        private readonly Lock _lock = new();
        private readonly Dictionary<bool, PacketBuffer> _streams = new() { [true] = new PacketBuffer(), [false] = new PacketBuffer() };
        private int _left = count;

        public TaskCompletionSource<Process> Victim { get; } = new();

        public bool HasKilled
        {
            get
            {
                lock (_lock) return field;
            }

            private set;
        }

        public bool Observe(int connection, bool isOutward, ReadOnlyMemory<byte> bytes)
        {
            lock (_lock)
            {
                if (HasKilled) return false;
                PacketBuffer stream = _streams[isOutward];
                stream.Add(bytes.Span);
                while (stream.TryCut(out byte[] packet))
                {
                    if ((PacketType)(packet[0] >> 4) == type) _left--;
                }

                if (_left > 0) return true;
                // It is there: it has connected.
                Process victim = Victim.Task.GetAwaiter().GetResult();
                // Before it ends, since whoever sees that looks here.
                HasKilled = true;
                victim.Kill();
                return false;
            }
        }
    }
}
