using EdgeBroker.Core.Journaling;

namespace EdgeBroker.Core.Sessions;

// Acknowledgements from the client, and the QoS 2 exchanges in which it publishes.
public sealed partial class Session
{
    /// <summary>PUBACK: a QoS 1 message is done with, whatever the reason code says [MQTT-4.4.0-2].</summary>
    /// <param name="lease">The connection's right.</param>
    /// <param name="packetId">The packet identifier.</param>
    /// <param name="refused">Whether the reason code is 0x80 or more.</param>
    public AckOutcome Puback(ConnectionLease lease, ushort packetId, bool refused)
    {
        QueuedMessage delivered;
        Deferred deferred;
        lock (SyncRoot.Alone())
        {
            if (!Holds(lease)) return AckOutcome.StaleLease;
            AckOutcome outcome = _window.Acknowledge(packetId, out delivered);
            if (outcome != AckOutcome.Done) return outcome;
            Complete(delivered);
            deferred = TakeDeferred();
        }

        deferred.Complete();
        if (!refused) TellDelivered(delivered);
        return AckOutcome.Done;
    }

    /// <summary>PUBREC: a QoS 2 message has arrived. On success PUBREL is owed and sent; a refusal ends the exchange.</summary>
    /// <param name="lease">The connection's right.</param>
    /// <param name="packetId">The packet identifier.</param>
    /// <param name="refused">Whether the reason code is 0x80 or more.</param>
    public AckOutcome Pubrec(ConnectionLease lease, ushort packetId, bool refused)
    {
        AckOutcome outcome;
        QueuedMessage delivered;
        lock (SyncRoot.Alone())
        {
            if (!Holds(lease)) return AckOutcome.StaleLease;
            if (refused)
            {
                outcome = _window.Refuse(packetId, out QueuedMessage done);
                if (outcome == AckOutcome.Done) Complete(done);
                return outcome;
            }

            outcome = _window.Release(packetId, Ledger, out delivered, out DeliveryReleased? fact, out bool isReleased);
            if (fact is not null) Journal.Append(fact);
            if (isReleased) _link!.SendPubrel(packetId);
        }

        TellDelivered(delivered);
        return outcome;
    }

    /// <summary>PUBCOMP: the QoS 2 exchange is over.</summary>
    public AckOutcome Pubcomp(ConnectionLease lease, ushort packetId)
    {
        lock (SyncRoot.Alone())
        {
            if (!Holds(lease)) return AckOutcome.StaleLease;
            AckOutcome outcome = _window.Complete(packetId, out QueuedMessage done);
            if (outcome == AckOutcome.Done) Complete(done);
            return outcome;
        }
    }

    /// <summary>Another node, whose outbox this is, has all messages up to a position, of whatever QoS: they are done with.</summary>
    /// <param name="lease">The link's right.</param>
    /// <param name="position">The position.</param>
    internal void AcknowledgeThrough(ConnectionLease lease, long position)
    {
        Deferred deferred;
        lock (SyncRoot.Alone())
        {
            if (!Holds(lease)) return;
            while (_window.TryCloseThrough(position, out QueuedMessage done)) Complete(done);
            deferred = TakeDeferred();
        }

        deferred.Complete();
    }

    /// <summary>PUBLISH with QoS 2: begins an exchange, unless the packet is a repetition or one too many.</summary>
    /// <param name="lease">The connection's right.</param>
    /// <param name="packetId">The packet identifier.</param>
    /// <param name="isDup">Whether the packet says that it is a repetition.</param>
    /// <param name="limit">Exchanges that may be open.</param>
    /// <param name="completion">What the PUBREC for a repetition waits for.</param>
    public AckOutcome TryBeginExactlyOnce(ConnectionLease lease, ushort packetId, bool isDup, int limit, out Completion? completion)
    {
        completion = null;
        lock (SyncRoot.Alone())
        {
            if (!Holds(lease)) return AckOutcome.StaleLease;
            AckOutcome outcome = _received.TryBegin(packetId, isDup, limit, out completion);
            _received.Account(Ledger, isOver: false);
            return outcome;
        }
    }

    /// <summary>The PUBLISH was refused: its identifier, not stored yet, is free again [MQTT-4.3.3-9].</summary>
    public void CancelExactlyOnce(ConnectionLease lease, ushort packetId)
    {
        lock (SyncRoot.Alone())
        {
            if (Holds(lease)) _received.Cancel(packetId);
        }
    }

    /// <summary>What came under an identifier did not reach everyone: when it comes again it is a new message.</summary>
    internal void ForgetReceived(ushort packetId)
    {
        lock (SyncRoot.Alone()) _received.Cancel(packetId);
    }

    /// <summary>PUBREL: the identifier is free again.</summary>
    /// <param name="lease">The connection's right.</param>
    /// <param name="packetId">The packet identifier.</param>
    /// <param name="completion">What PUBCOMP waits for: were a crash to bring the identifier back, the next message under it would pass for a repetition and be
    /// lost.</param>
    public AckOutcome CompleteExactlyOnce(ConnectionLease lease, ushort packetId, out Completion? completion)
    {
        completion = null;
        lock (SyncRoot.Alone())
        {
            if (!Holds(lease)) return AckOutcome.StaleLease;
            bool isOpen = _received.Complete(packetId);
            _received.Account(Ledger, isOver: false);
            if (!isOpen) return AckOutcome.UnknownId;
            if (IsStored) completion = Append(new ReceivedIdRemoved(_store.Session!, packetId));
            return AckOutcome.Done;
        }
    }

    /// <summary>A message is done with; there may be room for another one.</summary>
    private void Complete(in QueuedMessage done)
    {
        SyncRoot.MustBeHeld();
        Finish(done);
        _window.Account(Ledger, isOver: false, IsStored);
        if (_queue.Count > 0 || _retained.HasMore || _window.HasResends) _link!.RequestPump();
    }

    private JournalFact Append(JournalFact fact)
    {
        SyncRoot.MustBeHeld();
        Journal.Append(fact);
        return fact;
    }
}
