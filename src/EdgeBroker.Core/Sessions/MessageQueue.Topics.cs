using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Messages;

namespace EdgeBroker.Core.Sessions;

// A queue that keeps the latest message of each topic only.
internal sealed partial class MessageQueue
{
    private TopicIndex? _topics;

    // Superseded messages that were in memory, until the session is done with them.
    private List<QueuedMessage>? _superseded;

    private long FirstPosition
    {
        get
        {
            BringForward();
            return _front.Count == 0 && _spilled!.TryPeek(out SpilledDelivery oldest) ? oldest.Position : _front.Peek().Position;
        }
    }

    /// <summary>From now on keeps the latest message of each topic only; or all again.</summary>
    public void KeepLatest(bool latestOnly)
    {
        if (latestOnly == _topics is not null) return;
        _topics = latestOnly ? new TopicIndex() : null;
        if (_topics is null || Count == 0) return;
        var unread = new List<SpilledDelivery>();
        Index(_front, unread);
        if (_spilled is not null) unread.AddRange(_spilled.ToList());
        if (_back is not null) Index(_back, unread);
        _topics.Await(unread);
    }

    /// <summary>Takes the message of a topic out, where only the latest is kept: a newer one comes. False when none waits, or none is known of.</summary>
    public bool Supersede(byte[] topic) =>
        _topics is not null && _topics.TryGet(topic, out long position, out int sizeBytes) && TryRemove(position, sizeBytes);

    /// <summary>Messages whose topics have to be read from the disk, to keep the latest of each; null: none, or others are being read.</summary>
    public List<SpilledDelivery>? TakeUnread(int atMost) => _topics?.TakeUnread(atMost);

    /// <summary>Takes the messages that were superseded, as far as they have left the queue; null: none.</summary>
    /// <param name="session">The session's identity in the store.</param>
    /// <param name="all">Whether those leave the queue now that take up room in it until others are as many.</param>
    public List<QueuedMessage>? TakeSuperseded(StoredSession? session, bool all)
    {
        List<QueuedMessage>? superseded = _superseded;
        _superseded = null;
        if (_spilled?.TakeRemoved(all) is not { } spilled) return superseded;
        superseded ??= [];
        foreach (SpilledDelivery one in spilled) superseded.Add(FromDisk(one, session!));
        return superseded;
    }

    /// <summary>Takes note of the topics of messages in memory, and of those that have to be read for it.</summary>
    private void Index(MessageRing ring, List<SpilledDelivery> unread)
    {
        var inMemory = new List<(Message Message, long Position)>(ring.Count);
        for (int slot = 0; slot < ring.Slots; slot++)
        {
            ref QueuedMessage one = ref ring.At(slot);
            if (one.Message is not null) inMemory.Add((one.Message, one.Position));
            else if (one is { Stored: not null, IsLost: false }) unread.Add(ToSpilled(one));
        }

        // Behind the walk, since what is superseded leaves the ring.
        foreach ((Message message, long position) in inMemory) Index(message, position);
    }

    /// <summary>Takes note of the topic of a message; of two of one topic the older one goes.</summary>
    private void Index(Message message, long position)
    {
        if (Count == 0 || position < FirstPosition || _topics!.IsGone(position)) return;
        bool isKnown = _topics.TryGet(message.Topic, out long latest, out int latestSize);
        if (isKnown && latest >= position)
        {
            if (latest > position) TryRemove(position, message.SizeBytes);
            return;
        }

        _topics.Set(message.Topic, position, message.SizeBytes);
        if (isKnown) TryRemove(latest, latestSize);
    }

    /// <summary>Takes a superseded message out, wherever it is; false when it has left the queue already.</summary>
    private bool TryRemove(long position, int sizeBytes)
    {
        if (Count == 0 || position < FirstPosition || _topics!.IsGone(position)) return false;
        if (_front.Find(position) is >= 0 and int slot)
        {
            (_superseded ??= []).Add(_front.RemoveAt(slot));
        }
        else if (_back?.Find(position) is >= 0 and int backSlot)
        {
            (_superseded ??= []).Add(_back.RemoveAt(backSlot));
            if (_back.Count == 0) _back = null;
        }
        else if (_spilled is { Count: > 0 } && position > _front.LastPosition && (_back is null || position < _back.Peek().Position))
        {
            _spilled.Remove(position);
        }
        else
        {
            return false;
        }

        SizeBytes -= sizeBytes;
        _topics.NoteSuperseded(position);
        return true;
    }
}
