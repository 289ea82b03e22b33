using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Messages;

namespace EdgeBroker.Core.Sessions;

/// <summary>
/// The messages that wait for room in the send window, oldest first. Of a stored session's queue memory holds the front, the back that is not on disk yet, and
/// of what lies between only where it is on disk.
/// </summary>
internal sealed partial class MessageQueue
{
    /// <summary>The empty queue, shared; never added to.</summary>
    public static readonly MessageQueue None = new(new MemoryLedger());

    /// <summary>Messages at the front that stay in memory, whoever is away how long.</summary>
    public const int FrontMessages = 16;

    // And their bytes: an absent client's pictures lie on disk.
    private const int FrontBytes = 64 * 1024;

    // This object and its first ring.
    private const int QueueBytes = 208;

    private readonly MemoryLedger _ledger;
    private MessageRing _front = new();
    private MessageRing? _back;
    private SpilledQueue? _spilled;

    // Whether messages of the front may have been let go that stand before others in memory: those that came while nobody was there to take them.
    private bool _mayHaveGaps;

    /// <param name="ledger">Where its memory is accounted.</param>
    public MessageQueue(MemoryLedger ledger) => _ledger = ledger;

    /// <summary>One all of which is on disk; when sessions are restored.</summary>
    public MessageQueue(MemoryLedger ledger, SpilledQueue spilled, long sizeBytes)
        : this(ledger)
    {
        _spilled = spilled;
        SizeBytes = sizeBytes;
    }

    /// <summary>Messages waiting.</summary>
    public int Count => _front.Count + (_spilled?.Count ?? 0) + (_back?.Count ?? 0);

    /// <summary>Bytes they count.</summary>
    public long SizeBytes { get; private set; }

    /// <summary>When the oldest was queued, in seconds of the broker's clock. Not of an empty queue.</summary>
    public int OldestQueuedAtSeconds
    {
        get
        {
            BringForward();
            return _front.Count == 0 && _spilled!.TryPeek(out SpilledDelivery oldest) ? oldest.QueuedAtSeconds : _front.Peek().QueuedAtSeconds;
        }
    }

    /// <summary>Publishers whose acknowledgement waits for room in the queue.</summary>
    public ref HeldPublishers Held => ref _held;

    /// <summary>Where the session stands among the users of the store, which guard it.</summary>
    public ref StoreUse StoreUse => ref _storeUse;

    private StoreUse _storeUse = new();
    private HeldPublishers _held;
    private long _accountedBytes;

