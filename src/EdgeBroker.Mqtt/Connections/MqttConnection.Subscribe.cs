using System.Buffers;
using EdgeBroker.Core.Ingress;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Protocol;

namespace EdgeBroker.Mqtt.Connections;

// SUBSCRIBE and UNSUBSCRIBE (3.8 to 3.11).
public sealed partial class MqttConnection
{
    private void HandleSubscribe(in Frame frame)
    {
        if (!SubscribePacket.TryParse(frame, _link.Version, out SubscribePacket packet, out ParseError error))
        {
            Fail(error.Reason, error.Explanation);
            return;
        }

        if (!CanAnswer(packet.Count)) return;
        uint identifier = packet.Properties.GetNumber(PropertyId.SubscriptionIdentifier, 0);
        ReasonCode[] outcomes = ArrayPool<ReasonCode>.Shared.Rent(packet.Count);
        Completion? completion = null;
        int i = 0;
        foreach (SubscriptionRequest request in packet)
        {
            SubscriptionOptions options = _isBridge ? new(request.Options.MaximumQoS, true, true, request.Options.RetainHandling) : request.Options;
            SubscribeVerdict verdict = Broker.Ingress.Subscribe(request.Filter, options, identifier, _principal, Transport.NowMs);
            if (verdict.DisconnectedBy is { } limit)
            {
                FailByLimit(limit);
                break;
            }

            completion = Completion.Both(completion, verdict.Completion);
            outcomes[i++] = verdict.Reason;
        }

        if (IsConnected) Answer(PacketType.Suback, packet.PacketId, outcomes.AsSpan(0, i), completion);
        ArrayPool<ReasonCode>.Shared.Return(outcomes);
    }

    private void HandleUnsubscribe(in Frame frame)
    {
        if (!UnsubscribePacket.TryParse(frame, _link.Version, out UnsubscribePacket packet, out ParseError error))
        {
            Fail(error.Reason, error.Explanation);
            return;
        }

        if (!CanAnswer(packet.Count)) return;
        ReasonCode[] outcomes = ArrayPool<ReasonCode>.Shared.Rent(packet.Count);
        Completion? completion = null;
        int i = 0;
        foreach (ReadOnlySpan<byte> filter in packet)
        {
            outcomes[i++] = Broker.Unsubscribe(Lease.Session, Lease, filter, out Completion? stored);
            completion = Completion.Both(completion, stored);
        }

        Answer(PacketType.Unsuback, packet.PacketId, outcomes.AsSpan(0, i), completion);
        ArrayPool<ReasonCode>.Shared.Return(outcomes);
    }

    /// <summary>
    /// Whether the client accepts an answer of one code for each filter [MQTT-3.1.2-24]; false when the connection has been failed because it does not.
    /// </summary>
    private bool CanAnswer(int filters)
    {
        int bodyLength = 3 + filters;
        if ((uint)(1 + VariableByteInteger.Length((uint)bodyLength) + bodyLength) <= _link.MaxPacketBytes) return true;
        Fail(ReasonCode.PacketTooLarge, "more filters than an answer within the client's Maximum Packet Size has codes");
        return false;
    }

    private void Answer(PacketType type, ushort packetId, ReadOnlySpan<ReasonCode> outcomes, Completion? completion)
    {
        if (_acks.MustWait(completion)) Defer(new PendingAck(completion, type, packetId, ReasonCode.Success, outcomes.ToArray()));
        else _link.SendSuback(type, packetId, outcomes);
    }
}
