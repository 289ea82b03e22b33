namespace EdgeBroker.Conformance.Tests.V5;

public sealed class Section_2_Control_packets
{
    public static TheoryData<byte[]> WrongFlags => new(
        new[] { 0x00, 0x08, 0x41, 0x52, 0x60, 0x63, 0x74, 0x80, 0x83, 0xA0, 0xA3, 0xC1, 0xC8, 0xF1, 0xF2 }.Select(header => Wire.Packet(header, 0, 1)));

    [Theory]
    [MemberData(nameof(WrongFlags))]
    [Requirement("MQTT-2.1.3-1")]
    public async Task Reserved_flags_with_another_value_close_the_connection(byte[] packet) => await Check.DisconnectsAsync(packet, ReasonCode.MalformedPacket);

    [Fact]
    [Requirement("MQTT-2.1.3-1")]
    [Requirement("MQTT-2.2.1-5")]
    [Requirement("MQTT-2.2.1-6")]
    [Requirement("MQTT-2.2.2-1")]
    public async Task What_the_broker_sends_is_exactly_so()
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.ConnectAsync("one");
        await client.SendAsync([0x82, 7, 0x12, 0x34, 0, 0, 1, (byte)'a', 2]);
        await client.ExpectAsync([0x90, 4, 0x12, 0x34, 0, 2]);
        await client.SendAsync([0x34, 7, 0, 1, (byte)'a', 0xAB, 0xCD, 0, (byte)'x']);
        await client.ExpectAsync([0x34, 7, 0, 1, (byte)'a', 0, 1, 0, (byte)'x'], [0x50, 2, 0xAB, 0xCD]);
        await client.SendAsync([0x62, 2, 0xAB, 0xCD]);
        await client.ExpectAsync([0x70, 2, 0xAB, 0xCD]);
        await client.SendAsync([0x50, 2, 0, 1]);
        await client.ExpectAsync([0x62, 2, 0, 1]);
        await client.SendAsync([0x70, 2, 0, 1]);
        await client.SendAsync([0x32, 7, 0, 1, (byte)'b', 0x01, 0x02, 0, (byte)'y']);
        await client.ExpectAsync([0x40, 3, 0x01, 0x02, 0x10]);
        await client.SendAsync([0xA2, 6, 0x56, 0x78, 0, 0, 1, (byte)'a']);
        await client.ExpectAsync([0xB0, 4, 0x56, 0x78, 0, 0]);
        await client.ExpectNothingAsync();
    }

    [Fact]
    [Requirement("MQTT-2.2.1-2")]
    [Requirement("MQTT-4.3.1-1")]
    public async Task QoS_0_goes_out_without_identifier_and_without_DUP()
    {
        await using var broker = new TestBroker();
        TestClient client = await Check.SubscriberAsync(broker, "a", 0);
        await client.PublishAsync("a", "x");
        await client.ExpectAsync([0x30, 5, 0, 1, (byte)'a', 0, (byte)'x']);
        // Published with QoS 2, granted QoS 0.
        await client.SendAsync(client.Packets.Publish("a", "y", 2, 9));
        await client.ExpectAsync([0x30, 5, 0, 1, (byte)'a', 0, (byte)'y'], client.Packets.Pubrec(9));
    }

    [Fact]
    [Requirement("MQTT-2.2.1-4")]
    [Requirement("MQTT-4.3.2-1")]
    [Requirement("MQTT-4.3.3-1")]
    public async Task New_messages_take_identifiers_that_are_free_and_not_0()
    {
        await using var broker = new TestBroker();
        TestClient subscriber = await Check.SubscriberAsync(broker, "a", 2);
        TestClient publisher = await broker.ConnectAsync("publisher");
        var open = new Dictionary<int, ReceivedPacket>();
        // Around the whole range once and more, with some exchanges always open.
        for (int round = 0; round < 700; round++)
        {
            await publisher.SendAsync([.. Enumerable.Range(1, 96).Select(i => publisher.Packets.Publish("a", "", 1 + (i & 1), i))]);
            for (int i = 1; i <= 96; i++)
            {
                ReceivedPacket message = await subscriber.ExpectAsync(PacketType.Publish);
                Assert.NotEqual(0, message.PacketId);
                Assert.True(open.TryAdd(message.PacketId, message), $"{message.PacketId} was in use");
                await publisher.ReceiveAsync();
            }

            await publisher.SendAsync([.. Enumerable.Range(1, 96).Where(i => (i & 1) == 1).Select(i => publisher.Packets.Pubrel(i))]);
            for (int i = 0; i < 48; i++) await publisher.ExpectAsync(PacketType.Pubcomp);
            foreach (ReceivedPacket message in open.Values.Where(one => one.QoS == 2)) await subscriber.AcknowledgeAsync(message);
            await subscriber.SendAsync([.. open.Values.Where(one => one.QoS == 1).Select(one => subscriber.Packets.Puback(one.PacketId))]);
            open.Clear();
        }
    }

    [Theory]
    [InlineData(new byte[] { 0x32, 6, 0, 1, 0x61, 0, 0, 0 })]
    [InlineData(new byte[] { 0x82, 7, 0, 0, 0, 0, 1, 0x61, 0 })]
    [InlineData(new byte[] { 0xA2, 6, 0, 0, 0, 0, 1, 0x61 })]
    [InlineData(new byte[] { 0x40, 2, 0, 0 })]
    [Requirement("MQTT-2.2.1-3")]
    public async Task Identifier_0_is_a_protocol_error(byte[] packet) => await Check.DisconnectsAsync(packet, ReasonCode.ProtocolError);

    [Theory]
    [InlineData(new byte[] { 0x30, 6, 0, 1, 0x61, 2, 0x7F, 0 })]
    [InlineData(new byte[] { 0x30, 9, 0, 1, 0x61, 5, 17, 0, 0, 0, 1 })]
    [InlineData(new byte[] { 0x30, 5, 0, 1, 0x61, 9, 1 })]
    public async Task A_property_that_does_not_exist_or_belong_there_is_malformed(byte[] packet) =>
        await Check.DisconnectsAsync(packet, ReasonCode.MalformedPacket);

    [Fact]
    public async Task A_property_that_stands_twice_is_a_protocol_error() =>
        await Check.DisconnectsAsync(Packets.V5.Publish("a", properties: [.. Prop.PayloadFormat(0), .. Prop.PayloadFormat(0)]), ReasonCode.ProtocolError);

    [Fact]
    public async Task Packets_may_come_byte_by_byte_or_all_at_once()
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.OpenAsync();
        await client.SendByteByByteAsync([.. client.Packets.Connect("one"), .. client.Packets.Subscribe(1, "a", 1), .. client.Packets.Publish("a", "x", 1, 2)]);
        await client.ExpectConnackAsync();
        await client.ExpectAsync(client.Packets.Suback(1, 1), client.Packets.Publish("a", "x", 1, 1), client.Packets.Puback(2));
        TestClient other = await broker.OpenAsync();
        await other.SendAsync(
            [.. other.Packets.Connect("two"), .. other.Packets.Subscribe(1, "b", 0), .. other.Packets.Publish("b", "y"), .. other.Packets.Disconnect()]);
        await other.ExpectConnackAsync();
        await other.ExpectAsync(other.Packets.Suback(1, 0), other.Packets.Publish("b", "y"));
        await other.ExpectClosedAsync();
    }
}
