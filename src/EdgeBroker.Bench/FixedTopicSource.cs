using System.Buffers.Binary;
using EdgeBroker.Protocol;

namespace EdgeBroker.Bench;

/// <summary>Messages on one topic: encoded once, then copied, with identifier and stamp put in their places.</summary>
/// <param name="body">What is the same in all messages.</param>
/// <param name="topic">The topic.</param>
/// <param name="subscribers">How many subscribers it has.</param>
internal sealed class FixedTopicSource(MessageBody body, string topic, int subscribers) : MessageSource
{
    private const ushort Alias = 1;

    private Template _next = new(body, topic, alias: 0);
    private Template? _following;

    public override int MaxPacketBytes => _next.Bytes.Length;

    public override void UseAlias()
    {
        _next = new Template(body, topic, Alias);
        _following = new Template(body, "", Alias);
    }

    public override int Write(Span<byte> destination, in MessageStamp stamp, ushort packetId, out int deliveries)
    {
        deliveries = subscribers;
        Template template = _next;
        template.Bytes.CopyTo(destination);
        if (template.PacketIdAt != 0) BinaryPrimitives.WriteUInt16BigEndian(destination[template.PacketIdAt..], packetId);
        stamp.Write(destination[(template.Bytes.Length - body.PayloadBytes)..]);
        if (_following is not null) _next = _following;
        return template.Bytes.Length;
    }

    /// <summary>A packet, and where its identifier stands; 0: it has none.</summary>
    private sealed class Template
    {
        public Template(MessageBody body, string topic, ushort alias)
        {
            Bytes = body.Encode(topic, alias);
            Frame.Cut(Bytes, int.MaxValue, out Frame frame, out _);
            int topicAt = Bytes.Length - frame.Body.Length;
            PacketIdAt = body.QoS == QoS.AtMostOnce ? 0 : topicAt + 2 + BinaryPrimitives.ReadUInt16BigEndian(frame.Body);
        }

        public byte[] Bytes { get; }

        public int PacketIdAt { get; }
    }
}
