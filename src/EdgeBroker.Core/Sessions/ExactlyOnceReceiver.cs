using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Limits;

namespace EdgeBroker.Core.Sessions;

/// <summary>
/// The QoS 2 exchanges in which the client publishes: identifiers received and not yet released make repetitions known [MQTT-4.3.3-10]. A field of the session,
/// guarded by its lock; a copy is of no use.
/// </summary>
internal struct ExactlyOnceReceiver
{
    // Idle sessions are many: these stand for nothing until an identifier comes.
    private PacketIdSet _ids = PacketIdSet.None;

    // Those of the identifiers that an earlier connection left.
    private PacketIdSet _earlierIds = PacketIdSet.None;

    // What the answer to a repetition waits for: the answer to its original may still be waiting, or have been waiting on a connection that is gone.
    private Completion? _stored;

    public ExactlyOnceReceiver()
    {
    }

    /// <summary>Open exchanges; a hint when it is read without the lock.</summary>
    public readonly int Count => _ids.Count;

    /// <summary>What is done when the messages of all open exchanges are on disk; null: nothing to wait for.</summary>
    public readonly Completion? Stored => _stored;

    /// <summary>The open identifiers.</summary>
    public readonly IEnumerable<ushort> ToArray()
    {
        PacketIdSet ids = _ids;
        return ids.Count == 0 ? [] : [.. Enumerable.Range(1, ushort.MaxValue).Select(id => (ushort)id).Where(ids.Contains)];
    }

    /// <summary>Whether an identifier is open.</summary>
    public readonly bool Contains(ushort packetId) => _ids.Contains(packetId);

    /// <summary>PUBLISH: begins an exchange, unless the packet is a repetition or one too many.</summary>
    /// <param name="packetId">The packet identifier.</param>
    /// <param name="isDup">Whether the packet says that it is a repetition.</param>
    /// <param name="limit">Exchanges that may be open.</param>
    /// <param name="stored">What the PUBREC for a repetition waits for; null: nothing.</param>
    public AckOutcome TryBegin(ushort packetId, bool isDup, int limit, out Completion? stored)
    {
        stored = _stored;
        if (_ids.Contains(packetId))
        {
            // Who sends again says so [MQTT-3.3.1-1]. A client that uses the identifier on another connection without saying so has given up the exchange it
            // was for, or has released it long ago, and that was lost: the message is a new one.
            return !isDup && _earlierIds.Remove(packetId) ? AckOutcome.Done : AckOutcome.Repeated;
        }

        if (_ids.Count >= limit) return AckOutcome.TooMany;
        if (ReferenceEquals(_ids, PacketIdSet.None)) _ids = new PacketIdSet();
        _ids.Add(packetId);
        return AckOutcome.Done;
    }

    /// <summary>Another connection takes the session: what is open now is of an earlier one.</summary>
    public void Attach(MemoryLedger ledger)
    {
        if (!ReferenceEquals(_earlierIds, PacketIdSet.None)) _earlierIds.Account(ledger, isOver: true);
        _earlierIds = _ids.Count == 0 ? PacketIdSet.None : _ids.Copy();
    }

    /// <summary>The message of an open exchange is on its way to the disk.</summary>
    public void Store(Completion stored) => _stored = stored;

    /// <summary>The PUBLISH was refused: its identifier, not stored yet, is free again [MQTT-4.3.3-9].</summary>
    public readonly void Cancel(ushort packetId) => _ids.Remove(packetId);

    /// <summary>PUBREL: the identifier is free again; false when it was not open.</summary>
    public readonly bool Complete(ushort packetId)
    {
        _earlierIds.Remove(packetId);
        return _ids.Remove(packetId);
    }

    /// <summary>Accounts what the identifiers take; nothing once the session is over.</summary>
    public readonly void Account(MemoryLedger ledger, bool isOver)
    {
        if (!ReferenceEquals(_ids, PacketIdSet.None)) _ids.Account(ledger, isOver);
        if (!ReferenceEquals(_earlierIds, PacketIdSet.None)) _earlierIds.Account(ledger, isOver);
    }

    /// <summary>Takes up the exchanges an earlier life of the process left open.</summary>
    public void Restore(IReadOnlyCollection<ushort> ids)
    {
        if (ids.Count == 0) return;
        _ids = new PacketIdSet();
        foreach (ushort id in ids) _ids.Add(id);
    }
}
