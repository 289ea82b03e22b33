using EdgeBroker.Core.Ports;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Tests.Rig;

/// <summary>Notes what the broker tells of sessions and drops.</summary>
internal sealed class Recorder : IBrokerEvents
{
    public List<(string ClientId, DropReason Reason, int Count)> Dropped { get; } = [];

    public List<string> Ended { get; } = [];

    public List<(Exception Exception, string Where)> Faults { get; } = [];

    public void ClientConnected(in ClientDescription client, bool sessionPresent)
    {
    }

    public void ClientDisconnected(in ClientDescription client, ReasonCode reason, string explanation)
    {
    }

    public void ConnectRefused(string remoteEndPoint, string? clientId, ReasonCode reason, string explanation)
    {
    }

    public void SessionEnded(string clientId)
    {
        lock (Ended) Ended.Add(clientId);
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

    public void Fault(Exception exception, string where)
    {
        lock (Faults) Faults.Add((exception, where));
    }

    public void MessagesDropped(string clientId, DropReason reason, int count)
    {
        lock (Dropped) Dropped.Add((clientId, reason, count));
    }
}
