using EdgeBroker.Core.Ports;
using EdgeBroker.Protocol;

namespace EdgeBroker.Benchmarks;

/// <summary>Nobody listens to what happens in the broker; but a dropped message would make a benchmark measure something else.</summary>
internal sealed class SilentEvents : IBrokerEvents
{
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

    public void MessagesDropped(string clientId, DropReason reason, int count) =>
        throw new InvalidOperationException($"{count} message(s) for {clientId} dropped: {reason}");
}
