using CsCheck;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Topics;
using EdgeBroker.Mqtt.Sending;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Mqtt.Tests.Sending;

public sealed class PublishEncoderTests
{
    [Fact]
    public void A_message_is_encoded_in_every_form_as_the_codec_writes_it()
    {
        var encoder = new PublishEncoder();
        foreach (int payloadBytes in (int[])[0, 10, 200, 5_000, 300_000, 20])
        {
            encoder.Reset();
            byte[] payload = new byte[payloadBytes];
            // Twice: made, and found.
            for (int form = 0; form < 24; form++)
            {
                ProtocolVersion version = form % 2 == 0 ? ProtocolVersion.V311 : ProtocolVersion.V5;
                var publish = new OutgoingPublish
                {
                    Topic = "topic/x"u8,
                    Payload = payload,
                    ForwardedProperties = [(byte)PropertyId.PayloadFormatIndicator, 1],
                    QoS = (QoS)(form / 2 % 3),
                    Retain = form / 6 % 2 == 0,
                    PacketId = 0x1234,
                };
                byte[] expected = Write(publish, version);
                byte[] actual = encoder.Encode(publish with { PacketId = 0 }, version, out int packetIdAt).ToArray();
                Assert.Equal(publish.QoS == QoS.AtMostOnce, packetIdAt == 0);
                if (packetIdAt != 0) (actual[packetIdAt], actual[packetIdAt + 1]) = (0x12, 0x34);
                Assert.Equal(expected, actual);
            }
        }
    }

    [Fact]
    public void A_segment_is_its_packets_as_received_where_they_have_the_form_and_otherwise_what_the_codec_writes() =>
        Gen.Select(Gen.Int[0, 3], Gen.Int[0, 400]).Array[1, 30].Array[1, 4].Sample(segments =>
        {
            var encoder = new PublishEncoder();
            var batch = new MessageBatch();
            foreach ((int Form, int Length)[] steps in segments)
            {
                foreach ((int form, int length) in steps) Assert.True(batch.TryAdd(Make(form, length)));
                batch.Matches.Fill(MatchResult.Empty);
                MessageSegment segment = batch.SegmentAt(0);
                Assert.Equal(steps.Length, segment.Count);
                encoder.Reset();
                // Twice: made, and found.
                for (int i = 0; i < 2; i++)
                {
                    Check(segment, encoder, ProtocolVersion.V311);
                    Check(segment, encoder, ProtocolVersion.V5);
                    CheckAliased(segment, encoder);
                }

                batch.Clear();
            }
        });

    /// <summary>0: a message whose packet cannot go on; 1: of 3.1.1; 2 and 3: of 5.0, without and with properties.</summary>
    private static Publication Make(int form, int length)
    {
        string topic = "t/" + (length % 7);
        byte[] properties = form == 3 ? [.. Prop.User("k", "v"), .. Prop.MessageExpiry(60)] : [];
        byte[] packet = form == 1 ? Packets.V311.Publish(topic, new byte[length]) : Packets.V5.Publish(topic, new byte[length], properties: properties);
        ProtocolVersion version = form == 1 ? ProtocolVersion.V311 : ProtocolVersion.V5;
        Assert.Equal(FrameStatus.Complete, Frame.Cut(packet, int.MaxValue, out Frame frame, out _));
        Assert.True(PublishPacket.TryParse(frame, version, out PublishPacket parsed, out _));
        Assert.True(parsed.Properties.TryGetForwarded(out ReadOnlySpan<byte> forwarded));
        return new Publication
        {
            Topic = parsed.Topic,
            Payload = parsed.Payload,
            Properties = forwarded,
            ExpirySeconds = form == 3 ? 60u : null,
            Packet = form == 0 ? default : parsed.Bytes,
            PacketVersion = form == 0 ? default : version,
        };
    }

    private static void Check(in MessageSegment segment, PublishEncoder encoder, ProtocolVersion version)
    {
        var expected = new List<byte>();
        int largest = 0;
        for (int i = 0; i < segment.Count; i++)
        {
            Publication message = segment[i];
            byte[] packet = message.PacketVersion == version ? message.Packet.ToArray() : Write(Of(message), version);
            expected.AddRange(packet);
            largest = Math.Max(largest, packet.Length);
        }

        Assert.Equal(expected, encoder.Encode(segment, version, out int largestPacketBytes).ToArray());
        Assert.Equal(largest, largestPacketBytes);
    }

    private static void CheckAliased(in MessageSegment segment, PublishEncoder encoder)
    {
        Span<byte> packets = encoder.EncodeWithAliasGaps(segment, out ReadOnlySpan<int> gaps, out int largestPacketBytes);
        var expected = new List<byte>();
        int largest = 0;
        for (int i = 0; i < segment.Count; i++)
        {
            OutgoingPublish publish = Of(segment[i]);
            byte[] packet = new byte[publish.Length(ProtocolVersion.V5, (ushort)(1000 + i))];
            publish.Write(packet, ProtocolVersion.V5, (ushort)(1000 + i));
            (packets[gaps[i]], packets[gaps[i] + 1]) = ((byte)((1000 + i) >> 8), (byte)(1000 + i));
            expected.AddRange(packet);
            largest = Math.Max(largest, packet.Length);
        }

        Assert.Equal(expected, packets.ToArray());
        Assert.Equal(largest, largestPacketBytes);
    }

    private static OutgoingPublish Of(in Publication message) => new()
    {
        Topic = message.Topic,
        Payload = message.Payload,
        ForwardedProperties = message.Properties,
        ExpirySeconds = message.ExpirySeconds,
    };

    private static byte[] Write(in OutgoingPublish publish, ProtocolVersion version)
    {
        byte[] packet = new byte[publish.Length(version)];
        publish.Write(packet, version);
        return packet;
    }
}
