namespace EdgeBroker.Bench;

/// <summary>Messages on random topics of a tree, in an order that is the same in every run.</summary>
internal sealed class RandomTopicSource(MessageBody body, TopicTree topics, int publisher) : MessageSource
{
    private readonly Random _random = new(publisher);

    public override int MaxPacketBytes { get; } = body.Length(new byte[topics.LongestBytes]);

    public override int Write(Span<byte> destination, in MessageStamp stamp, ushort packetId, out int deliveries)
    {
        int topic = _random.Next(topics.Count);
        deliveries = topics.SubscribersOf(topic);
        int length = body.Write(destination, topics.Topic(topic), packetId);
        stamp.Write(destination[(length - body.PayloadBytes)..]);
        return length;
    }
}
