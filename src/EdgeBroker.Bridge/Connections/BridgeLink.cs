using System.Text;
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
/// The bridge's session speaks to the other broker through it: messages are mapped, written to the connection, and, where the other side knows a lower QoS
/// only, acknowledged in its place. Called under the session's lock, on any thread, but for what says otherwise.
/// </summary>
/// <param name="bridge">What outlives connections.</param>
/// <param name="remote">The connection.</param>
/// <param name="clock">The broker's clock.</param>
internal sealed class BridgeLink(BridgeState bridge, PacketConnection remote, BrokerClock clock) : ISessionLink
{
    private readonly BridgeOptions _options = bridge.Options;
    private readonly Signal _pump = new();
    private readonly QoS _maximumQoS = Lower(bridge.Options.MaximumQoS, remote.Granted.MaximumQoS);
    private readonly bool _mayRetain = bridge.Options.RetainAvailable && remote.Granted.RetainAvailable;

    // Messages that went with a lower QoS than the session delivers them with, or not at all, by their identifier: the last two steps are ours to do.
    private readonly HashSet<ushort> _lowered = [];
    private readonly Queue<LocalAck> _localAcks = new();
    private TokenBucket _pace;
    private TokenBucket _drainPace;
    private bool _wantsPump;
    private bool _isOpen;
    private bool _isDraining;
    private int _open;
    private bool _hasProgress;
    private byte[]? _firstTopic;
    private long _progressAtMs;
    private long _messagesSent;
    private long _bytesSent;
    private long _messagesReceived;
    private readonly long _connectedAtMs = clock.NowMs;
    private Lock _lock = new();

    /// <inheritdoc/>
    public bool HasRoom => _isOpen && !remote.IsFull && MayGoNow(clock.NowMs);

    /// <summary>Asked for when there is something for the pump to do.</summary>
    public Signal PumpRequest => _pump;

    /// <summary>The connection.</summary>
    public PacketConnection Remote => remote;

    /// <summary>Messages sent whose acknowledgement is awaited, and since when nothing has moved. Takes the lock.</summary>
    public (int Open, long ProgressAtMs) Progress
    {
        get
        {
            lock (_lock.Alone()) return (_open, _progressAtMs);
        }
    }

    /// <inheritdoc/>
    public void Prepare(Session session)
    {
        _lock = session.SyncRoot;
        remote.UseLock(session.SyncRoot);
    }

    /// <summary>The subscriptions on the other side are answered: what waits may go. Takes the lock.</summary>
    /// <param name="hasBacklog">Whether something has waited, and goes at the rate for that.</param>
    public void Open(bool hasBacklog)
    {
        lock (_lock.Alone())
        {
            _isOpen = true;
            _isDraining = hasBacklog && _options.DrainRate is not null;
            _progressAtMs = clock.NowMs;
        }

        _pump.Set();
    }

    /// <summary>What waited is gone: from here on the rate is that of live messages. Takes the lock.</summary>
    public void EndDrain()
    {
        lock (_lock.Alone()) _isDraining = false;
    }

    /// <summary>Whether what waited is still on its way. A hint.</summary>
    public bool IsDraining => Volatile.Read(ref _isDraining);

    /// <inheritdoc/>
    public void SendConnack(bool sessionPresent) => _progressAtMs = clock.NowMs;

    /// <inheritdoc/>
    public SendOutcome Send(in Delivery delivery, in Publication message, RoutingContext context)
    {
        _lock.MustBeHeld();
        if (bridge.Routes.FindOut(message.Topic, message.Payload.Length) is not { Excess: null } routed) return Skip(delivery);
        if (delivery.QoS == QoS.AtMostOnce && !HasRoom) return SendOutcome.NoRoom;
        QoS qos = Lower(Lower(delivery.QoS, routed.Route.MaximumQoS), _maximumQoS);
        bool isV5 = remote.Version == ProtocolVersion.V5;
        var publish = new OutgoingPublish
        {
            Topic = routed.Topic,
            Payload = message.Payload,
            ForwardedProperties = isV5 && _options.TellsPath ? bridge.Path.Append(message.Properties) : message.Properties,
            ExpirySeconds = message.ExpirySeconds,
            QoS = qos,
            Retain = delivery.Retain && routed.Route.KeepsRetain && _mayRetain,
            // A server that has lost the session has seen nothing before.
            Dup = delivery.Dup && qos != QoS.AtMostOnce && remote.Granted.SessionPresent,
            PacketId = qos == QoS.AtMostOnce ? (ushort)0 : delivery.PacketId,
        };
        int length = publish.Length(remote.Version);
        if ((uint)length > remote.Granted.MaximumPacketSizeBytes)
        {
            bridge.NoteTooLarge(routed.Topic, length);
            return SendOutcome.TooLarge;
        }

        publish.Write(remote.Output, remote.Version);
        remote.Commit();
        Account(context, length, message.Payload.Length);
        if (qos < delivery.QoS) AcknowledgeOurselves(delivery, qos);
        if (qos != QoS.AtMostOnce && _open++ == 0) _progressAtMs = clock.NowMs;
        if (qos != QoS.AtMostOnce && !_hasProgress) _firstTopic ??= routed.Topic;
        bridge.Echoes?.Sent(routed.Topic, message.Payload, clock.NowMs);
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
            _pump.Set();
            return;
        }

