using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Messages;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Sessions;

/// <summary>
/// The QoS 1 and 2 messages on their way to the client: those in flight, what its Receive Maximum leaves, what a new connection has to be sent again, and the
/// order that numbers all messages of the session. A field of the session, guarded by its lock; a copy is of no use.
/// </summary>
internal struct SendWindow
{
    // Idle sessions are many: this stands for nothing until a message is sent.
    private InflightWindow _inflight = InflightWindow.None;

    // PUBRELs that wait until their PUBREC is on disk, in order.
    private Queue<DeliveryReleased>? _releasing;

    private long _lastPosition;
    private long _sentPosition;

    // What the client's Receive Maximum leaves; below 0 when more exchanges are only to be released than it allows.
    private int _quota;

    // Of the messages in flight, and beyond which the next ones wait in the queue, which a store keeps on disk.
    private int _inflightBytes;
    private int _mostBytes;

    // The first open slot that this connection has not seen yet.
    private int _resendIndex;

    public SendWindow()
    {
    }

    /// <summary>Messages in flight.</summary>
    public readonly int Count => _inflight.Count;

    /// <summary>The last position given out.</summary>
    public readonly long LastPosition => _lastPosition;

    /// <summary>The last position that was ever sent.</summary>
    public readonly long SentPosition => _sentPosition;

    /// <summary>Whether the client takes another message; a hint when it is read without the lock.</summary>
    public readonly bool HasQuota => _quota > 0 && HasBytes;

    /// <summary>Whether something is in flight that this connection has not seen yet. It goes out again before anything new.</summary>
    public readonly bool HasResends => _resendIndex < _inflight.Span;

    /// <summary>Whether PUBRELs wait until their PUBREC is on disk.</summary>
    public readonly bool HasReleases => _releasing is not null;

    /// <summary>Whether the message that comes next in the order may be sent at once.</summary>
    public readonly bool HasRoom => !HasResends && HasRoomFor(_lastPosition + 1);

    /// <summary>Whether a message behind all those in flight may be sent.</summary>
    public readonly bool HasRoomFor(long position) => _quota > 0 && _inflight.HasRoomFor(position) && HasBytes;

    // However large, one message may be on its way.
    private readonly bool HasBytes => _inflightBytes < _mostBytes || _inflight.Count == 0;

    /// <summary>Bytes of the messages in it that are in memory.</summary>
    public readonly long CountHeldBytes() => _inflight.CountHeldBytes();

    /// <summary>Gives out the next position.</summary>
    public long NextPosition() => ++_lastPosition;

    /// <summary>A new connection: what is in flight has to be sent again.</summary>
    /// <param name="receiveMaximum">Messages the client takes unacknowledged.</param>
    /// <param name="mostBytes">Bytes of these.</param>
    public void Attach(int receiveMaximum, int mostBytes)
    {
        _quota = receiveMaximum;
        _mostBytes = mostBytes;
        _resendIndex = 0;
    }

    /// <summary>Takes up where an earlier life of the process ended.</summary>
    public void Restore(RestoredSession restored)
    {
        Restore(restored.LastPosition, restored.SentPosition);
        foreach (StoredDelivery released in restored.Released)
        {
            Restore(new QueuedMessage { Stored = released, Position = released.Position, QoS = QoS.ExactlyOnce, State = DeliveryState.Released });
        }
    }

    /// <summary>Goes on with the order of an earlier life, or of another node.</summary>
    public void Restore(long lastPosition, long sentPosition) => (_lastPosition, _sentPosition) = (lastPosition, sentPosition);

    /// <summary>Takes up a message that is only to be released.</summary>
    public void Restore(in QueuedMessage released) => Add(released);

    /// <summary>Begins to send a message for which there is room; returns its packet identifier.</summary>
    public ushort Begin(in QueuedMessage message)
    {
        int slot = Add(message with { State = DeliveryState.Published });
        _quota--;
        _sentPosition = Math.Max(_sentPosition, message.Position);
        _resendIndex = _inflight.Span;
        return _inflight.IdAt(slot);
    }

