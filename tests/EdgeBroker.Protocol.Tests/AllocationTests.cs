using System.Buffers;
using EdgeBroker.Fuzz.Codec;
using EdgeBroker.Protocol.Tests.Vectors;
using EdgeBroker.Testing;

namespace EdgeBroker.Protocol.Tests;

/// <summary>Cutting, parsing, reading properties and writing allocate nothing.</summary>
public class AllocationTests
{
    private const int Rounds = 2000;

    public static TheoryData<string> All => VectorTable.Names(_ => true);

    [Theory]
    [MemberData(nameof(All))]
    public void Cutting_and_parsing_a_packet_allocates_nothing(string name)
    {
        Vector vector = VectorTable.Named(name);
        AssertAllocatesNothing(() =>
        {
            if (Parse(vector.Bytes, vector.Version) != vector.Refusal is null) throw new InvalidOperationException(name);
        });
    }

    [Fact]
    public void Reading_and_copying_properties_allocates_nothing()
    {
        byte[] bytes = VectorTable.Named("PUBLISH with every property (V5)").Bytes;
        byte[] copy = new byte[256];
        long sum = 0;
        AssertAllocatesNothing(() =>
        {
            if (!PublishPacket.TryParse(Packet.Cut(bytes), ProtocolVersion.V5, out PublishPacket packet, out _)) throw new InvalidOperationException();
            sum += packet.Properties.GetNumber(PropertyId.TopicAlias, 0) + packet.Properties.GetValue(PropertyId.ResponseTopic).Length;
            sum += packet.Properties.CopyForwarded(copy);
            foreach (Property property in packet.Properties) sum += property.Encoded.Length;
        });
        Assert.True(sum > 0);
    }

    [Theory]
    [InlineData(ProtocolVersion.V311, 10)]
    [InlineData(ProtocolVersion.V5, 10)]
    [InlineData(ProtocolVersion.V5, 5000)]
    public void Writing_a_PUBLISH_allocates_nothing(ProtocolVersion version, int payloadBytes)
    {
        byte[] payload = new byte[payloadBytes], properties = Notation.Bytes("01 01 26 'k' 'v'"), span = new byte[8192];
        uint[] subscriptions = [1, 1000];
        var output = new ArrayBufferWriter<byte>(8192);
        AssertAllocatesNothing(() =>
        {
            var outgoing = new OutgoingPublish
            {
                Topic = "plant/3/line/7/temperature"u8,
                Payload = payload,
                QoS = QoS.AtLeastOnce,
                PacketId = 7,
                ForwardedProperties = properties,
                ExpirySeconds = 60,
                TopicAlias = 3,
                SubscriptionIdentifiers = subscriptions,
            };
            output.ResetWrittenCount();
            outgoing.Write(output, version);
            outgoing.Write(span, version);
        });
    }

    [Fact]
    public void Writing_answers_allocates_nothing()
    {
        ReasonCode[] codes = [ReasonCode.GrantedQoS1, ReasonCode.NotAuthorized];
        var output = new ArrayBufferWriter<byte>(1024);
        AssertAllocatesNothing(() =>
        {
            output.ResetWrittenCount();
            PropertyBuilder builder = PropertyBuilder.For(PacketType.Connack, stackalloc byte[64]);
            builder.Add(PropertyId.ReceiveMaximum, 20);
            builder.Add(PropertyId.ReasonString, "welcome"u8);
            builder.AddUserProperty("k"u8, "v"u8);
            new ConnackPacket { Properties = builder.Block }.Write(output, ProtocolVersion.V5);
            builder.Dispose();
            new AckPacket { Type = PacketType.Puback, PacketId = 7 }.Write(output, ProtocolVersion.V5);
            new SubackPacket { Type = PacketType.Suback, PacketId = 7, ReasonCodes = codes }.Write(output, ProtocolVersion.V5);
            new DisconnectPacket { Type = PacketType.Disconnect, ReasonCode = ReasonCode.ServerShuttingDown }.Write(output, ProtocolVersion.V5);
            PingPacket.WriteResponse(output);
        });
    }

    private static bool Parse(byte[] bytes, ProtocolVersion version)
    {
        if (Frame.Cut(bytes, int.MaxValue, out Frame frame, out _) != FrameStatus.Complete) return false;
        return frame.Type switch
        {
            PacketType.Connect => ConnectPacket.TryParse(frame, out _, out _),
            PacketType.Connack => ConnackPacket.TryParse(frame, version, out _, out _),
            PacketType.Publish => PublishPacket.TryParse(frame, version, out _, out _),
            PacketType.Subscribe => Walk(frame, version),
            PacketType.Unsubscribe => UnsubscribePacket.TryParse(frame, version, out _, out _),
            PacketType.Suback or PacketType.Unsuback => SubackPacket.TryParse(frame, version, out _, out _),
            PacketType.Disconnect or PacketType.Auth => DisconnectPacket.TryParse(frame, version, out _, out _),
            PacketType.Pingreq or PacketType.Pingresp => PingPacket.IsValid(frame),
            _ => AckPacket.TryParse(frame, version, out _, out _),
        };
    }

    private static bool Walk(in Frame frame, ProtocolVersion version)
    {
        if (!SubscribePacket.TryParse(frame, version, out SubscribePacket packet, out _)) return false;
        int count = 0;
        foreach (SubscriptionRequest request in packet) count += request.Filter.IsEmpty ? 0 : 1;
        return count == packet.Count;
    }

    private static void AssertAllocatesNothing(Action action) => Assert.Equal(0, Allocations.Least(() =>
    {
        for (int i = 0; i < Rounds; i++) action();
    }));
}
