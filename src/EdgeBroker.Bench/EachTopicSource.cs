using System.Globalization;
using System.Text;

namespace EdgeBroker.Bench;

/// <summary>One message on each of many topics, then another one, which cause no delivery: what is retained.</summary>
internal sealed class EachTopicSource(MessageBody body, string prefix, int topics) : MessageSource
{
    public override int MaxPacketBytes { get; } = body.Length(Topic(prefix, topics));

    public override int Write(Span<byte> destination, in MessageStamp stamp, ushort packetId, out int deliveries)
    {
        deliveries = 0;
        int length = body.Write(destination, Topic(prefix, (int)(stamp.Sequence % (ulong)topics)), packetId);
        if (body.PayloadBytes > 0) stamp.Write(destination[(length - body.PayloadBytes)..]);
        return length;
    }

    private static byte[] Topic(string prefix, int number) =>
        Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{prefix}/{number / 100}/{number}"));
}
