namespace EdgeBroker.Conformance.Tests.V5;

public sealed class Section_1_5_Data_representation
{
    /// <summary>Bytes that are no UTF-8: a surrogate, an overlong slash, a truncated and a stray byte.</summary>
    public static TheoryData<byte[]> IllFormed => [[0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xC0, 0xAF], [0x61, 0xE2, 0x82], [0x80], [0xF4, 0x90, 0x80, 0x80]];

    [Theory]
    [MemberData(nameof(IllFormed))]
    [Requirement("MQTT-1.5.4-1")]
    public async Task Ill_formed_strings_close_the_connection(byte[] text)
    {
        byte[] encoded = Wire.Binary(text);
        await Check.DisconnectsAsync(Wire.Packet(0x30, [.. encoded, 0]), ReasonCode.MalformedPacket);
        await Check.DisconnectsAsync(Wire.Packet(0x82, [0, 1, 0, .. encoded, 0]), ReasonCode.MalformedPacket);
        await Check.DisconnectsAsync(Wire.Packet(0xA2, [0, 1, 0, .. encoded]), ReasonCode.MalformedPacket);
        await Check.RefusesAsync(Wire.Packet(0x10, [.. Wire.Text("MQTT"), 5, 2, 0, 0, 0, .. encoded]), ReasonCode.MalformedPacket);
    }

    [Fact]
    [Requirement("MQTT-1.5.4-2")]
    public async Task The_null_character_closes_the_connection()
    {
        await Check.DisconnectsAsync(Packets.V5.Publish("a\0b"), ReasonCode.MalformedPacket);
        await Check.DisconnectsAsync(Packets.V5.Subscribe(1, "a\0b"), ReasonCode.MalformedPacket);
        await Check.DisconnectsAsync(Packets.V5.Publish("a", properties: Prop.ContentType("\0")), ReasonCode.MalformedPacket);
        await Check.RefusesAsync(Packets.V5.Connect("a\0b"), ReasonCode.MalformedPacket);
    }

    [Fact]
    [Requirement("MQTT-1.5.4-3")]
    public async Task A_byte_order_mark_is_a_character_like_any_other()
    {
        await using var broker = new TestBroker();
        TestClient client = await Check.SubscriberAsync(broker, "\uFEFFa");
        TestClient plain = await Check.SubscriberAsync(broker, "a", clientId: "plain");
        await client.PublishAsync("\uFEFFa", "x", properties: Prop.ContentType("\uFEFF"));
        await client.ExpectAsync(client.Packets.Publish("\uFEFFa", "x", properties: Prop.ContentType("\uFEFF")));
        await plain.ExpectNothingAsync();
    }

    [Theory]
    [InlineData(new byte[] { 0xC0, 0x80, 0x00 })]
    [InlineData(new byte[] { 0x30, 0x85, 0x00, 0, 1, 0x61, 0, 0x62 })]
    [InlineData(new byte[] { 0x30, 0x85, 0x80, 0x00, 0, 1, 0x61, 0, 0x62 })]
    [InlineData(new byte[] { 0x30, 0xFF, 0xFF, 0xFF, 0xFF, 0x01 })]
    [InlineData(new byte[] { 0x30, 6, 0, 1, 0x61, 0x80, 0x00, 0x62 })]
    [InlineData(new byte[] { 0x82, 10, 0, 1, 3, 0x0B, 0x81, 0x00, 0, 1, 0x61, 0 })]
    [Requirement("MQTT-1.5.5-1")]
    public async Task An_integer_in_more_bytes_than_it_needs_closes_the_connection(byte[] packet) =>
        await Check.DisconnectsAsync(packet, ReasonCode.MalformedPacket);

    [Fact]
    [Requirement("MQTT-1.5.5-1")]
    public async Task The_broker_writes_integers_in_the_fewest_bytes()
    {
        await using var broker = new TestBroker();
        TestClient client = await Check.SubscriberAsync(broker, "a");
        // Remaining lengths of 127, 128, 16,383, 16,384 and the lengths around them.
        foreach (int length in (int[])[122, 123, 124, 125, 16_378, 16_379, 16_380, 16_381])
        {
            byte[] publish = client.Packets.Publish("a", new byte[length]);
            await client.SendAsync(publish);
            await client.ExpectAsync(publish);
        }
    }

    [Fact]
    [Requirement("MQTT-1.5.7-1")]
    public async Task Both_strings_of_a_pair_are_checked()
    {
        byte[] good = Wire.Text("x"), bad = Wire.Binary(0xC3);
        byte[] Publish(byte[] name, byte[] value) => Wire.Packet(0x30, [.. Wire.Text("a"), .. Wire.Properties([38, .. name, .. value])]);
        await Check.DisconnectsAsync(Publish(bad, good), ReasonCode.MalformedPacket);
        await Check.DisconnectsAsync(Publish(good, bad), ReasonCode.MalformedPacket);
        await Check.DisconnectsAsync(Publish(good, Wire.Binary(0)), ReasonCode.MalformedPacket);
        await using var broker = new TestBroker();
        TestClient client = await Check.SubscriberAsync(broker, "a");
        await client.SendAsync(Publish(good, good));
        await client.ExpectAsync(Publish(good, good));
    }
}
