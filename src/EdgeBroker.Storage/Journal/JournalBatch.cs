using System.Runtime.InteropServices;
using EdgeBroker.Core.Cluster;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Topics;
using EdgeBroker.Storage.Rows;

namespace EdgeBroker.Storage.Journal;

/// <summary>
/// One transaction in the making. Facts are absorbed once, in their order, which gives out numbers and leaves rows to write; writing can then be tried as often
/// as it takes.
/// </summary>
internal sealed class JournalBatch(JournalState state, AgeClock age)
{
    private readonly DeliveryRows _deliveries = new();
    // In the order of their ordinals, which is that in which they come; null: superseded by another.
    private readonly List<RetainedChanged?> _retained = [];
    private readonly List<long> _ordinals = [];
    private Dictionary<(long Life, byte Lane), MessageOrigin>? _taken;
    private Dictionary<string, SessionTombstone>? _tombstones;

    /// <summary>The facts in it, to be completed.</summary>
    public List<JournalFact> Facts { get; } = [];

    /// <summary>Messages to insert, with their numbers.</summary>
    public List<(long Id, Message Message)> Messages { get; } = [];

    /// <summary>Rows of "delivery".</summary>
    public IReadOnlyList<(long FirstMessage, byte[] Receivers)> Deliveries => _deliveries.Complete;

    /// <summary>Sessions whose row or progress changes.</summary>
    public HashSet<SqliteSession> Sessions { get; } = [];

    /// <summary>Sessions to be forgotten.</summary>
    public List<SqliteSession> Deleted { get; } = [];

    /// <summary>Subscriptions by session and filter; null: none any more.</summary>
    public List<(SqliteSession Session, byte[] Filter, Subscription? Subscription)> Subscriptions { get; } = [];

    /// <summary>Received QoS 2 identifiers that come and go, in order.</summary>
    public List<(SqliteSession Session, ushort PacketId, bool IsThere)> ReceivedIds { get; } = [];

    /// <summary>Retained values to insert.</summary>
    public IEnumerable<RetainedChanged> Retained => _retained.OfType<RetainedChanged>();

    /// <summary>How many.</summary>
    public int RetainedCount { get; private set; }

    /// <summary>How far what other nodes handed on is taken with it.</summary>
    public IEnumerable<MessageOrigin> Taken => _taken?.Values ?? Enumerable.Empty<MessageOrigin>();

    /// <summary>Tombstones of sessions that come and go.</summary>
    public IEnumerable<SessionTombstone> SessionTombstones => _tombstones?.Values ?? Enumerable.Empty<SessionTombstone>();

    /// <summary>Whether the bound of stamps, which is noted with the clock, is higher than before.</summary>
    public bool RaisesStampBound { get; private set; }

    /// <summary>Sessions to be told.</summary>
    public HashSet<SqliteSession> Touched { get; } = [];

    /// <summary>Deliveries that are on disk with it.</summary>
    public List<StoredDelivery> Written { get; } = [];

    /// <summary>Ranges of messages nobody waits for.</summary>
    public List<(long First, long Last)> EmptyMessages { get; } = [];

    /// <summary>Deliveries and values that did not have to be written.</summary>
    public int Coalesced { get; private set; }

    /// <summary>Whether there is nothing to write.</summary>
    public bool IsEmpty => Messages.Count == 0 && Sessions.Count == 0 && Deleted.Count == 0 && Subscriptions.Count == 0 && ReceivedIds.Count == 0
        && RetainedCount == 0 && EmptyMessages.Count == 0 && _taken is null && _tombstones is null && !RaisesStampBound;

    /// <summary>Whether it inserts this row of a retained value.</summary>
    public bool BringsRetained(long ordinal) => _ordinals.BinarySearch(ordinal) is >= 0 and int at && _retained[at] is not null;

    /// <summary>Takes a fact in.</summary>
    public void Absorb(JournalFact fact)
    {
        Facts.Add(fact);
        switch (fact)
        {
            case PublishRecord record: Absorb(record); break;
            case StoredDelivery done: Absorb(done); break;
            case DeliveryReleased released: Absorb(released); break;
            case SessionSaved saved: Absorb(saved); break;
            case SessionEnded ended: Absorb(ended); break;
            case SessionDeleted deleted: Absorb(deleted); break;
            case SubscriptionChanged changed: Absorb(changed); break;
            case ReceivedIdRemoved removed: AddReceivedId((SqliteSession)removed.Session, removed.PacketId, isThere: false); break;
            case RetainedChanged retained: Absorb(retained); break;
            case SessionTombstoneChanged changed: (_tombstones ??= new(StringComparer.Ordinal))[changed.Tombstone.ClientId] = changed.Tombstone; break;
            case StampBoundRaised raised: (state.StampBound, RaisesStampBound) = (raised.Bound, true); break;
            default: throw new InvalidOperationException($"a fact the journal does not know: {fact.GetType().Name}");
        }
    }

