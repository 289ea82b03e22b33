using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Messages;

namespace EdgeBroker.Storage.Rows;

/// <summary>
/// The blob of a row of "delivery": whom messages with consecutive numbers wait for. For each message: its number of receivers, its size, when it expires (0:
/// never, else 1 more than the milliseconds of the store's age), when it was queued (seconds of that age), and for each receiver: session, position,
/// options, and where the options say so the subscription identifiers and the shared filter.
/// </summary>
internal static class Receivers
{
    private const DeliveryOptions Stored =
        DeliveryOptions.AtMostOnce | DeliveryOptions.Retain | DeliveryOptions.HasIdentifiers | DeliveryOptions.IsShared;

    /// <summary>Adds a message and begins its receivers.</summary>
    public static void WriteMessage(BlobWriter blob, in WaitingMessage message)
    {
        blob.Number(message.Receivers);
        blob.Number(message.SizeBytes);
        blob.Number(message.ExpiresAtAgeMs == Message.Never ? 0 : Math.Max(0, message.ExpiresAtAgeMs) + 1);
        blob.Number(Math.Max(0, message.QueuedAtAgeMs) / 1000);
    }

    /// <summary>Adds a receiver as it was read.</summary>
    public static void Write(BlobWriter blob, in Receiver receiver) =>
        Write(blob, receiver.Session, receiver.Position, receiver.Options, receiver.SubscriptionIdentifiers, receiver.SharedFilter);

    /// <summary>Adds a receiver.</summary>
    public static void Write(BlobWriter blob, long session, StoredDelivery delivery)
    {
        DeliveryOptions options = delivery.QoS.ToOptions();
        if (delivery.Retain) options |= DeliveryOptions.Retain;
        if (delivery.SubscriptionIdentifiers is not null) options |= DeliveryOptions.HasIdentifiers;
        if (delivery.SharedFilter is not null) options |= DeliveryOptions.IsShared;
        Write(blob, session, delivery.Position, options, delivery.SubscriptionIdentifiers, delivery.SharedFilter);
    }

    private static void Write(BlobWriter blob, long session, long position, DeliveryOptions options, uint[]? subscriptionIdentifiers, byte[]? sharedFilter)
    {
        blob.Number(session);
        blob.Number(position);
        blob.Byte((byte)options);
        if (subscriptionIdentifiers is { } identifiers)
        {
            blob.Number(identifiers.Length);
            foreach (uint identifier in identifiers) blob.Number(identifier);
        }

        if (sharedFilter is { } filter) blob.Bytes(filter);
    }

    /// <summary>Reads the head of the next message; false at the end or at damage.</summary>
    public static bool TryReadMessage(ref BlobReader blob, out WaitingMessage message)
    {
        message = default;
        if (blob.IsDamaged || blob.IsAtEnd) return false;
        int receivers = blob.Count();
        int sizeBytes = (int)Math.Clamp(blob.Number(), 0, int.MaxValue);
        long expiry = blob.Number();
        long queuedAtSeconds = blob.Number();
        if (expiry < 0 || queuedAtSeconds is < 0 or > int.MaxValue) blob.Refuse();
        message = new WaitingMessage(receivers, sizeBytes, expiry == 0 ? Message.Never : expiry - 1, queuedAtSeconds * 1000);
        return !blob.IsDamaged;
    }

    /// <summary>Reads a receiver.</summary>
    public static bool TryRead(ref BlobReader blob, out Receiver receiver)
    {
        long session = blob.Number();
        long position = blob.Number();
        var options = (DeliveryOptions)blob.Byte();
        if (position < 1 || (options & ~Stored) != 0 || (options & DeliveryOptions.AtMostOnce) == 0) blob.Refuse();
        uint[]? identifiers = null;
        byte[]? sharedFilter = null;
        if ((options & DeliveryOptions.HasIdentifiers) != 0)
        {
            identifiers = new uint[blob.Count()];
            for (int i = 0; i < identifiers.Length; i++) identifiers[i] = (uint)blob.Number();
        }

        if ((options & DeliveryOptions.IsShared) != 0) sharedFilter = blob.Bytes().ToArray();
        receiver = new Receiver(session, position, options, identifiers, sharedFilter);
        return !blob.IsDamaged;
    }
}

/// <summary>A message that waits, as the row of its receivers has it.</summary>
/// <param name="Receivers">How many receive it.</param>
/// <param name="SizeBytes">What it counts in a queue's byte limit.</param>
/// <param name="ExpiresAtAgeMs">When it expires, as an age of the store.</param>
/// <param name="QueuedAtAgeMs">When it was queued, as an age of the store, to the second.</param>
internal readonly record struct WaitingMessage(int Receivers, int SizeBytes, long ExpiresAtAgeMs, long QueuedAtAgeMs);

/// <summary>One receiver of a message, as stored.</summary>
/// <param name="Session">The session's number in the store.</param>
/// <param name="Position">The delivery's position in the session's order.</param>
/// <param name="Options">QoS and flags.</param>
/// <param name="SubscriptionIdentifiers">Identifiers of the subscriptions that caused it, or null.</param>
/// <param name="SharedFilter">The shared subscription it came by, or null.</param>
internal readonly record struct Receiver(long Session, long Position, DeliveryOptions Options, uint[]? SubscriptionIdentifiers, byte[]? SharedFilter);
