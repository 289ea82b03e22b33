using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Crash.Tests.Clients;

/// <summary>A client without a session, for a look or a word: reads all the time, keeps what came, acknowledges nothing.</summary>
public sealed class Probe : IAsyncDisposable
{
    private readonly MqttLink _link;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _lock = new();
    private readonly List<ReceivedPacket> _received = [];
    private readonly Task _reading;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private Probe(MqttLink link)
    {
        _link = link;
        _reading = Task.Run(ReadAsync);
    }

    /// <summary>Makes its packets.</summary>
    public Packets Packets => _link.Packets;

    /// <summary>What has come so far, in order.</summary>
    public IReadOnlyList<ReceivedPacket> Received
    {
        get
        {
            lock (_lock) return [.. _received];
        }
    }

    /// <summary>Connects and waits to be accepted.</summary>
    public static async Task<Probe> ConnectAsync(int port, string clientId)
    {
        MqttLink link = await MqttLink.TryOpenAsync(port, ProtocolVersion.V5, CancellationToken.None)
            ?? throw new ExpectationException($"nobody listens on {port}");
        var probe = new Probe(link);
        await probe.SendAsync(link.Packets.Connect(clientId));
        await probe.ExpectAsync("CONNACK", p => p.Type == PacketType.Connack && p.Reason == ReasonCode.Success);
        return probe;
    }

    /// <summary>Sends packets.</summary>
    public async Task SendAsync(params byte[][] packets)
    {
        if (!await _link.TrySendAsync(packets.SelectMany(p => p).ToArray())) throw new ExpectationException("the broker closed the connection");
    }

    /// <summary>Subscribes and waits for the answer.</summary>
    public async Task SubscribeAsync(string filter, int qos = 0)
    {
        await SendAsync(Packets.Subscribe(1, filter, qos));
        await ExpectAsync($"SUBACK for {filter}", p => p.Type == PacketType.Suback && p.PacketId == 1 && p.Codes[0] == qos);
    }

    /// <summary>A packet that fits, of those that came or the next to come.</summary>
    public Task<ReceivedPacket> ExpectAsync(string what, Predicate<ReceivedPacket> fits) => ExpectAsync(what, packets => packets.Find(fits));

    /// <summary>Waits until the latest of the messages of a topic fits.</summary>
    public Task<ReceivedPacket> ExpectLatestAsync(string topic, Predicate<string> fits) => ExpectAsync(
        $"the value of {topic}",
        packets => packets.FindLast(p => p.Type == PacketType.Publish && p.Topic == topic) is { } latest && fits(latest.PayloadText) ? latest : null);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _reading;
        _link.Dispose();
        _stop.Dispose();
    }

    private async Task<ReceivedPacket> ExpectAsync(string what, Func<List<ReceivedPacket>, ReceivedPacket?> find)
    {
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                if (find(_received) is { } found) return found;
                changed = _changed.Task;
            }

            await Deadline.Within(changed, what);
        }
    }

    private async Task ReadAsync()
    {
        try
        {
            while (await _link.ReceiveAsync(_stop.Token) is { Count: > 0 } packets)
            {
                lock (_lock)
                {
                    _received.AddRange(packets);
                    _changed.TrySetResult();
                    _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                }
            }
        }
        catch (OperationCanceledException)
        {
        }
    }
}
