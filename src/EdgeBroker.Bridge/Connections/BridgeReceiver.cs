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
    private readonly BridgeState _bridge;
    private readonly BridgeLink _link;
    private readonly Broker _broker;
    private readonly ConnectionLease _lease;
    private readonly RoutingContext _context;
    private readonly Principal _principal;
    private readonly InboundAcks _acks;
    private readonly RemoteSubscriptions _subscriptions;
    private readonly MessagePath? _remotePath;
    private TaskCompletionSource? _waiting;

    /// <param name="bridge">What outlives connections.</param>
    /// <param name="link">The session's side of the connection.</param>
    /// <param name="lease">The right to act for the session.</param>
    /// <param name="subscriptions">The subscriptions on the other side.</param>
    public BridgeReceiver(BridgeState bridge, BridgeLink link, ConnectionLease lease, RemoteSubscriptions subscriptions)
    {
        _bridge = bridge;
        _link = link;
        _broker = bridge.Broker;
        _lease = lease;
        _context = bridge.ReceiveContext;
        _subscriptions = subscriptions;
        _acks = new InboundAcks(bridge.Options.Connection.ReceiveMaximum + bridge.Options.Connection.ReceiveMaximumTolerance, link.PumpRequest);
        // A broker that tells its name has it put at the end of the path of what comes from there: it does not do so itself for whoever subscribes.
        string? mark = link.Remote.Granted.UserProperties.FirstOrDefault(one => one.Name == "edgebroker-node").Value;
        _remotePath = mark is null || !bridge.Options.TellsPath ? null : new MessagePath(mark, bridge.Options.MaximumHops);
        _principal = new Principal
        {
            Receiver = lease.Session,
            Generation = lease.Generation,
            Identity = AuthenticationResult.Admitted(null, Permissions.All),
            Grants = _broker.Options,
            HearsRefusals = true,
            WaitsForStore = true,
        };
    }

    private ProtocolVersion Version => _link.Remote.Version;

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
    public Task WaitToReceiveAsync(CancellationToken cancellationToken) => (_waiting?.Task ?? Task.CompletedTask).WaitAsync(cancellationToken);

    /// <inheritdoc/>
    public void OnRoom() => _link.OnRoom();

    /// <summary>Writes the acknowledgements that wait no more; on the pump's task.</summary>
    public void SendReadyAcks()
    {
        while (_acks.TryTake(out InboundAck ack))
        {
            lock (_lease.Session.SyncRoot.Alone())
            {
                if (!_link.Remote.IsClosing)
                {
                    new AckPacket { Type = ack.Type, PacketId = ack.PacketId, ReasonCode = ack.Reason }.Write(_link.Remote.Output, Version);
                    _link.Remote.Commit();
                }
            }
        }
    }

    private bool Take(in Frame frame)
    {
        if (frame.Type == PacketType.Publish) return TryTakePublish(frame);
        if (frame.Type is PacketType.Suback or PacketType.Unsuback)
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
        if (ack.ReasonCode.IsError() && ack.Type is PacketType.Puback or PacketType.Pubrec) NoteRefused(ack);
        QoS? delivered = ack.Type == PacketType.Pubrec && !ack.ReasonCode.IsError() ? null : _link.NoteAcknowledged(ack.PacketId);
        if (ack.Type == PacketType.Pubrec) _link.NoteProgress();
        Session session = _lease.Session;
        AckOutcome outcome = ack.Type switch
        {
            // The session waits for the three steps of QoS 2; the message went with QoS 1, and the rest is ours.
            PacketType.Puback when delivered == QoS.ExactlyOnce => session.Pubrec(_lease, ack.PacketId, ack.ReasonCode.IsError()),
            PacketType.Puback => session.Puback(_lease, ack.PacketId, ack.ReasonCode.IsError()),
            PacketType.Pubrec => session.Pubrec(_lease, ack.PacketId, ack.ReasonCode.IsError()),
            _ => session.Pubcomp(_lease, ack.PacketId),
        };
        if (outcome == AckOutcome.OutOfPlace)
        {
            throw MqttException.Violation(ReasonCode.ProtocolError, "a message was acknowledged in the manner of another QoS");
        }

        if (outcome != AckOutcome.UnknownId || ack.Type != PacketType.Pubrec || ack.ReasonCode.IsError()) return;
        // Of an exchange that is over here; without an answer the other side would ask for ever.
        _acks.Add(new InboundAck(null, PacketType.Pubrel, ack.PacketId, ReasonCode.PacketIdentifierNotFound));
    }

    private void NoteRefused(in AckPacket ack)
    {
        // The other side is full or in a hurry: the message stays, and goes again by the next connection.
        if (ack.ReasonCode is ReasonCode.QuotaExceeded or ReasonCode.MessageRateTooHigh or ReasonCode.ServerBusy or ReasonCode.ReceiveMaximumExceeded)
        {
            throw new MqttException(
                $"{_link.Remote.Server} does not take messages at the moment ({ack.ReasonCode}, 0x{(byte)ack.ReasonCode:X2}); they are kept and sent again.",
                ack.ReasonCode);
        }

        _bridge.NoteRefused(ack.ReasonCode);
    }
}
