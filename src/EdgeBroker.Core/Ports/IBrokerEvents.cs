using EdgeBroker.Core.Limits;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Ports;

/// <summary>Why a message did not reach a session.</summary>
public enum DropReason
{
    /// <summary>QoS 0, and the client does not read fast enough.</summary>
    SlowClient,

    /// <summary>The session's queue is full.</summary>
    QueueFull,

    /// <summary>The queue of a client within the process is full.</summary>
    LocalQueueFull,

    /// <summary>Larger than the client's Maximum Packet Size.</summary>
    TooLargeForClient,

    /// <summary>It expired while it waited, or waited longer than the session's queue allows.</summary>
    Expired,

    /// <summary>A newer message of its topic came, and the session keeps the latest only.</summary>
    Superseded,

    /// <summary>QoS 0 of before the broker's last start, which may have been sent already.</summary>
    MayBeSent,

    /// <summary>The session it waited for ended.</summary>
    SessionEnded,

    /// <summary>The store has reached its configured size.</summary>
    StoreFull,

    /// <summary>The store has lost it.</summary>
    StoreDamaged,

    /// <summary>A bug of the broker.</summary>
    Fault,
}

/// <summary>What happens in the broker, for logs, webhooks and monitors. Called outside all locks, on the thread it happened on: return soon.</summary>
public interface IBrokerEvents
{
    /// <summary>A CONNECT was accepted.</summary>
    void ClientConnected(in ClientDescription client, bool sessionPresent);

    /// <summary>An accepted connection ended.</summary>
    void ClientDisconnected(in ClientDescription client, ReasonCode reason, string explanation);

    /// <summary>A connection was refused or broke the rules before it was accepted.</summary>
    void ConnectRefused(string remoteEndPoint, string? clientId, ReasonCode reason, string explanation);

    /// <summary>A session ended, and with it its subscriptions and queue.</summary>
    void SessionEnded(string clientId);

    /// <summary>A filter was subscribed, or refused.</summary>
    void Subscribed(string clientId, ReadOnlySpan<byte> filter, ReasonCode outcome);

    /// <summary>A filter was unsubscribed.</summary>
    void Unsubscribed(string clientId, ReadOnlySpan<byte> filter);

    /// <summary>A publish was refused.</summary>
    void PublishRefused(string clientId, ReadOnlySpan<byte> topic, ReasonCode reason);

    /// <summary>A publish was refused, because of what is said: a rule and its place.</summary>
    void PublishRefused(string clientId, ReadOnlySpan<byte> topic, ReasonCode reason, string cause) => PublishRefused(clientId, topic, reason);

    /// <summary>A filter was refused because the client may not receive all of it; and the rule, with its place, that says so.</summary>
    void SubscribeDenied(string clientId, ReadOnlySpan<byte> filter, string cause) => Subscribed(clientId, filter, ReasonCode.NotAuthorized);

    /// <summary>Messages were dropped for a session.</summary>
    void MessagesDropped(string clientId, DropReason reason, int count);

    /// <summary>A limit held a client up, dropped what it sent, or refused it a filter. Refused connections are told of by <see cref="ConnectRefused"/>.
    /// </summary>
    /// <param name="limit">Which limit.</param>
    /// <param name="action">What it did.</param>
    /// <param name="who">The client id, or the address of one that has none yet.</param>
    /// <param name="limits">The limits in force.</param>
    void LimitReached(LimitKind limit, LimitAction action, string who, BrokerLimits limits)
    {
    }

    /// <summary>An exception that is a bug: it cost one client its connection, or one task its result; everything else goes on.</summary>
    /// <param name="exception">The exception.</param>
    /// <param name="where">What was being done, and for whom.</param>
    void Fault(Exception exception, string where)
    {
    }

    /// <summary>Memory has become short, or is not any more.</summary>
    void MemoryStageChanged(MemoryStage stage, long usedBytes, long limitBytes)
    {
    }
}

/// <summary>A connected client, as far as others want to know.</summary>
/// <param name="ClientId">Its client id.</param>
/// <param name="UserName">The name it authenticated as; null: anonymous.</param>
/// <param name="RemoteEndPoint">Where it connects from.</param>
/// <param name="Version">The version it speaks.</param>
/// <param name="KeepAliveSeconds">The keep alive in force.</param>
public readonly record struct ClientDescription(string ClientId, string? UserName, string RemoteEndPoint, ProtocolVersion Version, int KeepAliveSeconds);
