using EdgeBroker.Bridge.Routes;
using EdgeBroker.Client;
using EdgeBroker.Core;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Management;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Protocol;

namespace EdgeBroker.Bridge.Connections;

/// <summary>
/// A lane's session speaks to the other broker through it: messages are mapped, written to the connection, and, where the other side knows a lower QoS only,
/// acknowledged in its place. Called under the session's lock, on any thread, but for what says otherwise.
/// </summary>
/// <param name="bridge">What outlives connections.</param>
/// <param name="lane">The lane.</param>
/// <param name="channel">What it shares with the other lanes.</param>
/// <param name="before">The lanes that go before it.</param>
/// <param name="clock">The broker's clock.</param>
internal sealed class BridgeLink(BridgeState bridge, BridgeLane lane, BridgeChannel channel, IReadOnlyList<BridgeLink> before, BrokerClock clock)
    : ISessionLink
{
    private readonly BridgeOptions _options = bridge.Options;
    private readonly PacketConnection _remote = channel.Remote;
    private readonly QoS _maximumQoS = Lower(bridge.Options.MaximumQoS, channel.Remote.Granted.MaximumQoS);
    private readonly uint _maximumPacketBytes = Math.Min((uint)bridge.Options.MaximumPacketBytes, channel.Remote.Granted.MaximumPacketSizeBytes);
    private readonly bool _mayRetain = bridge.Options.RetainAvailable && channel.Remote.Granted.RetainAvailable;

    // Messages that went with a lower QoS than the session delivers them with, or not at all, by their identifier: the last two steps are ours to do.
    private readonly HashSet<ushort> _lowered = [];
    private readonly Queue<LocalAck> _localAcks = new();
    private TokenBucket _drainPace;
    private bool _wantsPump;
    private volatile bool _waitsForOthers;
    private volatile bool _isOpen;
    private volatile bool _isDraining;
    private long _messagesSent;
    private long _bytesSent;
    private long _messagesReceived;

    // One message at a time is timed: its identifier, 0 if none is, and when it went.
    private volatile int _timedId;
    private long _timedAt;
    private readonly long _connectedAtMs = clock.NowMs;
    private Lock _lock = new();

    /// <inheritdoc/>
    public bool HasRoom => _isOpen && !_remote.IsFull && !MustLetOthersGo && MayGoNow(clock.NowMs);

    /// <summary>The lane.</summary>
    public BridgeLane Lane => lane;

    /// <summary>The right to act for the lane's session; set once, when it is attached.</summary>
    public ConnectionLease Lease { get; set; }

    /// <summary>Whether what waited is still on its way. A hint.</summary>
    public bool IsDraining => _isDraining;

    // A lane that goes first waits for the pace, or for room.
    private bool MustLetOthersGo
    {
        get
        {
            foreach (BridgeLink one in before)
            {
                if (one._waitsForOthers) return true;
            }

            return false;
        }
    }

    /// <inheritdoc/>
    public void Prepare(Session session) => _lock = session.SyncRoot;

    /// <summary>The subscriptions on the other side are answered: what waits may go. Takes the lock.</summary>
    /// <param name="hasBacklog">Whether something has waited, and goes at the rate for that.</param>
    public void Open(bool hasBacklog)
    {
        lock (_lock.Alone())
        {
            _isOpen = true;
            _isDraining = hasBacklog && lane.Options.DrainRate is not null;
        }
    }

    /// <summary>What waited is gone: from here on the rate is that of live messages. Takes the lock.</summary>
    public void EndDrain()
    {
        lock (_lock.Alone()) _isDraining = false;
    }

    /// <inheritdoc/>
    public void SendConnack(bool sessionPresent)
    {
        // The connection has been let in long ago, by the other side.
    }

    /// <inheritdoc/>
    public SendOutcome Send(in Delivery delivery, in Publication message, RoutingContext context)
    {
        _lock.MustBeHeld();
        if (bridge.Routes.FindOut(message.Topic, message.Payload.Length) is not { Excess: null } routed) return Skip(delivery);
        if (delivery.QoS == QoS.AtMostOnce && !HasRoom) return SendOutcome.NoRoom;
        QoS qos = Lower(Lower(delivery.QoS, routed.Route.MaximumQoS), _maximumQoS);
        ReadOnlySpan<byte> payload = message.Payload;
        ReadOnlySpan<byte> properties = message.Properties;
        if (_options.CaptureTime != CaptureTime.Off)
        {
            DateTimeOffset at = clock.WallTime.AddSeconds(-delivery.WaitedSeconds);
            if (_options.CaptureTime == CaptureTime.Json) payload = CapturedMessage.Wrap(message.Topic, payload, at);
            else properties = CapturedMessage.AppendTime(properties, at);
            if (payload.Length > routed.Route.MaximumPayloadBytes) return Refuse(routed, payload.Length);
        }

        var publish = new OutgoingPublish
        {
            Topic = routed.Topic,
            Payload = payload,
            ForwardedProperties = _remote.Version == ProtocolVersion.V5 && _options.TellsPath ? bridge.Path.Append(properties) : properties,
            ExpirySeconds = message.ExpirySeconds,
            QoS = qos,
            Retain = delivery.Retain && routed.Route.KeepsRetain && _mayRetain,
            // A server that has lost the session has seen nothing before; under an identifier of this connection a message is a new one.
            Dup = delivery.Dup && qos != QoS.AtMostOnce && lane.IsMain && _remote.Granted.SessionPresent,
            PacketId = qos == QoS.AtMostOnce ? (ushort)0 : delivery.PacketId,
        };
        int length = publish.Length(_remote.Version);
        if (length > _maximumPacketBytes) return Refuse(routed, length);
        // Before it is written: its echo may come at once.
        bridge.Echoes?.Sent(routed.Topic, payload, clock.NowMs);
        // So may its acknowledgement, which another thread reads.
        if (qos != QoS.AtMostOnce && _timedId == 0 && !delivery.Dup) Time(delivery.PacketId);
        if (!TryWrite(publish, delivery, routed))
        {
            // What is in flight for ever is found by the watch over stalls, if not before: the message goes again by the next connection.
            _remote.Close();
            return SendOutcome.Sent;
        }

        Account(context, qos, length, message.Payload.Length);
        if (qos < delivery.QoS) AcknowledgeOurselves(delivery, qos);
        return SendOutcome.Sent;
    }

    /// <inheritdoc/>
    public void SendPubrel(ushort packetId)
    {
        _lock.MustBeHeld();
        if (_maximumQoS < QoS.ExactlyOnce || _lowered.Contains(packetId))
        {
            // The other side knows of no such exchange.
            _localAcks.Enqueue(new LocalAck(packetId, PacketType.Pubcomp));
            channel.PumpRequest.Set();
            return;
        }

        // Of the main lane only: the others have no exchange at QoS 2.
        lock (channel.SyncRoot.Leaf())
        {
            new AckPacket { Type = PacketType.Pubrel, PacketId = packetId }.Write(_remote.Output, _remote.Version);
            _remote.Commit();
        }
    }

    /// <inheritdoc/>
    public void RequestPumpWhenDrained()
    {
        bool isNew = !_wantsPump;
        _wantsPump = true;
        if (!_isOpen) return;
        bool isFull = channel.AwaitRoom();
        _waitsForOthers = isFull || !channel.HasPace(clock.NowMs);
        // The pump finds out how long the pace makes it wait.
        if (isNew && !isFull) channel.PumpRequest.Set();
    }

    /// <inheritdoc/>
    public void RequestPump() => channel.PumpRequest.Set();

    /// <summary>The pump comes: if there is room now, nothing is waited for any more. Takes the lock.</summary>
    public void BeginPump()
    {
        lock (_lock.Alone())
        {
            if (!HasRoom) return;
            _wantsPump = false;
            _waitsForOthers = false;
        }
    }

    /// <summary>How long until the rate lets something go that waits for it; null: nothing does. Takes the lock.</summary>
    public TimeSpan? FindPause()
    {
        long nowMs = clock.NowMs;
        lock (_lock.Alone())
        {
            if (!_wantsPump || !_isOpen || MustLetOthersGo) return null;
            if (MayGoNow(nowMs)) return _remote.IsFull ? null : TimeSpan.Zero;
            long dueMs = Math.Max(channel.PaceRoomAtMs, _isDraining ? _drainPace.RoomAtMs(lane.Options.DrainRate!) : 0);
            return TimeSpan.FromMilliseconds(Math.Max(1, dueMs - nowMs));
        }
    }

    /// <summary>Takes an acknowledgement that this side has to give itself; false: there is none. Takes the lock.</summary>
    public bool TryTakeLocalAck(out LocalAck ack)
    {
        lock (_lock.Alone())
        {
            if (!_localAcks.TryDequeue(out ack)) return false;
            if (ack.Type == PacketType.Pubcomp) _lowered.Remove(ack.PacketId);
            return true;
        }
    }

    /// <summary>Whether the session waits for the steps of QoS 2 while the message went with a lower one. Takes the lock.</summary>
    /// <param name="packetId">The packet identifier.</param>
    public bool IsLowered(ushort packetId)
    {
        lock (_lock.Alone()) return _lowered.Contains(packetId);
    }

    /// <summary>
    /// The other side is done with a message that the session has waited for: what it says of others is no sign that anything moves. Takes the lock.
    /// </summary>
    /// <param name="packetId">The packet identifier.</param>
    /// <param name="isRefused">Whether it was refused, and so no step of QoS 2 follows.</param>
    public void NoteAcknowledged(ushort packetId, bool isRefused)
    {
        bridge.Counters.CountAcknowledged(clock.NowMs);
        channel.NoteProgress(isDone: true);
        if (_timedId == packetId)
        {
            bridge.Counters.NoteRoundTrip(clock.MillisecondsSince(Volatile.Read(ref _timedAt)));
            _timedId = 0;
        }

        if (!isRefused) return;
        lock (_lock.Alone()) _lowered.Remove(packetId);
    }

    /// <summary>Counts a message of the other side.</summary>
    public void CountReceived() => Interlocked.Increment(ref _messagesReceived);

    /// <inheritdoc/>
    public LinkKind Kind => new("bridge", _remote.Version);

    /// <inheritdoc/>
    public LinkDescription Describe() => new(
        _remote.Server, "bridge " + _options.Name, "bridge", _remote.Version, (int)_remote.Granted.KeepAlive.TotalSeconds, null, _connectedAtMs,
        new SessionTraffic(Volatile.Read(ref _messagesReceived), Volatile.Read(ref _messagesSent), 0, Volatile.Read(ref _bytesSent), 0));

    /// <inheritdoc/>
    public void Close(ReasonCode reason) => _remote.Close(reason.IsClientDisconnect() ? reason : ReasonCode.Success);

    private static QoS Lower(QoS one, QoS other) => one < other ? one : other;

    private bool MayGoNow(long nowMs) => channel.HasPace(nowMs) && (!_isDraining || _drainPace.HasRoom(lane.Options.DrainRate!, nowMs));

    private bool TryWrite(in OutgoingPublish publish, in Delivery delivery, RoutedTopic routed)
    {
        lock (channel.SyncRoot.Leaf())
        {
            ushort packetId = 0;
            if (publish.QoS != QoS.AtMostOnce && !channel.TryAssign(this, lane.IsMain, delivery.PacketId, out packetId)) return false;
            (publish with { PacketId = packetId }).Write(_remote.Output, _remote.Version);
            _remote.Commit();
            channel.NoteSent(publish.QoS, routed.Topic, clock.NowMs);
            return true;
        }
    }

    private void Time(ushort packetId)
    {
        Volatile.Write(ref _timedAt, clock.Timestamp);
        _timedId = packetId;
    }

    private SendOutcome Refuse(RoutedTopic routed, int bytes)
    {
        bridge.NoteTooLarge(routed.Topic, bytes);
        return SendOutcome.TooLarge;
    }

    private SendOutcome Skip(in Delivery delivery)
    {
        if (delivery.QoS != QoS.AtMostOnce) AcknowledgeOurselves(delivery, QoS.AtMostOnce);
        return SendOutcome.Sent;
    }

    private void AcknowledgeOurselves(in Delivery delivery, QoS sentWith)
    {
        if (delivery.QoS == QoS.ExactlyOnce) _lowered.Add(delivery.PacketId);
        // At QoS 1 the other side's PUBACK stands for the rest; at QoS 0 nothing comes.
        if (sentWith != QoS.AtMostOnce) return;
        _localAcks.Enqueue(new LocalAck(delivery.PacketId, delivery.QoS == QoS.AtLeastOnce ? PacketType.Puback : PacketType.Pubrec));
        channel.PumpRequest.Set();
    }

    private void Account(RoutingContext context, QoS qos, int length, int payloadLength)
    {
        context.Counters.BytesSent += length;
        context.Counters.PublishesSentBy[(int)qos]++;
        context.Counters.PublishBytesSent += payloadLength;
        _messagesSent++;
        _bytesSent += length;
        bridge.Counters.CountSent();
        if (_isDraining) _drainPace.Take(lane.Options.DrainRate!, 1, clock.NowMs);
    }
}

/// <summary>An acknowledgement that the bridge gives its session itself.</summary>
/// <param name="PacketId">The packet identifier.</param>
/// <param name="Type">PUBACK, PUBREC or PUBCOMP.</param>
internal readonly record struct LocalAck(ushort PacketId, PacketType Type);
