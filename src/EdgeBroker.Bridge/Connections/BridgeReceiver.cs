using EdgeBroker.Bridge.Loops;
using EdgeBroker.Client;
using EdgeBroker.Core;
using EdgeBroker.Core.Ingress;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Security;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Protocol;

namespace EdgeBroker.Bridge.Connections;

/// <summary>
/// Takes what comes from the other broker, on the connection's reading task: acknowledgements go to the session, messages through the ingress. Those are
/// acknowledged in their order, when they are safe here.
/// </summary>
internal sealed partial class BridgeReceiver : IPacketHandler
{
    // Acknowledgements stand behind a message that the store does not take, and they may be what makes room in it.
    private static readonly TimeSpan HoldTime = TimeSpan.FromSeconds(5);

    private readonly BridgeState _bridge;
    private readonly BridgeChannel _channel;
    private readonly BridgeLink _link;
    private readonly Broker _broker;
    private readonly ConnectionLease _lease;
    private readonly RoutingContext _context;
    private readonly Principal _principal;
    private readonly InboundAcks _acks;
    private readonly RemoteSubscriptions _subscriptions;
    private readonly MessagePath? _remotePath;
    private TaskCompletionSource? _waiting;
    private TaskCompletionSource? _storeTold;
    private long? _heldSinceMs;
    private bool _isPassingOver;
    private volatile bool _isOver;

    /// <param name="bridge">What outlives connections.</param>
    /// <param name="channel">What the lanes share.</param>
    /// <param name="link">The main lane, in whose name messages are taken.</param>
    /// <param name="subscriptions">The subscriptions on the other side.</param>
    public BridgeReceiver(BridgeState bridge, BridgeChannel channel, BridgeLink link, RemoteSubscriptions subscriptions)
    {
        _bridge = bridge;
        _channel = channel;
        _link = link;
        _broker = bridge.Broker;
        _lease = link.Lease;
        _context = bridge.ReceiveContext;
        _subscriptions = subscriptions;
        _acks = new InboundAcks(bridge.Options.Connection.ReceiveMaximum + bridge.Options.Connection.ReceiveMaximumTolerance, channel.PumpRequest);
        // A broker that tells its name has it put at the end of the path of what comes from there: it does not do so itself for whoever subscribes.
        string? mark = channel.Remote.Granted.UserProperties.FirstOrDefault(one => one.Name == "edgebroker-node").Value;
        _remotePath = mark is null || !bridge.Options.TellsPath ? null : new MessagePath(mark, bridge.Options.MaximumHops);
        _principal = new Principal
        {
            Receiver = _lease.Session,
            Generation = _lease.Generation,
            Identity = AuthenticationResult.Admitted(null, Permissions.All),
            Grants = _broker.Options,
            HearsRefusals = true,
            WaitsForStore = true,
        };
    }

    private ProtocolVersion Version => _channel.Remote.Version;

    /// <inheritdoc/>
    public bool TryReceive(in Frame frame, ReadOnlySpan<byte> packet)
    {
        _broker.Loops.Begin();
        try
        {
            return Take(frame);
        }
        finally
        {
            _broker.Loops.End();
        }
    }

