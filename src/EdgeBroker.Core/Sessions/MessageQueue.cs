using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Messages;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Sessions;

/// <summary>
/// The QoS 1 and 2 messages that wait for room in the in-flight window, oldest first. Of a stored session's queue memory holds the front, the back that is not
/// on disk yet, and of
/// what lies between only where it is on disk.
/// </summary>
internal sealed class MessageQueue
{
    /// <summary>The empty queue, shared; never added to.</summary>
    public static readonly MessageQueue None = new();

    /// <summary>Messages at the front that stay in memory, whoever is away how long.</summary>
    public const int FrontMessages = 16;

    private MessageRing _front = new();
    private MessageRing? _back;
    private SpilledQueue? _spilled;

    // Whether messages of the front may have been let go that stand before others in memory: those that came while nobody was there to take them.
    private bool _mayHaveGaps;

    public MessageQueue()
    {
    }

    /// <summary>One all of which is on disk; when sessions are restored.</summary>
    public MessageQueue(SpilledQueue spilled, long sizeBytes)
    {
        _spilled = spilled;
        SizeBytes = sizeBytes;
    }

    /// <summary>Messages waiting.</summary>
    public int Count => _front.Count + (_spilled?.Count ?? 0) + (_back?.Count ?? 0);

    /// <summary>Bytes they count.</summary>
    public long SizeBytes { get; private set; }

    private bool FrontIsAll => _spilled is not { Count: > 0 } && _back is not { Count: > 0 };

    /// <summary>Whether the oldest is in memory; else it has to be loaded first.</summary>
    public bool IsHeadLoaded
    {
        get
        {
            BringForward();
            return _front.Count > 0 && _front.Peek() is { Message: not null } or { IsLost: true };
        }
    }

    /// <summary>The oldest, loaded.</summary>
    public ref QueuedMessage Peek() => ref _front.Peek();

    /// <summary>Adds behind the newest.</summary>
    public void Enqueue(in QueuedMessage message)
    {
        SizeBytes += message.SizeBytes;
        if (FrontIsAll && _front.Count < FrontMessages) _front.Enqueue(message);
        else (_back ??= new MessageRing()).Enqueue(message);
    }

    /// <summary>Takes the oldest, whether its message is in memory or not.</summary>
    public QueuedMessage Dequeue(StoredSession? session)
    {
        BringForward();
        QueuedMessage message = _front.Count == 0 && _spilled!.TryDequeue(out SpilledDelivery spilled) ? FromDisk(spilled, session!) : _front.Dequeue();
        SizeBytes -= message.SizeBytes;
        return message;
    }

    /// <summary>Whether there is nothing to read, or so many at the front are in memory, or some of them are being read already.</summary>
    public bool IsReadingOrAhead(int messages)
    {
        // Without gaps the last one says it for all; a client that drains a long queue asks often.
        if (!_mayHaveGaps && _front.Count >= messages && _front.At(messages - 1).Message is not null) return true;
        bool isLoaded = true;
        int count = Math.Min(_front.Count, messages);
        for (int i = 0; i < count; i++)
        {
            ref QueuedMessage message = ref _front.At(i);
            if (message.IsLoading) return true;
            isLoaded &= message is not { Message: null, IsLost: false };
        }

        if (isLoaded && count == _front.Count) _mayHaveGaps = false;
        return isLoaded && (_front.Count >= messages || _spilled is not { Count: > 0 });
    }

    /// <summary>Lets messages behind the front go that are on disk.</summary>
    public void Spill()
    {
        while (_back is { Count: > 0 } back && back.Peek() is { Stored.IsDurable: true } first)
        {
            (_spilled ??= new SpilledQueue()).Enqueue(ToSpilled(first));
            back.Dequeue();
        }

        if (_back is { Count: 0 }) _back = null;
    }

    /// <summary>Lets messages of the front go, too, behind the first few: nobody is there to take them.</summary>
    public void Unload()
    {
        for (int i = FrontMessages; i < _front.Count; i++)
        {
            ref QueuedMessage message = ref _front.At(i);
            if (message.Stored is not { IsDurable: true } stored || message.Message is null) continue;
            message.Details = OptionsOf(message) & (DeliveryOptions.HasIdentifiers | DeliveryOptions.IsShared);
            message.Message = null;
            _mayHaveGaps = true;
            // The old one holds the message by its record.
            message.Stored = new StoredDelivery(stored.Session, message.Position, stored.MessageId);
        }
    }