    private long MemoryBytes =>
        QueueBytes + _front.MemoryBytes + (_back?.MemoryBytes ?? 0) + (_spilled?.MemoryBytes ?? 0) + (_topics?.MemoryBytes ?? 0);

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
        _topics?.Set(message.Message!.Topic, message.Position, message.SizeBytes);
        if (FrontIsAll && _front.Count < FrontMessages && (SizeBytes <= FrontBytes || message.Stored is null)) _front.Enqueue(message);
        else (_back ??= new MessageRing()).Enqueue(message);
    }

    /// <summary>Takes the oldest, whether its message is in memory or not.</summary>
    public QueuedMessage Dequeue(StoredSession? session)
    {
        BringForward();
        QueuedMessage message = _front.Count == 0 && _spilled!.TryDequeue(out SpilledDelivery spilled) ? FromDisk(spilled, session!) : _front.Dequeue();
        SizeBytes -= message.SizeBytes;
        if (_topics is not null)
        {
            if (message.Message is not null) _topics.Remove(message.Message.Topic, message.Position);
            if (Count > 0) _topics.Prune(FirstPosition, Count);
        }

        return message;
    }

    /// <summary>Whether there is nothing to read, or so many at the front are in memory, or some of them are being read already.</summary>
    public bool IsReadingOrAhead(int messages)
    {
        // Without gaps the last one says it for all; a client that drains a long queue asks often.
        if (!_mayHaveGaps && _front.Count >= messages && _front.At(messages - 1).Message is not null) return true;
        bool isLoaded = true;
        int seen = 0;
        for (int slot = 0; slot < _front.Slots && seen < messages; slot++)
        {
            ref QueuedMessage message = ref _front.At(slot);
            if (message.State == DeliveryState.None) continue;
            if (message.IsLoading) return true;
            isLoaded &= message is not { Message: null, IsLost: false };
            seen++;
        }

        if (isLoaded && seen == _front.Count) _mayHaveGaps = false;
        return isLoaded && (_front.Count >= messages || _spilled is not { Count: > 0 });
    }

    /// <summary>Lets messages behind the front go that are on disk.</summary>
    public void Spill()
    {
        while (_back is { Count: > 0 } back && back.Peek() is { Stored.IsDurable: true } first)
        {
            (_spilled ??= new SpilledQueue()).Enqueue(ToSpilled(first));
            back.Dequeue().Message?.Release(_ledger);
        }

        if (_back is { Count: 0 }) _back = null;
    }

    /// <summary>Lets messages of the front go, too, behind the first few: nobody is there to take them.</summary>
    public void Unload()
    {
        long keptBytes = 0;
        for (int slot = 0; slot < _front.Slots; slot++)
        {
            ref QueuedMessage message = ref _front.At(slot);
            keptBytes += message.Message?.SizeBytes ?? 0;
            if (slot < FrontMessages && keptBytes <= FrontBytes) continue;
            if (message.Stored is not { IsDurable: true } stored || message.Message is null) continue;
            message.Details = OptionsOf(message) & (DeliveryOptions.HasIdentifiers | DeliveryOptions.IsShared);
            message.Message.Release(_ledger);
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
        int seen = 0;
        for (int slot = 0; slot < _front.Slots && seen < upTo; slot++)
        {
            ref QueuedMessage message = ref _front.At(slot);
            if (message.State == DeliveryState.None) continue;
            seen++;
            if (message.Message is not null || message.IsLoading || message.IsLost) continue;
            message.IsLoading = true;
            wanted.Add(ToSpilled(message));
        }

        return wanted;
    }

    /// <summary>Gives messages of the front what was loaded for them, and takes note of topics. Those that are there no longer are passed over.</summary>
    public void Fill(IReadOnlyList<LoadedDelivery> loaded)
    {
        foreach (LoadedDelivery one in loaded)
        {
            // Not one behind the other: what was let go once more is asked for after what stands behind it.
            if (_front.Find(one.Position) is >= 0 and int slot && _front.At(slot).IsLoading) Fill(ref _front.At(slot), one);
        }

        if (_topics is null) return;
        foreach (LoadedDelivery one in loaded)
        {
            if (one.Message is not null) Index(one.Message, one.Position);
            _topics.NoteRead(one.Position);
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
        if (_spilled is null) return [];
        List<SpilledDelivery> expired = _spilled.TakeExpired(nowMs);
        foreach (SpilledDelivery one in expired) SizeBytes -= one.SizeBytes;
        _topics?.Remove(expired);
        return expired;
    }

    /// <summary>What memory keeps of a message that is on disk.</summary>
    public static SpilledDelivery ToSpilled(in QueuedMessage message) => new(
        message.Stored!.MessageId,
        message.Position,
        message.SizeBytes,
        message.Message?.ExpiresAtMs ?? Message.Never,
        OptionsOf(message),
        message.QueuedAtSeconds);

    /// <summary>Puts together anew what an exception may have left half changed, from the messages that are there.</summary>
    /// <param name="except">Has some of them already.</param>
    public void Rebuild(in SendWindow except)
    {
        long last = 0;
        SizeBytes = 0;
        _front = Rebuild(_front, except, ref last);
        if (_spilled is not null)
        {
            foreach (SpilledDelivery one in _spilled.ToList())
            {
                last = Math.Max(last, one.Position);
                SizeBytes += one.SizeBytes;
            }
        }

        if (_back is not null) _back = Rebuild(_back, except, ref last);
        if (_topics is null) return;
        KeepLatest(false);
        KeepLatest(true);
    }

    /// <summary>Accounts what the queue itself takes, beside messages, with the journal's side of those in memory; nothing once it is over.</summary>
    public void Account(bool isOver, bool isStored)
    {
        long bytes = isOver ? 0 : MemoryBytes + (isStored ? StoredDelivery.MemoryBytes * ((long)_front.Capacity + (_back?.Capacity ?? 0)) : 0);
        if (bytes == _accountedBytes) return;
        _ledger.Account(MemoryKind.Queues, bytes - _accountedBytes);
        _accountedBytes = bytes;
    }

    /// <summary>Whether this message is in memory here.</summary>
    public bool Holds(Message message) => Holds(_front, message) || (_back is not null && Holds(_back, message));

    /// <summary>Bytes of the messages that are in memory.</summary>
    public long CountHeldBytes() => CountHeldBytes(_front) + (_back is null ? 0 : CountHeldBytes(_back));

    private static long CountHeldBytes(MessageRing ring)
    {
        long bytes = 0;
        for (int slot = ring.Slots - 1; slot >= 0; slot--) bytes += ring.At(slot).Message?.SizeBytes ?? 0;
        return bytes;
    }

    private static bool Holds(MessageRing ring, Message message)
    {
        for (int slot = ring.Slots - 1; slot >= 0; slot--)
        {
            if (ReferenceEquals(ring.At(slot).Message, message)) return true;
        }

        return false;
    }

    private MessageRing Rebuild(MessageRing ring, in SendWindow except, ref long last)
    {
        var rebuilt = new MessageRing();
        for (int slot = 0; slot < ring.Slots; slot++)
        {
            ref QueuedMessage message = ref ring.At(slot);
            if (message.State == DeliveryState.None || message.Position <= last || except.Contains(message.Position)) continue;
            last = message.Position;
            rebuilt.Enqueue(message);
            SizeBytes += message.SizeBytes;
        }

        return rebuilt;
    }

    private static QueuedMessage FromDisk(in SpilledDelivery spilled, StoredSession session) => new()
    {
        Stored = new StoredDelivery(session, spilled.Position, spilled.MessageId),
        Position = spilled.Position,
        SizeBytes = spilled.SizeBytes,
        QueuedAtSeconds = spilled.QueuedAtSeconds,
        QoS = spilled.Options.ToQoS(),
        HasWaited = true,
        Retain = (spilled.Options & DeliveryOptions.Retain) != 0,
        MayBeSent = (spilled.Options & DeliveryOptions.MayBeSent) != 0,
        Details = spilled.Options & (DeliveryOptions.HasIdentifiers | DeliveryOptions.IsShared),
        State = DeliveryState.Queued,
    };

    private static DeliveryOptions OptionsOf(in QueuedMessage message)
    {
        DeliveryOptions options = message.QoS.ToOptions();
        if (message.Retain) options |= DeliveryOptions.Retain;
        if (message.MayBeSent) options |= DeliveryOptions.MayBeSent;
        if (message.Message is null) return options | message.Details;
        if (message.SubscriptionIdentifiers is not null) options |= DeliveryOptions.HasIdentifiers;
        if (message.SharedFilter is not null) options |= DeliveryOptions.IsShared;
        return options;
    }

    private void Fill(ref QueuedMessage message, in LoadedDelivery loaded)
    {
        message.IsLoading = false;
        loaded.Message?.Hold(_ledger, MemoryKind.Queues);
        message.Message = loaded.Message;
        message.SubscriptionIdentifiers = loaded.SubscriptionIdentifiers;
        message.SharedFilter = loaded.SharedFilter;
        message.IsLost = loaded.Message is null;
    }

    /// <summary>When the front is used up, what is next in memory takes its place.</summary>
    private void BringForward()
    {
        if (_front.Count > 0 || _back is null || _spilled is { Count: > 0 }) return;
        (_front, _back) = (_back, null);
    }
}
