using System.Buffers.Binary;
using EdgeBroker.Protocol;

namespace EdgeBroker.Bench;

/// <summary>Messages on one topic: encoded once, then copied, with identifier and stamp put in their places.</summary>
internal sealed class FixedTopicSource : MessageSource
{
    private readonly byte[] _template;
    private readonly int _payloadAt;
    private readonly int _packetIdAt;
    private readonly int _deliveries;

    /// <param name="body">What is the same in all messages.</param>
    /// <param name="topic">The topic.</param>
    /// <param name="deliveries">How many subscribers it has.</param>
    public FixedTopicSource(MessageBody body, string topic, int deliveries)
    {
        _template = body.Encode(topic);
        _payloadAt = _template.Length - body.PayloadBytes;
        Frame.Cut(_template, int.MaxValue, out Frame frame, out _);
        int topicAt = _template.Length - frame.Body.Length;
        _packetIdAt = body.QoS == QoS.AtMostOnce ? 0 : topicAt + 2 + BinaryPrimitives.ReadUInt16BigEndian(frame.Body);
        _deliveries = deliveries;
    }

    public override int MaxPacketBytes => _template.Length;

    public override int Write(Span<byte> destination, in MessageStamp stamp, ushort packetId, out int deliveries)
    {
        deliveries = _deliveries;
        _template.CopyTo(destination);
        if (_packetIdAt != 0) BinaryPrimitives.WriteUInt16BigEndian(destination[_packetIdAt..], packetId);
        stamp.Write(destination[_payloadAt..]);
        return _template.Length;
    }
}