        new AckPacket { Type = PacketType.Pubrel, PacketId = packetId }.Write(remote.Output, remote.Version);
        remote.Commit();
    }

    /// <inheritdoc/>
    public void RequestPumpWhenDrained() => _wantsPump = true;

    /// <inheritdoc/>
    public void RequestPump() => _pump.Set();

    /// <summary>The connection has room again.</summary>
    public void OnRoom()
    {
        if (!_wantsPump || !_isOpen || !MayGoNow(clock.NowMs)) return;
        _wantsPump = false;
        _pump.Set();
    }

    /// <summary>How long until the rate lets something go that waits for it; null: nothing does. Takes the lock.</summary>
    public TimeSpan? FindPause()
    {
        long nowMs = clock.NowMs;
        lock (_lock.Alone())
        {
            if (!_wantsPump || !_isOpen) return null;
            if (MayGoNow(nowMs)) return remote.IsFull ? null : TimeSpan.Zero;
            long dueMs = Math.Max(_options.PublishRate is { } rate ? _pace.RoomAtMs(rate) : 0, _isDraining ? _drainPace.RoomAtMs(_options.DrainRate!) : 0);
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
        long nowMs = clock.NowMs;
        bridge.Counters.CountAcknowledged(nowMs);
        lock (_lock.Alone())
        {
            if (_open > 0) _open--;
            _progressAtMs = nowMs;
            _hasProgress = true;
            if (isRefused) _lowered.Remove(packetId);
        }
    }

    /// <summary>The other side moves on, though nothing is done with yet. Takes the lock.</summary>
    public void NoteProgress()
    {
        lock (_lock.Alone())
        {
            _progressAtMs = clock.NowMs;
            _hasProgress = true;
        }
    }

    /// <summary>
    /// What a connection's end looks like from here: a cloud that does not allow a topic closes the connection over it, and says nothing. Takes the lock.
    /// </summary>
    public MqttException Explain(MqttException failure)
    {
        lock (_lock.Alone())
        {
            if (_firstTopic is null || _hasProgress || failure.Layer != FailureLayer.Network) return failure;
            string text = $"{failure.Message} It had acknowledged nothing of what was sent, the first to {Encoding.UTF8.GetString(_firstTopic)}; "
                + "if that goes on, check that the other side allows this topic to this client.";
            return new MqttException(text, failure.Reason, failure);
        }
    }

    /// <summary>Counts a message of the other side.</summary>
    public void CountReceived() => Interlocked.Increment(ref _messagesReceived);

    /// <inheritdoc/>
    public LinkDescription Describe() => new(
        remote.Server, "bridge " + _options.Name, "bridge", remote.Version, (int)remote.Granted.KeepAlive.TotalSeconds, null, _connectedAtMs,
        new SessionTraffic(Volatile.Read(ref _messagesReceived), Volatile.Read(ref _messagesSent), 0, Volatile.Read(ref _bytesSent), 0));

    /// <inheritdoc/>
    public void Close(ReasonCode reason) => remote.Close(reason.IsClientDisconnect() ? reason : ReasonCode.Success);

    private static QoS Lower(QoS one, QoS other) => one < other ? one : other;

    private bool MayGoNow(long nowMs) =>
        (_options.PublishRate is not { } rate || _pace.HasRoom(rate, nowMs)) && (!_isDraining || _drainPace.HasRoom(_options.DrainRate!, nowMs));

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
        _pump.Set();
    }

    private void Account(RoutingContext context, int length, int payloadLength)
    {
        context.Counters.PacketsSent++;
        context.Counters.BytesSent += length;
        context.Counters.PublishesSent++;
        context.Counters.PublishBytesSent += payloadLength;
        _messagesSent++;
        _bytesSent += length;
        bridge.Counters.CountSent();
        long nowMs = clock.NowMs;
        if (_options.PublishRate is { } rate) _pace.Take(rate, 1, nowMs);
        if (_isDraining) _drainPace.Take(_options.DrainRate!, 1, nowMs);
    }
}

/// <summary>An acknowledgement that the bridge gives its session itself.</summary>
/// <param name="PacketId">The packet identifier.</param>
/// <param name="Type">PUBACK, PUBREC or PUBCOMP.</param>
internal readonly record struct LocalAck(ushort PacketId, PacketType Type);
