using EdgeBroker.Core.Ports;
using EdgeBroker.Protocol;

namespace EdgeBroker.Mqtt.Tests.Rig;

/// <summary>Counts, and keeps nothing.</summary>
internal sealed class QuietEvents : IBrokerEvents
{
    private long _slowDrops;
    private int _refused;

    public long SlowDrops => Interlocked.Read(ref _slowDrops);

    public int Refused => Volatile.Read(ref _refused);

    public void ClientConnected(in ClientDescription client, bool sessionPresent)
    {
    }

    public void ClientDisconnected(in ClientDescription client, ReasonCode reason, string explanation)
    {
    }

    public void ConnectRefused(string remoteEndPoint, string? clientId, ReasonCode reason, string explanation) => Interlocked.Increment(ref _refused);

    public void SessionEnded(string clientId)
    {
    }

    public void Subscribed(string clientId, ReadOnlySpan<byte> filter, ReasonCode outcome)
    {
    }

    public void Unsubscribed(string clientId, ReadOnlySpan<byte> filter)
    {
    }

    public void PublishRefused(string clientId, ReadOnlySpan<byte> topic, ReasonCode reason)
    {
    }

    public void MessagesDropped(string clientId, DropReason reason, int count)
    {
        if (reason == DropReason.SlowClient) Interlocked.Add(ref _slowDrops, count);
    }
}
