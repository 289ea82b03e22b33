using System.Buffers;
using EdgeBroker.Fuzz.Codec;
using EdgeBroker.Protocol.Tests.Vectors;

namespace EdgeBroker.Protocol.Tests;

/// <summary>PUBLISH (3.3): reading, and writing what is delivered.</summary>
public class PublishTests
{
    [Fact]
    public void Every_flag_is_read_and_written()
    {
        for (int flags = 0; flags < 16; flags++)
        {
            int qos = flags / 2 % 4;
            bool dup = flags >= 8, valid = qos != 3 && (!dup || qos > 0);
            byte[] bytes = Notation.Bytes($"3{flags:X} len 'a/b' {(qos > 0 ? "0102" : "")} [] `hi`");
            bool accepted = PublishPacket.TryParse(Packet.Cut(bytes), ProtocolVersion.V5, out PublishPacket packet, out ParseError error);
            Assert.Equal(valid, accepted);
            if (!accepted)
            {
                Assert.Equal(ReasonCode.MalformedPacket, error.Reason);
                continue;
            }

            Assert.Equal((dup, (QoS)qos, flags % 2 == 1, qos > 0 ? 258 : 0), (packet.Dup, packet.QoS, packet.Retain, (int)packet.PacketId));
            var outgoing = new OutgoingPublish { Topic = "a/b"u8, Payload = "hi"u8, Dup = dup, QoS = (QoS)qos, Retain = flags % 2 == 1, PacketId = 258 };
            Assert.Equal(bytes, Written(outgoing, ProtocolVersion.V5));
        }
    }

    [Fact]
    public void Version_3_1_1_writes_no_property()
    {
        uint[] subscriptions = [1, 2];
        var outgoing = new OutgoingPublish
        {
            Topic = "a/b"u8,
            Payload = "hi"u8,
            ForwardedProperties = [0x01, 0x01],
            ExpirySeconds = 60,
            TopicAlias = 5,
            SubscriptionIdentifiers = subscriptions,
        };
        Assert.Equal(Notation.Bytes("30 len 'a/b' `hi`"), Written(outgoing, ProtocolVersion.V311));
        Assert.Equal(Notation.Bytes("30 len 'a/b' [02 0000003C 23 0005 01 01 0B 01 0B 02] `hi`"), Written(outgoing, ProtocolVersion.V5));
    }

    [Fact]
    public void What_grows_beyond_any_packet_has_no_length()
    {
        // As long as a packet can be; with an identifier it would be longer.
        byte[] payload = GC.AllocateUninitializedArray<byte>((int)VariableByteInteger.MaxValue - 6);
        var largest = new OutgoingPublish { Topic = "a/b"u8, Payload = payload };
        Assert.Equal((int)VariableByteInteger.MaxValue + 5, largest.Length(ProtocolVersion.V5));
        uint[] subscriptions = [1];
        Assert.Equal(int.MaxValue, (largest with { SubscriptionIdentifiers = subscriptions }).Length(ProtocolVersion.V5));
        Assert.Equal(int.MaxValue, (largest with { QoS = QoS.AtLeastOnce, PacketId = 1 }).Length(ProtocolVersion.V5));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5_000)]
    public void An_alias_may_stand_for_the_topic(int payloadBytes)
    {
        var named = new OutgoingPublish
        {
            Topic = "a/b"u8,
            Payload = new byte[payloadBytes],
            QoS = QoS.AtLeastOnce,
            PacketId = 7,
            ExpirySeconds = 60,
            ForwardedProperties = [0x01, 0x01],
            SubscriptionIdentifiers = [3],
        };
        var output = new ArrayBufferWriter<byte>();
        Assert.Equal(named.Length(ProtocolVersion.V5, insteadOfTopic: 9), named.Write(output, ProtocolVersion.V5, insteadOfTopic: 9));
        Assert.Equal(Written(named with { Topic = default, TopicAlias = 9 }, ProtocolVersion.V5), output.WrittenSpan.ToArray());
    }

    [Fact]
    public void An_expiry_of_0_is_written_and_none_is_not()
    {
        Assert.Equal(Notation.Bytes("30 len 'a' [02 00000000]"), Written(new OutgoingPublish { Topic = "a"u8, ExpirySeconds = 0 }, ProtocolVersion.V5));
        Assert.Equal(Notation.Bytes("30 len 'a' []"), Written(new OutgoingPublish { Topic = "a"u8 }, ProtocolVersion.V5));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(119)]
    [InlineData(120)]
    [InlineData(2039)]
    [InlineData(2040)]
    [InlineData(2041)]
    [InlineData(16_375)]
    [InlineData(16_376)]
    [InlineData(300_000)]
    public void A_payload_of_any_length_is_written_the_same_in_pieces_and_whole(int payloadBytes)
    {
        byte[] payload = [.. Enumerable.Range(0, payloadBytes).Select(i => (byte)i)];
        var outgoing = new OutgoingPublish { Topic = "a/b/c"u8, Payload = payload };
        byte[] bytes = Written(outgoing, ProtocolVersion.V5);
        var pieces = new SmallPieces(largestPieceBytes: 4096);
        outgoing.Write(pieces, ProtocolVersion.V5);
        Assert.Equal(bytes, pieces.Written);
        Assert.True(PublishPacket.TryParse(Packet.Cut(bytes), ProtocolVersion.V5, out PublishPacket packet, out _));
        Assert.True(packet.Payload.SequenceEqual(payload));
    }

    [Fact]
    public void A_topic_or_packet_that_is_too_long_cannot_be_written()
    {
        Assert.Throws<ArgumentException>(() => Written(new OutgoingPublish { Topic = new byte[65_536] }, ProtocolVersion.V5));
        Assert.Throws<ArgumentException>(
            () => Written(new OutgoingPublish { Topic = "a"u8, Payload = new byte[VariableByteInteger.MaxValue] }, ProtocolVersion.V5));
        Assert.ThrowsAny<ArgumentException>(
            () => Written(new OutgoingPublish { Topic = "a"u8, SubscriptionIdentifiers = [uint.MaxValue] }, ProtocolVersion.V5));
    }

    [Fact]
    public void The_longest_topic_is_read_and_written()
    {
        byte[] topic = [.. Enumerable.Repeat((byte)'t', 65_535)];
        byte[] bytes = Written(new OutgoingPublish { Topic = topic, Payload = "hi"u8 }, ProtocolVersion.V311);
        Assert.True(PublishPacket.TryParse(Packet.Cut(bytes), ProtocolVersion.V311, out PublishPacket packet, out _));
        Assert.True(packet.Topic.SequenceEqual(topic));
    }

    private static byte[] Written(in OutgoingPublish outgoing, ProtocolVersion version)
    {
        var output = new ArrayBufferWriter<byte>();
        outgoing.Write(output, version);
        byte[] span = new byte[outgoing.Length(version)];
        Assert.Equal(span.Length, outgoing.Write(span, version));
        Assert.Equal(span, output.WrittenSpan.ToArray());
        return span;
    }
}
