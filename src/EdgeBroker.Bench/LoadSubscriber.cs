using System.Buffers.Binary;
using EdgeBroker.Protocol;

namespace EdgeBroker.Bench;

/// <summary>A client that subscribes, hands each message to the run's book, and acknowledges.</summary>
/// <param name="run">The run.</param>
/// <param name="number">Its number.</param>
/// <param name="subscriptions">The payloads of its SUBSCRIBE packets.</param>
internal sealed class LoadSubscriber(LoadRun run, int number, IReadOnlyList<byte[]> subscriptions) : LoadConnection(run, $"{run.ClientPrefix}-s{number}")
{
    protected override IReadOnlyList<byte[]> Subscriptions => subscriptions;

    // The codec's PublishPacket proves topics and properties; here the broker's speed is measured, so no more is read than is counted.
    protected override void OnPublish(in Frame frame)
    {
        ReadOnlySpan<byte> body = frame.Body;
        var qos = (QoS)((frame.Header >> 1) & 3);
        int at = body.Length < 2 ? int.MaxValue : 2 + BinaryPrimitives.ReadUInt16BigEndian(body);
        ushort packetId = 0;
        if (qos != QoS.AtMostOnce && at <= body.Length - 2)
        {
            packetId = BinaryPrimitives.ReadUInt16BigEndian(body[at..]);
            at += 2;
        }

        if (Run.Options.Version == ProtocolVersion.V5 && at < body.Length)
        {
            int lengthBytes = VariableByteInteger.Read(body[at..], out uint propertyBytes);
            at = lengthBytes > 0 ? at + lengthBytes + (int)propertyBytes : int.MaxValue;
        }

        if (at > body.Length || qos > QoS.ExactlyOnce || (qos == QoS.AtMostOnce) != (packetId == 0))
        {
            Break("A subscriber received a malformed PUBLISH.");
            return;
        }

        Run.Deliver(number, body[at..]);
        if (qos != QoS.AtMostOnce)
        {
            new AckPacket { Type = qos == QoS.AtLeastOnce ? PacketType.Puback : PacketType.Pubrec, PacketId = packetId }.Write(Output, Run.Options.Version);
        }
    }

    protected override void OnAcknowledgement(in AckPacket packet)
    {
        if (packet.Type == PacketType.Pubrel) new AckPacket { Type = PacketType.Pubcomp, PacketId = packet.PacketId }.Write(Output, Run.Options.Version);
        else Break($"A subscriber received a {packet.Type}.");
    }
}
