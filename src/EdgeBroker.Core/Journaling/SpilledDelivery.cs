namespace EdgeBroker.Core.Journaling;

/// <summary>What memory keeps of a delivery whose message is on disk.</summary>
/// <param name="MessageId">The store's number of the message.</param>
/// <param name="Position">Its place in the session's order.</param>
/// <param name="SizeBytes">What the message counts in a queue's byte limit.</param>
/// <param name="ExpiresAtMs">When it expires, in the broker clock's milliseconds, or <see cref="Messages.Message.Never"/>.</param>
/// <param name="Options">QoS and flags of the delivery.</param>
public readonly record struct SpilledDelivery(long MessageId, long Position, int SizeBytes, long ExpiresAtMs, DeliveryOptions Options);

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

    /// <summary>RETAIN of the delivery.</summary>
    Retain = 4,

    /// <summary>It has subscription identifiers, which the store knows.</summary>
    HasIdentifiers = 8,

    /// <summary>It came by a shared subscription, which the store knows.</summary>
    IsShared = 16,

    /// <summary>It may have been sent before, in an earlier life of the process: it goes out with DUP.</summary>
    MayBeSent = 32,
}
