using EdgeBroker.Core.Journaling;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Sessions;

// Acknowledgements from the client, and the identifiers of QoS 2 messages it is sending.
public sealed partial class Session
{
    // What the answer to a repetition waits for: the answer to its original may still be waiting, or have been waiting on a connection that is gone.
    private Completion? _receivedCompletion;

    // Those of the received identifiers that an earlier life of the process left; see BeginReceive.
    private PacketIdSet _restoredIds = PacketIdSet.None;

    /// <summary>PUBACK: a QoS 1 message is done with, whatever the reason code says [MQTT-4.4.0-2].</summary>
    public AckOutcome Puback(ConnectionLease lease, ushort packetId)
    {
        PublishRecord? elided;
        lock (Gate)
        {
            if (!Holds(lease)) return AckOutcome.StaleLease;
            int place = _inflight.Find(packetId);
            if (place < 0) return AckOutcome.UnknownId;
            ref QueuedMessage open = ref _inflight.At(place);
            if (open.QoS != QoS.AtLeastOnce) return AckOutcome.OutOfPlace;
            Complete(place);
            elided = TakeElided();
        }

        CompleteElided(elided);
        return AckOutcome.Done;
    }

    /// <summary>PUBREC: a QoS 2 message has arrived. On success PUBREL is owed and sent; a refusal ends the exchange.</summary>
    /// <param name="lease">The connection's right.</param>
    /// <param name="packetId">The packet identifier.</param>
    /// <param name="refused">Whether the reason code is 0x80 or more.</param>
    public AckOutcome Pubrec(ConnectionLease lease, ushort packetId, bool refused)
    {
        lock (Gate)
        {
            if (!Holds(lease)) return AckOutcome.StaleLease;
            int place = _inflight.Find(packetId);
            if (place < 0) return AckOutcome.UnknownId;
            ref QueuedMessage open = ref _inflight.At(place);
            if (open.QoS != QoS.ExactlyOnce) return AckOutcome.OutOfPlace;
            if (refused)
            {
                Complete(place);
                return AckOutcome.Done;
            }

            if (open.State == DeliveryState.Published) Release(ref open, packetId);
            // PUBREL says that the message will not come again: a later life of the process must know it, too.
            if (open.State == DeliveryState.Released) _link!.SendPubrel(packetId);
            return AckOutcome.Done;
        }
    }

    /// <summary>PUBCOMP: the QoS 2 exchange is over.</summary>
    public AckOutcome Pubcomp(ConnectionLease lease, ushort packetId)
    {
        lock (Gate)
        {
            if (!Holds(lease)) return AckOutcome.StaleLease;
            int place = _inflight.Find(packetId);
            if (place < 0) return AckOutcome.UnknownId;
            if (_inflight.At(place).State != DeliveryState.Released) return AckOutcome.OutOfPlace;
            Complete(place);
            return AckOutcome.Done;
        }
    }

    /// <summary>A QoS 2 PUBLISH came in: notes its identifier, which makes repetitions known [MQTT-4.3.3-10].</summary>
    /// <param name="lease">The connection's right.</param>
    /// <param name="packetId">The packet identifier.</param>
    /// <param name="isDup">Whether the packet says that it is a repetition.</param>
    /// <param name="limit">Exchanges that may be open.</param>
    /// <param name="completion">What the PUBREC for a repetition waits for.</param>
    public AckOutcome BeginReceive(ConnectionLease lease, ushort packetId, bool isDup, int limit, out Completion? completion)
    {
        completion = null;
        lock (Gate)
        {
            if (!Holds(lease)) return AckOutcome.StaleLease;
            completion = _receivedCompletion;
            if (_receivedIds.Contains(packetId))
            {
                // Who sends again says so [MQTT-3.3.1-1]. One that does not has released the identifier long ago, and the disk has lost that: the message is a
                // new one.
                return !isDup && _restoredIds.Remove(packetId) ? AckOutcome.Done : AckOutcome.Repeated;
            }

            if (_receivedIds.Count >= limit) return AckOutcome.TooMany;
            if (ReferenceEquals(_receivedIds, PacketIdSet.None)) _receivedIds = new PacketIdSet();
            _receivedIds.Add(packetId);
            return AckOutcome.Done;
        }
    }

    /// <summary>The PUBLISH was refused: its identifier, not stored yet, is free again [MQTT-4.3.3-9].</summary>
    public void CancelReceive(ConnectionLease lease, ushort packetId)
    {
        lock (Gate)
        {
            if (Holds(lease)) _receivedIds.Remove(packetId);
        }
    }

    /// <summary>PUBREL: the identifier is free again.</summary>
    /// <param name="lease">The connection's right.</param>
    /// <param name="packetId">The packet identifier.</param>
    /// <param name="completion">What PUBCOMP waits for: were a crash to bring the identifier back, the next message under it would pass for a repetition and be
    /// lost.</param>
    public AckOutcome EndReceive(ConnectionLease lease, ushort packetId, out Completion? completion)
    {
        completion = null;
        lock (Gate)
        {
            if (!Holds(lease)) return AckOutcome.StaleLease;
            if (!_receivedIds.Remove(packetId)) return AckOutcome.UnknownId;
            _restoredIds.Remove(packetId);
            if (_stored is not null) completion = Append(new ReceivedIdRemoved(_stored, packetId));
            return AckOutcome.Done;
        }
    }

    private void Release(ref QueuedMessage open, ushort packetId)
    {
        // The client owns the message now; only its identifier matters from here on [MQTT-4.3.3-6].
        open.Message = null;
        open.State = DeliveryState.Released;
        if (open.Stored is null) return;
        open.State = DeliveryState.Releasing;
        var fact = new DeliveryReleased(open.Stored);
        Journal.Append(fact);
        (_releasing ??= new Queue<(DeliveryReleased, ushort)>()).Enqueue((fact, packetId));
    }

    private JournalFact Append(JournalFact fact)
    {
        Journal.Append(fact);
        return fact;
    }

    private void Complete(int place)
    {
        Forget(_inflight.At(place));
        // What this connection has not seen yet has taken nothing of its quota.
        if (place < _resendPlace) _sendQuota++;
        CloseInflight(place);
        if (_queue.Count > 0 || _retained is not null || _resendPlace < _inflight.Span) _link!.RequestPump();
    }
}