    /// <summary>Fills the front up to a number of messages and says which of them have to be loaded.</summary>
    public List<SpilledDelivery> TakeUnloaded(int upTo, StoredSession session)
    {
        var wanted = new List<SpilledDelivery>();
        while (_front.Count < upTo && _spilled is not null && _spilled.TryDequeue(out SpilledDelivery spilled)) _front.Enqueue(FromDisk(spilled, session));
        for (int i = 0; i < _front.Count && i < upTo; i++)
        {
            ref QueuedMessage message = ref _front.At(i);
            if (message.Message is not null || message.IsLoading) continue;
            message.IsLoading = true;
            wanted.Add(ToSpilled(message));
        }

        return wanted;
    }

    /// <summary>Gives messages of the front what was loaded for them. Those that are there no longer are passed over.</summary>
    public void Fill(IReadOnlyList<LoadedDelivery> loaded)
    {
        int place = 0;
        foreach (LoadedDelivery one in loaded)
        {
            while (place < _front.Count && _front.At(place).Position < one.Position) place++;
            if (place == _front.Count) return;
            ref QueuedMessage message = ref _front.At(place);
            if (message.Position != one.Position || !message.IsLoading) continue;
            message.IsLoading = false;
            message.Message = one.Message;
            message.SubscriptionIdentifiers = one.SubscriptionIdentifiers;
            message.SharedFilter = one.SharedFilter;
            message.IsLost = one.Message is null;
        }
    }

    /// <summary>Takes out what is on disk only.</summary>
    public List<SpilledDelivery> TakeSpilled()
    {
        if (_spilled is null) return [];
        List<SpilledDelivery> all = _spilled.ToList();
        _spilled = null;
        foreach (SpilledDelivery one in all) SizeBytes -= one.SizeBytes;
        return all;
    }

    /// <summary>Takes out of what is on disk only all that has expired.</summary>
    public List<SpilledDelivery> TakeExpired(long nowMs)
    {
        var expired = new List<SpilledDelivery>();
        if (_spilled is null || nowMs < _spilled.EarliestExpiryMs) return expired;
        List<SpilledDelivery> all = _spilled.ToList();
        _spilled.Clear();
        foreach (SpilledDelivery one in all)
        {
            if (nowMs < one.ExpiresAtMs)
            {
                _spilled.Enqueue(one);
                continue;
            }

            expired.Add(one);
            SizeBytes -= one.SizeBytes;
        }

        return expired;
    }

    private static QueuedMessage FromDisk(in SpilledDelivery spilled, StoredSession session) => new()
    {
        Stored = new StoredDelivery(session, spilled.Position, spilled.MessageId),
        Position = spilled.Position,
        SizeBytes = spilled.SizeBytes,
        QoS = (spilled.Options & DeliveryOptions.ExactlyOnce) != 0 ? QoS.ExactlyOnce : QoS.AtLeastOnce,
        Retain = (spilled.Options & DeliveryOptions.Retain) != 0,
        MayBeSent = (spilled.Options & DeliveryOptions.MayBeSent) != 0,
        Details = spilled.Options & (DeliveryOptions.HasIdentifiers | DeliveryOptions.IsShared),
        State = DeliveryState.Queued,
    };

    /// <summary>What memory keeps of a message that is on disk.</summary>
    public static SpilledDelivery ToSpilled(in QueuedMessage message) =>
        new(message.Stored!.MessageId, message.Position, message.SizeBytes, message.Message?.ExpiresAtMs ?? Message.Never, OptionsOf(message));

    private static DeliveryOptions OptionsOf(in QueuedMessage message)
    {
        DeliveryOptions options = message.QoS == QoS.ExactlyOnce ? DeliveryOptions.ExactlyOnce : DeliveryOptions.AtLeastOnce;
        if (message.Retain) options |= DeliveryOptions.Retain;
        if (message.MayBeSent) options |= DeliveryOptions.MayBeSent;
        if (message.Message is null) return options | message.Details;
        if (message.SubscriptionIdentifiers is not null) options |= DeliveryOptions.HasIdentifiers;
        if (message.SharedFilter is not null) options |= DeliveryOptions.IsShared;
        return options;
    }

    /// <summary>When the front is used up, what is next in memory takes its place.</summary>
    private void BringForward()
    {
        if (_front.Count > 0 || _back is null || _spilled is { Count: > 0 }) return;
        (_front, _back) = (_back, null);
    }
}
