using EdgeBroker.Core.Cluster;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Topics;

namespace EdgeBroker.Cluster.Tests.Simulation;

/// <summary>A journal that writes to a <see cref="MemoryDisk"/> when the simulation says so. What it has not written when the process ends is lost.</summary>
internal sealed class MemoryJournal(MemoryDisk disk, Mutation mutation) : IJournal
{
    private readonly Queue<JournalFact> _waiting = new();
    private readonly Queue<(MemorySession Session, IReadOnlyList<SpilledDelivery> Wanted)> _loads = new();
    private readonly HashSet<MemorySession> _touched = [];

    public bool IsDurable => true;

    public JournalCondition Condition { get; set; }

    public long MaxBytes => long.MaxValue;

    public JournalStatistics Statistics => default;

    public bool HasWork => _waiting.Count > 0 || _loads.Count > 0;

    /// <summary>Messages written, for flows that are to write none.</summary>
    public int MessagesWritten { get; private set; }

    public StoredSession Open(string clientId) => new MemorySession(clientId, null);

    public void Append(JournalFact fact)
    {
        _waiting.Enqueue(fact);
        if ((mutation & Mutation.AcknowledgedBeforeCommit) != 0 && fact is PublishRecord or SubscriptionChanged) fact.Complete();
        if ((mutation & Mutation.VoidSeenBeforeCommit) != 0 && fact is SessionDeleted) fact.Complete();
    }

    public void Load(StoredSession session, IReadOnlyList<SpilledDelivery> deliveries) => _loads.Enqueue(((MemorySession)session, deliveries));

    /// <summary>Writes the next facts, and reads back what was asked for.</summary>
    public void Commit(int atMost)
    {
        for (; _loads.TryDequeue(out (MemorySession Session, IReadOnlyList<SpilledDelivery> Wanted) load); Answer(load.Session, load.Wanted))
        {
        }

        List<JournalFact> written = [];
        for (; atMost > 0 && _waiting.TryDequeue(out JournalFact? fact); atMost--)
        {
            Write(fact);
            written.Add(fact);
        }

        foreach (JournalFact fact in written)
        {
            for (StoredDelivery? one = (fact as PublishRecord)?.Deliveries; one is not null; one = one.Next) one.RecordDurable();
            fact.Complete();
        }

        List<MemorySession> touched = [.. _touched];
        _touched.Clear();
        foreach (MemorySession session in touched) session.Owner?.OnCommitted();
    }

    private static void Answer(MemorySession session, IReadOnlyList<SpilledDelivery> wanted)
    {
        List<LoadedDelivery> loaded = [];
        foreach (SpilledDelivery one in wanted)
        {
            MemoryDisk.Waiting? waiting = session.Row!.Deliveries.GetValueOrDefault(one.Position);
            loaded.Add(new LoadedDelivery(one.Position, waiting?.Message, waiting?.Identifiers, waiting?.SharedFilter));
        }

        session.Owner?.OnLoaded(loaded);
    }

    private MemoryDisk.Row RowOf(StoredSession session)
    {
        var own = (MemorySession)session;
        if (own.Row is null) disk.Rows.Add(own.Row = new MemoryDisk.Row(session.ClientId));
        return own.Row;
    }

    private void Write(JournalFact fact)
    {
        switch (fact)
        {
            case PublishRecord record:
                WriteRecord(record);
                break;
            case StoredDelivery done:
                RowOf(done.Session).Deliveries.Remove(done.Position);
                RowOf(done.Session).Released.Remove(done.Position);
                break;
            case DeliveryReleased released:
                RowOf(released.Delivery.Session).Released.Add(released.Delivery.Position);
                _touched.Add((MemorySession)released.Delivery.Session);
                break;
            case SessionSaved saved:
                RowOf(saved.Session).Saved = saved;
                if (saved.Epoch != Epoch.None && (mutation & Mutation.EpochNotKept) == 0) RowOf(saved.Session).Owned = saved;
                break;
            case SessionEnded ended:
                disk.Rows.Remove(RowOf(ended.Session));
                break;
            case SessionDeleted deleted:
                disk.Rows.Remove(RowOf(deleted.Session));
                break;
            case SubscriptionChanged changed:
                WriteSubscription(changed);
                break;
            case ReceivedIdRemoved removed:
                RowOf(removed.Session).ReceivedIds.Remove(removed.PacketId);
                break;
            case RetainedChanged retained:
                disk.Save(retained);
                break;
            case SessionTombstoneChanged { Tombstone: var tombstone }:
                if (tombstone.Below.IsNone) disk.Tombstones.Remove(tombstone.ClientId);
                else if ((mutation & Mutation.VoidNotKept) == 0) disk.Tombstones[tombstone.ClientId] = tombstone.Below;
                break;
            case StampBoundRaised raised:
                if ((mutation & Mutation.BoundNotKept) == 0) disk.Bound = raised.Bound;
                break;
            default:
                throw new InvalidOperationException($"a fact the journal does not know: {fact.GetType()}");
        }
    }

    private void WriteSubscription(SubscriptionChanged changed)
    {
        MemoryDisk.Row row = RowOf(changed.Session);
        if ((mutation & Mutation.InterestNotKept) != 0 && changed.Subscription is PeerInterest) return;
        if (changed.Subscription is null) row.Subscriptions.Remove(changed.Filter);
        else row.Subscriptions[changed.Filter] = changed.Subscription;
    }

    private void WriteRecord(PublishRecord record)
    {
        long id = disk.NextMessageId();
        bool isWritten = false;
        for (StoredDelivery? one = record.Deliveries; one is not null; one = one.Next)
        {
            if (!one.TryWrite()) continue;
            isWritten = true;
            one.MessageId = id;
            MemoryDisk.Row row = RowOf(one.Session);
            row.Highest = Math.Max(row.Highest, one.Position);
            row.Deliveries[one.Position] = new MemoryDisk.Waiting(id, record.Message!, one.QoS, one.Retain, one.SubscriptionIdentifiers, one.SharedFilter);
            _touched.Add((MemorySession)one.Session);
        }

        if (isWritten) MessagesWritten++;
        if (record.Publisher is not null) RowOf(record.Publisher).ReceivedIds.Add(record.ReceivedId);
        bool keepsOrigin = (isWritten || record.MustCommit) && (mutation & Mutation.TakenNotKept) == 0;
        if (keepsOrigin && record.Origin is { } origin) disk.Taken[(origin.Life, origin.Lane)] = origin;
    }
}
