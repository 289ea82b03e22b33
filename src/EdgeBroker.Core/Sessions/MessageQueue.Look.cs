using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Messages;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Sessions;

/// <summary>A message that waits, as far as memory knows it.</summary>
/// <param name="Message">The message; null: it is on disk only.</param>
/// <param name="QoS">QoS of the delivery.</param>
/// <param name="Retain">RETAIN of the delivery.</param>
/// <param name="SizeBytes">What it counts in the queue's byte limit.</param>
/// <param name="QueuedAtSeconds">When it was queued, in seconds of the broker's clock.</param>
/// <param name="ExpiresAtMs">When it expires, in the broker clock's milliseconds, or <see cref="Core.Messages.Message.Never"/>.</param>
internal readonly record struct WaitingMessage(Message? Message, QoS QoS, bool Retain, int SizeBytes, int QueuedAtSeconds, long ExpiresAtMs);

// What displays show of a queue; it stays as it is.
internal sealed partial class MessageQueue
{
    /// <summary>The oldest of those that wait.</summary>
    /// <param name="limit">Most of them.</param>
    public List<WaitingMessage> ToList(int limit)
    {
        var oldest = new List<WaitingMessage>(Math.Min(limit, Count));
        Look(_front, limit, oldest);
        if (_spilled is not null && oldest.Count < limit)
        {
            foreach (SpilledDelivery one in _spilled.ToList(limit - oldest.Count))
            {
                bool isRetained = (one.Options & DeliveryOptions.Retain) != 0;
                oldest.Add(new WaitingMessage(null, one.Options.ToQoS(), isRetained, one.SizeBytes, one.QueuedAtSeconds, one.ExpiresAtMs));
            }
        }

        if (_back is not null) Look(_back, limit, oldest);
        return oldest;
    }

    /// <summary>Whether some are being read from the disk.</summary>
    public bool IsReading
    {
        get
        {
            for (int slot = 0; slot < _front.Slots; slot++)
            {
                if (_front.At(slot).IsLoading) return true;
            }

            return false;
        }
    }

    /// <summary>Adds all that are in memory to a list, oldest first.</summary>
    public void CopyTo(List<QueuedMessage> list)
    {
        CopyTo(_front, list);
        if (_back is not null) CopyTo(_back, list);
    }

    private static void CopyTo(MessageRing ring, List<QueuedMessage> list)
    {
        for (int slot = 0; slot < ring.Slots; slot++)
        {
            if (ring.At(slot).State != DeliveryState.None) list.Add(ring.At(slot));
        }
    }

    private static void Look(MessageRing ring, int limit, List<WaitingMessage> oldest)
    {
        for (int slot = 0; slot < ring.Slots && oldest.Count < limit; slot++)
        {
            ref QueuedMessage one = ref ring.At(slot);
            if (one.State == DeliveryState.None) continue;
            oldest.Add(new WaitingMessage(
                one.Message, one.QoS, one.Retain, one.SizeBytes, one.QueuedAtSeconds, one.Message?.ExpiresAtMs ?? Message.Never));
        }
    }
}
