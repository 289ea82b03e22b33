namespace EdgeBroker.Client;

/// <summary>
/// The QoS 1 and 2 messages to the server: waiting, in flight within the window, or to be sent again after a reconnect. Guarded by the session's lock.
/// </summary>
internal sealed class OutgoingDeliveries(PacketIds ids)
{
    private readonly Dictionary<ushort, OutgoingDelivery> _inflight = [];
    private readonly Queue<OutgoingDelivery> _resend = new();

    // Whose PUBREC came on this connection, in that order, in which PUBREL goes [MQTT-4.6.0-4].
    private readonly Queue<OutgoingDelivery> _releases = new();
    private Queue<OutgoingDelivery> _waiting = new();
    private long _lastSequence;

    // Sent on this connection and not yet acknowledged to the end: what Receive Maximum bounds (4.9).
    private int _open;

    public int Count => _inflight.Count + _waiting.Count;

    public void Add(OutgoingDelivery delivery)
    {
        delivery.Sequence = ++_lastSequence;
        _waiting.Enqueue(delivery);
    }

    public OutgoingDelivery? Find(ushort packetId) => _inflight.GetValueOrDefault(packetId);

    /// <summary>PUBREC has come for a message: PUBREL is next.</summary>
    public void Release(OutgoingDelivery delivery)
    {
        delivery.Release();
        _releases.Enqueue(delivery);
    }

    /// <summary>The next message that the window and the file let out, or null. A released one stands for its PUBREL.</summary>
    public OutgoingDelivery? Next(int window)
    {
        while (_releases.TryPeek(out OutgoingDelivery? released) && released.MayGo)
        {
            _releases.Dequeue();
            if (Find(released.PacketId) == released) return released;
        }

        if (_resend.TryPeek(out OutgoingDelivery? again))
        {
            if (!again.MayGo || (!again.IsReleased && _open >= window)) return null;
            _open++;
            return _resend.Dequeue();
        }

        while (_waiting.TryPeek(out OutgoingDelivery? next))
        {
            if (!next.IsWithdrawn && !HasRoomFor(next, window)) return null;
            _waiting.Dequeue();
            if (next.IsWithdrawn) continue;
            if (!next.IsStored) next.PacketId = ids.Rent();
            _inflight.Add(next.PacketId, next);
            _open++;
            return next;
        }

        return null;
    }

    /// <summary>Takes out a message that has had its last acknowledgement, or can never be sent.</summary>
    public void Remove(OutgoingDelivery delivery)
    {
        if (!_inflight.Remove(delivery.PacketId)) return;
        ids.Return(delivery.PacketId);
        if (_open > 0) _open--;
    }

    /// <summary>A new connection: everything in flight goes out again, as what it was when the server still has the session, else as new messages.</summary>
    public void Resume(bool sessionPresent)
    {
        OutgoingDelivery[] inOrder = [.. _inflight.Values.OrderBy(d => d.Sequence)];
        _open = 0;
        _resend.Clear();
        _releases.Clear();
        if (sessionPresent)
        {
            foreach (OutgoingDelivery delivery in inOrder) _resend.Enqueue(delivery);
            return;
        }

        Queue<OutgoingDelivery> waiting = new(inOrder.Length + _waiting.Count);
        foreach (OutgoingDelivery delivery in inOrder)
        {
            Remove(delivery);
            if (!delivery.IsStored) delivery.PacketId = 0;
        }

        foreach (OutgoingDelivery delivery in inOrder.Concat(_waiting))
        {
            delivery.WasSent = false;
            // After PUBREC the message is the server's; publishing it again would make two.
            if (delivery.IsReleased) delivery.Complete(Protocol.ReasonCode.Success);
            else waiting.Enqueue(delivery);
        }

        _waiting = waiting;
    }

    // One that a file keeps has its identifier for good: it may wait for another one that has it, too.
    private bool HasRoomFor(OutgoingDelivery next, int window) =>
        next.MayGo && (next.IsReleased || _open < window) && (next.IsStored ? !_inflight.ContainsKey(next.PacketId) : ids.HasRoom);

    /// <summary>Ends the wait of every caller; the messages stay for a later connection.</summary>
    public void FailAll(MqttException failure)
    {
        foreach (OutgoingDelivery delivery in _inflight.Values) delivery.Fail(failure);
        foreach (OutgoingDelivery delivery in _waiting) delivery.Fail(failure);
    }
}