    /// <summary>Closes it: nothing more is absorbed.</summary>
    /// <param name="emptySegments">Segments of messages that may go with it at most.</param>
    public void Close(int emptySegments)
    {
        _deliveries.Close();
        EmptyMessages.AddRange(state.Segments.TakeEmpty(emptySegments));
    }

    private void Absorb(PublishRecord record)
    {
        int pending = 0;
        StoredDelivery? written = null;
        // Whoever is done with it by now never sees the disk.
        for (StoredDelivery? one = record.Deliveries; one is not null; one = one.Next)
        {
            var session = (SqliteSession)one.Session;
            if (session.IsDeleted || !one.TryWrite())
            {
                session.Done.Add(one.Position);
                Coalesced++;
                continue;
            }

            Written.Add(one);
            Touched.Add(session);
            written = one;
            pending++;
        }

        if (written is not null) AddMessage(record.Message!, pending);
        if (record.Publisher is not null) AddReceivedId((SqliteSession)record.Publisher, record.ReceivedId, isThere: true);
        // One lane is taken in its order.
        if (record.Origin is { } origin) (_taken ??= [])[(origin.Life, origin.Lane)] = origin;
    }

    private void AddMessage(Message message, int receivers)
    {
        long id = ++state.LastMessageId;
        Messages.Add((id, message));
        state.Segments.Add(id, receivers);
        // Queued a moment ago: facts wait for no more than a window.
        _deliveries.Begin(id, new WaitingMessage(receivers, message.SizeBytes, age.ToAge(message.ExpiresAtMs), age.NowMs));
        foreach (StoredDelivery one in CollectionsMarshal.AsSpan(Written)[^receivers..])
        {
            one.MessageId = id;
            _deliveries.Add(((SqliteSession)one.Session).Id, one);
        }
    }

    private void Absorb(StoredDelivery done)
    {
        var session = (SqliteSession)done.Session;
        if (session.IsDeleted) return;
        session.Done.Add(done.Position);
        session.Released.Remove(done.Position);
        state.Segments.Close(done.MessageId);
        MarkProgress(session);
    }

    private void Absorb(DeliveryReleased released)
    {
        var session = (SqliteSession)released.Delivery.Session;
        if (session.IsDeleted) return;
        session.Released.Add(released.Delivery.Position);
        MarkProgress(session);
        Touched.Add(session);
    }

    private void Absorb(SessionSaved saved)
    {
        var session = (SqliteSession)saved.Session;
        if (session.IsDeleted) return;
        if (session.Id == 0) session.Id = ++state.LastSessionId;
        session.State = saved;
        if (saved.Epoch != Epoch.None) session.Owned = saved;
        session.IsStateDirty = true;
        Sessions.Add(session);
    }

    private void Absorb(SessionEnded ended)
    {
        var session = (SqliteSession)ended.Session;
        session.IsEnded = true;
        session.IsStateDirty = true;
        Sessions.Add(session);
    }

    private void Absorb(SessionDeleted deleted)
    {
        var session = (SqliteSession)deleted.Session;
        foreach (SpilledDelivery one in deleted.Spilled) state.Segments.Close(one.MessageId);
        session.IsDeleted = true;
        Sessions.Remove(session);
        Deleted.Add(session);
    }

    private void Absorb(SubscriptionChanged changed)
    {
        var session = (SqliteSession)changed.Session;
        if (!session.IsDeleted) Subscriptions.Add((session, changed.Filter, changed.Subscription));
    }

    private void Absorb(RetainedChanged retained)
    {
        // A value that is superseded in the same transaction need not be written; one that was written before is swept later.
        if (_ordinals.BinarySearch(retained.Superseded) is >= 0 and int at && _retained[at] is not null)
        {
            _retained[at] = null;
            RetainedCount--;
            Coalesced++;
        }
        else if (retained.Superseded != 0)
        {
            state.RetainedGarbage.Add(retained.Superseded);
        }

        _retained.Add(retained);
        _ordinals.Add(retained.Ordinal);
        RetainedCount++;
        // That the topic has no value must be known as long as older ones are there.
        if (!retained.HasValue) state.RetainedGarbage.Add(retained.Ordinal);
    }

    private void AddReceivedId(SqliteSession session, ushort packetId, bool isThere)
    {
        if (!session.IsDeleted) ReceivedIds.Add((session, packetId, isThere));
    }

    private void MarkProgress(SqliteSession session)
    {
        session.IsProgressDirty = true;
        Sessions.Add(session);
    }
}