    /// <inheritdoc/>
    public async Task WaitToReceiveAsync(CancellationToken cancellationToken)
    {
        if (_waiting is null) return;
        try
        {
            await _waiting.Task.WaitAsync(HoldTime, _bridge.Environment.Time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // It is looked at again, and may be passed over.
        }
    }

    /// <summary>The connection has ended.</summary>
    public void End() => _isOver = true;

    /// <inheritdoc/>
    public void OnRoom() => _channel.OnRoom();

    /// <summary>Writes the acknowledgements that wait no more; on the pump's task.</summary>
    public void SendReadyAcks()
    {
        while (_acks.TryTake(out InboundAck ack))
        {
            lock (_channel.SyncRoot.Alone())
            {
                if (!_channel.Remote.IsClosing)
                {
                    new AckPacket { Type = ack.Type, PacketId = ack.PacketId, ReasonCode = ack.Reason }.Write(_channel.Remote.Output, Version);
                    _channel.Remote.Commit();
                }
            }
        }
    }

    private bool Take(in Frame frame)
    {
        if (frame.Type == PacketType.Publish) return TryTakePublish(frame);
        if (frame.Type == PacketType.Unsuback) throw MqttException.Violation(ReasonCode.ProtocolError, "UNSUBACK, although nothing was unsubscribed from");
        if (frame.Type == PacketType.Suback)
        {
            if (!SubackPacket.TryParse(frame, Version, out SubackPacket answer, out ParseError wrong)) throw MqttException.Violation(wrong);
            _subscriptions.Answered(answer.PacketId, answer.ReasonCodes);
            return true;
        }

        if (!AckPacket.TryParse(frame, Version, out AckPacket ack, out ParseError error)) throw MqttException.Violation(error);
        if (ack.Type == PacketType.Pubrel) return TryRelease(ack.PacketId);
        TakeAck(ack);
        return true;
    }

    private bool TryRelease(ushort packetId)
    {
        if (_acks.IsFull(out _waiting)) return false;
        AckOutcome outcome = _lease.Session.CompleteExactlyOnce(_lease, packetId, out Completion? completion);
        if (outcome is AckOutcome.Done or AckOutcome.UnknownId) _acks.Add(new InboundAck(completion, PacketType.Pubcomp, packetId, ReasonCode.Success));
        return true;
    }

    private void TakeAck(in AckPacket ack)
    {
        bool isRefused = ack.ReasonCode.IsError() && ack.Type is PacketType.Puback or PacketType.Pubrec;
        if (isRefused) LeaveWhoIsFull(ack.ReasonCode);
        (BridgeLink link, ushort packetId) = _channel.Find(ack.PacketId, _link);
        ConnectionLease lease = link.Lease;
        Session session = lease.Session;
        AckOutcome outcome = ack.Type switch
        {
            // The session waits for the three steps of QoS 2; the message went with QoS 1, and the rest is ours.
            PacketType.Puback when link.IsLowered(packetId) => session.Pubrec(lease, packetId, isRefused),
            PacketType.Puback => session.Puback(lease, packetId, isRefused),
            PacketType.Pubrec => session.Pubrec(lease, packetId, isRefused),
            _ => session.Pubcomp(lease, packetId),
        };
        if (outcome == AckOutcome.OutOfPlace)
        {
            throw MqttException.Violation(ReasonCode.ProtocolError, "a message was acknowledged in the manner of another QoS");
        }

        if (outcome == AckOutcome.Done)
        {
            if (isRefused) _bridge.NoteRefused(ack.ReasonCode);
            if (ack.Type == PacketType.Pubrec && !isRefused) _channel.NoteProgress(isDone: false);
            else link.NoteAcknowledged(packetId, isRefused);
        }

        if (outcome != AckOutcome.UnknownId || ack.Type != PacketType.Pubrec || ack.ReasonCode.IsError()) return;
        // Of an exchange that is over here; without an answer the other side would ask for ever.
        _acks.Add(new InboundAck(null, PacketType.Pubrel, ack.PacketId, ReasonCode.PacketIdentifierNotFound));
    }

    /// <summary>The other side is full or in a hurry: the message stays, and goes again by the next connection.</summary>
    private void LeaveWhoIsFull(ReasonCode reason)
    {
        if (reason is not (ReasonCode.QuotaExceeded or ReasonCode.MessageRateTooHigh or ReasonCode.ServerBusy or ReasonCode.ReceiveMaximumExceeded)) return;
        throw new MqttException(
            $"{_channel.Remote.Server} does not take messages at the moment ({reason}, 0x{(byte)reason:X2}); they are kept and sent again.", reason);
    }
}