    /// <summary>A message goes out that needs no acknowledgement, and so no identifier and no room.</summary>
    public void PassOver(long position) => _sentPosition = Math.Max(_sentPosition, position);

    /// <summary>The next message to be sent again on this connection: PUBLISH with DUP, or PUBREL where that is owed [MQTT-4.4.0-1].</summary>
    /// <returns>False when there is none, or the client's Receive Maximum has no room for it yet.</returns>
    public bool TryNextResend(out ushort packetId, out QueuedMessage message)
    {
        (packetId, message) = (0, default);
        if (!HasResends) return false;
        ref QueuedMessage next = ref _inflight.At(_resendIndex);
        // One that is only to be released needs no room, but its PUBLISH is not answered yet and counts [MQTT-3.3.4-9].
        if (next.State == DeliveryState.Published && _quota <= 0) return false;
        _quota--;
        (packetId, message) = (_inflight.IdAt(_resendIndex), next);
        _resendIndex++;
        SkipFreeSlots();
        return true;
    }

    /// <summary>PUBACK: a QoS 1 message is done with.</summary>
    public AckOutcome Acknowledge(ushort packetId, out QueuedMessage done)
    {
        AckOutcome outcome = Find(packetId, QoS.AtLeastOnce, out int slot);
        done = outcome == AckOutcome.Done ? Close(slot) : default;
        return outcome;
    }

    /// <summary>PUBREC with success: from here on only the identifier matters, the client owns the message [MQTT-4.3.3-6].</summary>
    /// <param name="packetId">The packet identifier.</param>
    /// <param name="ledger">Where the message's memory is accounted.</param>
    /// <param name="delivered">The message, which the client has by this; nothing: it had it before, or the message is not known any more.</param>
    /// <param name="fact">What has to be on disk before PUBREL is sent; null: nothing.</param>
    /// <param name="isReleased">Whether PUBREL is to be sent now.</param>
    public AckOutcome Release(ushort packetId, MemoryLedger ledger, out QueuedMessage delivered, out DeliveryReleased? fact, out bool isReleased)
    {
        delivered = default;
        fact = null;
        isReleased = false;
        AckOutcome outcome = Find(packetId, QoS.ExactlyOnce, out int slot);
        if (outcome != AckOutcome.Done) return outcome;
        ref QueuedMessage open = ref _inflight.At(slot);
        if (open.State == DeliveryState.Published)
        {
            delivered = open;
            open.Message?.Release(ledger);
            open.Message = null;
            open.State = DeliveryState.Released;
            if (open.Stored is { } stored)
            {
                // PUBREL says that the message will not come again: a later life of the process must know it, too.
                open.State = DeliveryState.Releasing;
                fact = new DeliveryReleased(stored);
                (_releasing ??= new Queue<DeliveryReleased>()).Enqueue(fact);
            }
        }

        isReleased = open.State == DeliveryState.Released;
        return AckOutcome.Done;
    }

    /// <summary>PUBREC that refuses: a QoS 2 message is done with.</summary>
    public AckOutcome Refuse(ushort packetId, out QueuedMessage done)
    {
        AckOutcome outcome = Find(packetId, QoS.ExactlyOnce, out int slot);
        done = outcome == AckOutcome.Done ? Close(slot) : default;
        return outcome;
    }

    /// <summary>Takes out the oldest message, if its position is not beyond this one: another node has all up to there.</summary>
    public bool TryCloseThrough(long position, out QueuedMessage done)
    {
        bool isThere = _inflight.Count > 0 && _inflight.At(0).Position <= position;
        done = isThere ? Close(0) : default;
        return isThere;
    }

    /// <summary>PUBCOMP: a QoS 2 message is done with.</summary>
    public AckOutcome Complete(ushort packetId, out QueuedMessage done)
    {
        done = default;
        int slot = _inflight.Find(packetId);
        if (slot < 0) return AckOutcome.UnknownId;
        if (_inflight.At(slot).State != DeliveryState.Released) return AckOutcome.OutOfPlace;
        done = Close(slot);
        return AckOutcome.Done;
    }

