using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Protocol;

namespace EdgeBroker.Mqtt.Connections;

// Acknowledgements: those the client sends (3.4 to 3.7), and ours, which may have to wait for the disk.
public sealed partial class MqttConnection
{
    private AcknowledgementQueue _acks;

    private void HandleAck(in Frame frame)
    {
        if (!AckPacket.TryParse(frame, _link.Version, out AckPacket packet, out ParseError error))
        {
            Fail(error.Reason, error.Explanation);
            return;
        }

        Session session = Lease.Session;
        Completion? completion = null;
        AckOutcome outcome = packet.Type switch
        {
            PacketType.Puback => session.Puback(Lease, packet.PacketId, packet.ReasonCode.IsError()),
            PacketType.Pubrec => session.Pubrec(Lease, packet.PacketId, packet.ReasonCode.IsError()),
            PacketType.Pubcomp => session.Pubcomp(Lease, packet.PacketId),
            _ => session.CompleteExactlyOnce(Lease, packet.PacketId, out completion),
        };
        if (packet.Type == PacketType.Pubrel) _acks.NoteReleased(session.ReceivedIdCount);
        if (outcome == AckOutcome.OutOfPlace)
        {
            Fail(ReasonCode.ProtocolError, "an acknowledgement that does not fit the QoS of its message");
        }
        else if (packet.Type == PacketType.Pubrel && outcome is AckOutcome.Done or AckOutcome.UnknownId)
        {
            Answer(PacketType.Pubcomp, packet.PacketId, outcome, completion);
        }
        else if (packet.Type == PacketType.Pubrec && outcome == AckOutcome.UnknownId && !packet.ReasonCode.IsError())
        {
            Answer(PacketType.Pubrel, packet.PacketId, outcome, completion);
        }
    }

    /// <summary>PUBCOMP, or the PUBREL for an identifier we do not know, which lets the client come to an end with it.</summary>
    private void Answer(PacketType type, ushort packetId, AckOutcome outcome, Completion? completion)
    {
        // A PUBREL that comes again is of an exchange that is over: to call that an error would have the client report a message as failed that was delivered.
        bool isOver = type == PacketType.Pubcomp || outcome != AckOutcome.UnknownId;
        ReasonCode reason = isOver ? ReasonCode.Success : ReasonCode.PacketIdentifierNotFound;
        if (completion is null or { IsDone: true }) _link.SendAck(new AckPacket { Type = type, PacketId = packetId, ReasonCode = reason });
        else Defer(new PendingAck(completion, type, packetId, reason));
    }

    /// <summary>Acknowledges a publish, now or, in packet order, when it and what came before it is on disk.</summary>
    private void Acknowledge(QoS qos, ushort packetId, ReasonCode reason, Completion? completion, string? explanation = null)
    {
        PacketType type = qos == QoS.AtLeastOnce ? PacketType.Puback : PacketType.Pubrec;
        if (_acks.MustWait(completion)) Defer(new PendingAck(completion, type, packetId, reason) { Explanation = explanation });
        else _link.SendAck(new AckPacket { Type = type, PacketId = packetId, ReasonCode = reason }, explanation);
    }

    private void Defer(in PendingAck ack)
    {
        if (_acks.Add(ack)) AwaitFirst(ack);
        if (_acks.IsFull) Hold(HoldReasons.Acks);
    }

    private void AwaitFirst(in PendingAck first) => first.Completion!.WhenDone(() => Transport.Post(SendReadyAcks));

    private void SendReadyAcks()
    {
        if (!IsConnected) return;
        while (_acks.TryTake(out PendingAck ack))
        {
            if (ack.FilterReasons is { } reasons) _link.SendSuback(ack.Type, ack.PacketId, reasons);
            else _link.SendAck(new AckPacket { Type = ack.Type, PacketId = ack.PacketId, ReasonCode = ack.Reason }, ack.Explanation);
        }

        if (_acks.TryPeek(out PendingAck first)) AwaitFirst(first);
        if (!_acks.IsFull) Release(HoldReasons.Acks);
    }
}
