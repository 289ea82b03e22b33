using EdgeBroker.Core.Messages;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Sessions;

/// <summary>Where a QoS 1 or 2 message stands between a session and its client.</summary>
internal enum DeliveryState : byte
{
    /// <summary>The place is free, its packet identifier unused.</summary>
    None,

    /// <summary>Not sent yet.</summary>
    Queued,

    /// <summary>PUBLISH sent; PUBACK or PUBREC is awaited.</summary>
    Published,

    /// <summary>PUBREC came, PUBREL sent; PUBCOMP is awaited.</summary>
    Released,
}

/// <summary>A QoS 1 or 2 message a session holds for its client, queued or in flight.</summary>
internal struct QueuedMessage
{
    /// <summary>The message; null once released, when only the identifier matters.</summary>
    public Message? Message;

    /// <summary>Identifiers of the subscriptions that caused it.</summary>
    public uint[]? SubscriptionIdentifiers;

    /// <summary>The shared subscription it came by, which gets it back if the session ends first; null for an ordinary one.</summary>
    public byte[]? SharedFilter;

    /// <summary>Its place in the session's order; the key of its stored row.</summary>
    public long Position;

    /// <summary>QoS of the delivery.</summary>
    public QoS QoS;

    /// <summary>RETAIN of the delivery.</summary>
    public bool Retain;

    /// <summary>Where it stands.</summary>
    public DeliveryState State;
}
