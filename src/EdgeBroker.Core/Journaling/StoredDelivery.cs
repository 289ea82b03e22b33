using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Journaling;

/// <summary>
/// A message that waits for one session, as the journal knows it. Appended itself, as a fact, when a delivery that is on disk is done with; one that was done
/// with before it was written never is.
/// </summary>
public sealed class StoredDelivery : JournalFact
{
    /// <summary>What one takes, with its part of the record it belongs to.</summary>
    internal const int MemoryBytes = 128;

    private const int Pending = 0;
    private const int Written = 1;
    private const int Durable = 2;
    private const int Done = 3;

    private int _state;

    internal StoredDelivery(PublishRecord record, StoredDelivery? next)
    {
        Record = record;
        Next = next;
    }

    /// <summary>One read back from the store.</summary>
    public StoredDelivery(StoredSession session, long position, long messageId)
    {
        Session = session;
        Position = position;
        MessageId = messageId;
        _state = Durable;
    }

    /// <summary>The record it belongs to; null for one read back.</summary>
    public PublishRecord? Record { get; }

    /// <summary>The record's delivery before this one.</summary>
    public StoredDelivery? Next { get; }

    /// <summary>Whom it is for.</summary>
    public StoredSession Session { get; init; } = null!;

    /// <summary>Its position in the session's order, from 1.</summary>
    public long Position { get; init; }

    /// <summary>QoS of the delivery.</summary>
    public QoS QoS { get; init; }

    /// <summary>RETAIN of the delivery.</summary>
    public bool Retain { get; init; }

    /// <summary>Identifiers of the subscriptions that caused it, or null.</summary>
    public uint[]? SubscriptionIdentifiers { get; init; }

    /// <summary>The shared subscription it came by, or null.</summary>
    public byte[]? SharedFilter { get; init; }

    /// <summary>The store's number of the message; set by the journal before it commits the record.</summary>
    public long MessageId { get; set; }

    /// <summary>Whether it is on disk, so that memory need not hold it.</summary>
    public bool IsDurable => Volatile.Read(ref _state) == Durable;

    /// <summary>Whether it may be seen: it is on disk, or as good as there.</summary>
    public bool IsCommittedWithRecord => Record is null || Record.IsDone;

    /// <summary>The journal is about to write it; false when it is done with already and need not be written.</summary>
    public bool TryWrite() => Interlocked.CompareExchange(ref _state, Written, Pending) == Pending;

    /// <summary>It is on disk.</summary>
    public void RecordDurable() => Interlocked.CompareExchange(ref _state, Durable, Written);

    /// <summary>The session is done with it. Says whether it is to be appended, once: true where it is on disk or on its way there.</summary>
    /// <param name="isCoalesced">Whether it was not written yet and never will be.</param>
    internal bool MarkDone(out bool isCoalesced)
    {
        int before = Interlocked.Exchange(ref _state, Done);
        isCoalesced = before == Pending;
        return before is Written or Durable;
    }
}
