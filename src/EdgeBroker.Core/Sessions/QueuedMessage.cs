using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Messages;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Sessions;

/// <summary>Where a QoS 1 or 2 message stands between a session and its client.</summary>
internal enum DeliveryState : byte
{
    /// <summary>The slot is free.</summary>
    None,

    /// <summary>Not sent yet.</summary>
    Queued,

    /// <summary>PUBLISH sent; PUBACK or PUBREC is awaited.</summary>
    Published,

    /// <summary>PUBREC came; PUBREL waits until that is on disk.</summary>
    Releasing,

    /// <summary>PUBREL sent; PUBCOMP is awaited.</summary>
    Released,
}

/// <summary>A QoS 1 or 2 message a session holds for its client, queued or in flight.</summary>
internal struct QueuedMessage
{
    /// <summary>
    /// The message; null when it is not needed again - once released, when only the identifier matters, or sent at once to a session that ends with its
    /// connection - and while it is only on disk.
    /// </summary>
    public Message? Message;

    /// <summary>Identifiers of the subscriptions that caused it.</summary>
    public uint[]? SubscriptionIdentifiers;

    /// <summary>The shared subscription it came by, which gets it back if the session ends first; null for an ordinary one.</summary>
    public byte[]? SharedFilter;

    /// <summary>The journal's side of it; null when it is in memory only.</summary>
    public StoredDelivery? Stored;

    /// <summary>Its number in the session's order, from 1. Its packet identifier follows from it.</summary>
    public long Position;

    /// <summary>What it counts in the queue's byte limit.</summary>
    public int SizeBytes;

    /// <summary>When it was queued, in seconds of the broker's clock; negative where that was in an earlier life of the process.</summary>
    public int QueuedAtSeconds;

    /// <summary>QoS of the delivery.</summary>
    public QoS QoS;

    /// <summary>RETAIN of the delivery.</summary>
    public bool Retain;

    /// <summary>Whether it may have been sent in an earlier life of the process.</summary>
    public bool MayBeSent;

    /// <summary>Whether it has waited in the queue.</summary>
    public bool HasWaited;

    /// <summary>Whether it has been asked for from the disk.</summary>
    public bool IsLoading;

    /// <summary>Whether the disk has lost it.</summary>
    public bool IsLost;

    /// <summary>While it is on disk only: whether there are identifiers and a shared filter to load with it.</summary>
    public DeliveryOptions Details;

    /// <summary>Where it stands.</summary>
    public DeliveryState State;
}