    /// <summary>A message just begun, or taken to be sent again, cannot be sent to this client: it is dropped as if it had been sent [MQTT-3.1.2-25].</summary>
    public QueuedMessage Drop(ushort packetId) => Close(_inflight.Find(packetId));

    /// <summary>The next PUBREL whose PUBREC is on disk by now, for this connection to send.</summary>
    public bool TryTakeReleased(out ushort packetId)
    {
        while (_releasing is not null && _releasing.TryPeek(out DeliveryReleased? fact) && fact.IsDone)
        {
            _releasing.Dequeue();
            if (_releasing.Count == 0) _releasing = null;
            packetId = InflightWindow.IdOf(fact.Delivery.Position);
            int slot = _inflight.Find(packetId);
            if (slot < 0 || _inflight.At(slot).State != DeliveryState.Releasing) continue;
            _inflight.At(slot).State = DeliveryState.Released;
            // What this connection has not seen yet goes out when its turn comes.
            if (slot < _resendIndex) return true;
        }

        packetId = 0;
        return false;
    }

    /// <summary>What is in flight, oldest first; it stays.</summary>
    /// <param name="atMost">How many.</param>
    public readonly List<QueuedMessage> ToList(int atMost = int.MaxValue)
    {
        if (_inflight.Count == 0) return [];
        var open = new List<QueuedMessage>(Math.Min(_inflight.Count, atMost));
        for (int slot = 0; slot < _inflight.Span && open.Count < atMost; slot++)
        {
            if (_inflight.At(slot).State != DeliveryState.None) open.Add(_inflight.At(slot));
        }

        return open;
    }

    /// <summary>Whether a message with this position is in flight.</summary>
    public readonly bool Contains(long position) => _inflight.Contains(position);

    /// <summary>Whether a packet identifier is that of an open message.</summary>
    public readonly bool IsInUse(ushort packetId) => _inflight.Find(packetId) >= 0;

    /// <summary>Whether this message is in flight.</summary>
    public readonly bool Holds(Message message) => _inflight.Holds(message);

    /// <summary>Accounts what the window itself takes; nothing once it is over.</summary>
    public readonly void Account(MemoryLedger ledger, bool isOver, bool isStored) => _inflight.Account(ledger, isOver, isStored);

    /// <summary>Puts together anew what an exception may have left half changed. The next connection is sent all of it again.</summary>
    public void Rebuild()
    {
        if (!ReferenceEquals(_inflight, InflightWindow.None)) _inflight = _inflight.Rebuild();
        _inflightBytes = ToList().Sum(message => message.SizeBytes);
        _resendIndex = 0;
    }

    private int Add(in QueuedMessage message)
    {
        if (ReferenceEquals(_inflight, InflightWindow.None)) _inflight = new InflightWindow();
        _inflightBytes += message.SizeBytes;
        return _inflight.Add(message);
    }

    private readonly AckOutcome Find(ushort packetId, QoS qos, out int slot)
    {
        slot = _inflight.Find(packetId);
        if (slot < 0) return AckOutcome.UnknownId;
        return _inflight.At(slot).QoS == qos ? AckOutcome.Done : AckOutcome.OutOfPlace;
    }

    private QueuedMessage Close(int slot)
    {
        QueuedMessage done = _inflight.At(slot);
        // What this connection has not seen yet has taken nothing of its quota.
        if (slot < _resendIndex) _quota++;
        _inflightBytes -= done.SizeBytes;
        int before = _inflight.Span;
        _inflight.Remove(slot);
        _resendIndex = Math.Max(0, _resendIndex - (before - _inflight.Span));
        SkipFreeSlots();
        return done;
    }

    private void SkipFreeSlots()
    {
        while (_resendIndex < _inflight.Span && _inflight.At(_resendIndex).State == DeliveryState.None) _resendIndex++;
    }
}
