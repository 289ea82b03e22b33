using EdgeBroker.Core.Messages;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Journaling;

/// <summary>What memory keeps of a delivery whose message is on disk.</summary>
/// <param name="MessageId">The store's number of the message.</param>
/// <param name="Position">Its position in the session's order.</param>
/// <param name="SizeBytes">What the message counts in a queue's byte limit.</param>
/// <param name="ExpiresAtMs">When it expires, in the broker clock's milliseconds, or <see cref="Message.Never"/>.</param>
/// <param name="Options">QoS and flags of the delivery.</param>
/// <param name="QueuedAtSeconds">When it was queued, in seconds of the broker's clock; negative where that was in an earlier life of the process.</param>
public readonly record struct SpilledDelivery(
    long MessageId, long Position, int SizeBytes, long ExpiresAtMs, DeliveryOptions Options, int QueuedAtSeconds = 0);

/// <summary>QoS and flags of a delivery, in one byte.</summary>
[Flags]
public enum DeliveryOptions : byte
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>QoS 1.</summary>
    AtLeastOnce = 1,

    /// <summary>QoS 2.</summary>
    ExactlyOnce = 2,

    /// <summary>QoS 0, kept for a client that was away: not zero, so that no delivery is.</summary>
    AtMostOnce = AtLeastOnce | ExactlyOnce,

    /// <summary>RETAIN of the delivery.</summary>
    Retain = 4,

    /// <summary>It has subscription identifiers, which the store knows.</summary>
    HasIdentifiers = 8,

    /// <summary>It came by a shared subscription, which the store knows.</summary>
    IsShared = 16,

    /// <summary>It may have been sent before, in an earlier life of the process: it goes out with DUP.</summary>
    MayBeSent = 32,
}

/// <summary>The QoS of a delivery, to and from its options.</summary>
public static class DeliveryQoS
{
    /// <summary>The options that say this QoS.</summary>
    public static DeliveryOptions ToOptions(this QoS qos) => qos switch
    {
        QoS.AtMostOnce => DeliveryOptions.AtMostOnce,
        QoS.AtLeastOnce => DeliveryOptions.AtLeastOnce,
        _ => DeliveryOptions.ExactlyOnce,
    };

    /// <summary>The QoS that options say.</summary>
    public static QoS ToQoS(this DeliveryOptions options) => (options & DeliveryOptions.AtMostOnce) switch
    {
        DeliveryOptions.AtMostOnce => QoS.AtMostOnce,
        DeliveryOptions.ExactlyOnce => QoS.ExactlyOnce,
        _ => QoS.AtLeastOnce,
    };
}

/// <summary>A delivery read back from the store.</summary>
/// <param name="Position">Its position in the session's order.</param>
/// <param name="Message">The message; null when the store has lost it.</param>
/// <param name="SubscriptionIdentifiers">Identifiers of the subscriptions that caused it, or null.</param>
/// <param name="SharedFilter">The shared subscription it came by, or null.</param>
public readonly record struct LoadedDelivery(long Position, Message? Message, uint[]? SubscriptionIdentifiers, byte[]? SharedFilter);
