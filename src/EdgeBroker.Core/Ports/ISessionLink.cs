using EdgeBroker.Core.Events;
using EdgeBroker.Core.Management;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Topics;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Ports;

/// <summary>What became of a PUBLISH handed to a connection.</summary>
public enum SendOutcome
{
    /// <summary>It is in the output.</summary>
    Sent,

    /// <summary>It is larger than the client accepts.</summary>
    TooLarge,

    /// <summary>The output is full.</summary>
    NoRoom,
}

/// <summary>How a message goes to one client: what may be different for another that gets it.</summary>
public readonly record struct Delivery
{
    /// <summary>QoS of the delivery.</summary>
    public QoS QoS { get; init; }

    /// <summary>RETAIN of the delivery.</summary>
    public bool Retain { get; init; }

    /// <summary>DUP: it has been sent before, or may have been.</summary>
    public bool Dup { get; init; }

    /// <summary>The packet identifier; 0 at QoS 0.</summary>
    public ushort PacketId { get; init; }

    /// <summary>Its position in the session's order, from 1; 0 at QoS 0.</summary>
    public long Position { get; init; }

    /// <summary>Identifiers of the subscriptions that caused it; null: none.</summary>
    public uint[]? SubscriptionIdentifiers { get; init; }

    /// <summary>The shared subscription it came by; null: none.</summary>
    public byte[]? SharedFilter { get; init; }

    /// <summary>How long it has waited in the queue, where the queue's policy asks for that; else 0.</summary>
    public int WaitedSeconds { get; init; }

    /// <summary>Whether others get the same packet, but for its identifier, so that it is worth being encoded once for all.</summary>
    public bool IsFanOut { get; init; }
}

/// <summary>
/// The connection of a session, as the session sees it. All but <see cref="Prepare"/> and <see cref="Close"/> are called under the session's lock: they write
/// to the output buffer and return; sending is the transport's business and comes later.
/// </summary>
public interface ISessionLink
{
    /// <summary>Whether the output can take another message. Also read without the lock, as a hint.</summary>
    bool HasRoom { get; }

    /// <summary>Has the pump requested as soon as the output, which has no room now, is empty.</summary>
    void RequestPumpWhenDrained();

    /// <summary>
    /// Called without the lock before the session is attached: from here on the session's lock guards the connection's output, to which nobody else writes yet.
    /// </summary>
    void Prepare(Session session);

    /// <summary>Writes the answer to CONNECT: the first thing this session says on the connection.</summary>
    void SendConnack(bool sessionPresent);

    /// <summary>Writes a PUBLISH.</summary>
    /// <param name="delivery">How the message goes to this client.</param>
    /// <param name="message">The message.</param>
    /// <param name="context">The sender's context, which counts.</param>
    SendOutcome Send(in Delivery delivery, in Publication message, RoutingContext context);

    /// <summary>Writes the messages of a segment at QoS 0; false, and nothing written, when this connection needs them one by one or has no room.</summary>
    bool TrySend(in MessageSegment segment, Subscription subscription, RoutingContext context) => false;

    /// <summary>Writes a PUBREL.</summary>
    void SendPubrel(ushort packetId);

    /// <summary>Asks for <c>Pump</c> and <c>PumpRetained</c> on the connection's own thread, in its next iteration: there is something to send.</summary>
    void RequestPump();

    /// <summary>Memory that it holds beside its session's: what waits to be sent, what has come of a packet, topic aliases. Under the lock.</summary>
    long HeldBytes => 0;

    /// <summary>Ends the connection with 0x97 because memory is short and it holds much of it; what it holds is let go at once. From any thread.</summary>
    void GiveUpMemory() => Close(ReasonCode.QuotaExceeded);

    /// <summary>
    /// Has what the client has sent on this connection by now handled, before another one takes its session. Called without a lock, from any thread.
    /// </summary>
    /// <param name="done">Called once, on any thread, holding no lock: when that is so, or the connection is over.</param>
    void Drain(Action done) => done();

    /// <summary>What the connection is counted by; the same as long as it has a session.</summary>
    LinkKind Kind => default;

    /// <summary>Whether a client is connected by it; false: the session is one that a part of the broker keeps for itself.</summary>
    bool IsClient => true;

    /// <summary>What there is to show of the connection; null: nothing. Called without the lock, from any thread.</summary>
    LinkDescription? Describe() => null;

    /// <summary>Ends the connection for the given reason; called without the lock, from any thread.</summary>
    void Close(ReasonCode reason);
}

/// <summary>What there is to show of a connection.</summary>
/// <param name="Address">Where the client connects from.</param>
/// <param name="Listener">The listener, as configured.</param>
/// <param name="Transport">What carries MQTT: <c>tcp</c>, <c>tls</c>, <c>ws</c>, <c>wss</c> or <c>unix</c>.</param>
/// <param name="Version">The version the client speaks.</param>
/// <param name="KeepAliveSeconds">The keep alive in force.</param>
/// <param name="Identity">The name the transport has proved to be the client's: its certificate's, or the kernel's; null: none.</param>
/// <param name="ConnectedAtMs">When its CONNECT was accepted, by the broker's clock.</param>
/// <param name="Traffic">What has gone over it.</param>
public sealed record LinkDescription(
    string Address, string Listener, string Transport, ProtocolVersion Version, int KeepAliveSeconds, string? Identity, long ConnectedAtMs,
        SessionTraffic Traffic)
{
    /// <summary>The client that has it.</summary>
    public ClientDescription Of(string clientId, string? userName) => new(clientId, userName, Address, Listener, Transport, Version, KeepAliveSeconds);
}
