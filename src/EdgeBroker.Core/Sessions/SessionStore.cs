using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Ports;

namespace EdgeBroker.Core.Sessions;

/// <summary>
/// What the session leaves on disk: its identity there, the deliveries that wait for it, and the records that its acknowledgements complete before they had to
/// be written. A field of the session, guarded by its lock; a copy is of no use.
/// </summary>
internal struct SessionStore
{
    private StoredSession? _session;
    private PublishRecord? _coalesced;

    /// <summary>Its identity in the store; null: it is in memory only.</summary>
    public readonly StoredSession? Session => _session;

    /// <summary>Takes an identity in the store, new or restored.</summary>
    public void Open(StoredSession session, IStoredSessionOwner owner)
    {
        _session = session;
        session.Owner = owner;
    }

    /// <summary>Gives the identity up; null: there was none.</summary>
    public StoredSession? Close()
    {
        StoredSession? session = _session;
        _session = null;
        return session;
    }

    /// <summary>Records that a message waits for this session.</summary>
    /// <param name="journal">The journal.</param>
    /// <param name="delivery">The delivery; gets its journal's side.</param>
    /// <param name="record">The record of the publish it belongs to; null: it gets one of its own.</param>
    /// <param name="isAwaited">Whether somebody waits, and only the disk can end it.</param>
    public readonly void Add(IJournal journal, ref QueuedMessage delivery, PublishRecord? record, bool isAwaited)
    {
        PublishRecord own = record ?? new PublishRecord(delivery.Message);
        delivery.Stored = own.Add(_session!, delivery.Position, delivery.QoS, delivery.Retain, delivery.SubscriptionIdentifiers, delivery.SharedFilter);
        if (isAwaited) own.Await();
        if (record is not null) return;
        journal.Append(own);
        own.Seal();
    }

    /// <summary>A message is done with: acknowledged, expired or dropped.</summary>
    public void Remove(IJournal journal, in QueuedMessage delivery)
    {
        if (delivery.Stored is not { } stored) return;
        if (stored.MarkDone(out bool isCoalesced))
        {
            journal.Append(stored);
        }
        else if (isCoalesced && stored.Record!.CloseOne())
        {
            stored.Record.NextCoalesced = _coalesced;
            _coalesced = stored.Record;
        }
    }

    /// <summary>Takes the records that are complete now, to be completed outside the lock; null: none.</summary>
    public PublishRecord? TakeCoalesced()
    {
        PublishRecord? coalesced = _coalesced;
        _coalesced = null;
        return coalesced;
    }
}
