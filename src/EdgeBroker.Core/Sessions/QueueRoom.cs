using EdgeBroker.Core.Journaling;

namespace EdgeBroker.Core.Sessions;

/// <summary>The acknowledgement of a message that was queued beyond its queue's limit waits for this: that the messages before it leave room for it.</summary>
/// <param name="sizeBytes">Bytes of the message.</param>
internal sealed class QueueRoom(int sizeBytes) : Completion
{
    /// <summary>Bytes of the message.</summary>
    public int SizeBytes { get; } = sizeBytes;

    /// <summary>The next of several that are done together, before anyone is told.</summary>
    public QueueRoom? Next { get; set; }

    /// <summary>Lets the publishers go on. Outside the lock, since it calls them.</summary>
    public static void Complete(QueueRoom? first)
    {
        for (QueueRoom? one = first; one is not null; one = one.Next) one.Complete();
    }
}

/// <summary>
/// The publishers a queue holds, in the order of their messages, which are the newest of the queue. A field of the queue; a copy is of no use.
/// </summary>
internal struct HeldPublishers
{
    private Queue<QueueRoom>? _rooms;
    private long _sizeBytes;

    /// <summary>Messages whose publisher is held.</summary>
    public readonly int Count => _rooms?.Count ?? 0;

    /// <summary>Holds the publisher of a message that is queued now.</summary>
    public QueueRoom Add(int sizeBytes)
    {
        var room = new QueueRoom(sizeBytes);
        (_rooms ??= new Queue<QueueRoom>()).Enqueue(room);
        _sizeBytes += sizeBytes;
        return room;
    }

    /// <summary>Takes those for whose message there is room, to be completed outside the lock; null: none.</summary>
    /// <param name="messages">Messages of the queue.</param>
    /// <param name="bytes">Their bytes.</param>
    /// <param name="maxMessages">Messages that may wait.</param>
    /// <param name="maxBytes">Bytes that may wait.</param>
    public QueueRoom? Release(int messages, long bytes, int maxMessages, long maxBytes)
    {
        QueueRoom? first = null, last = null;
        while (_rooms is not null && _rooms.TryPeek(out QueueRoom? room))
        {
            int before = messages - _rooms.Count;
            // A message larger than the whole queue has room when it is the oldest.
            if (before > 0 && (before >= maxMessages || bytes - _sizeBytes + room.SizeBytes > maxBytes)) break;
            _rooms.Dequeue();
            _sizeBytes -= room.SizeBytes;
            if (last is null) first = room;
            else last.Next = room;
            last = room;
            if (_rooms.Count == 0) _rooms = null;
        }

        return first;
    }

    /// <summary>Takes all of them.</summary>
    public QueueRoom? ReleaseAll() => Release(0, 0, int.MaxValue, long.MaxValue);
}
