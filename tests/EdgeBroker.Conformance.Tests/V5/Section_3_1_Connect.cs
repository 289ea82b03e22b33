namespace EdgeBroker.Conformance.Tests.V5;

public sealed class Section_3_1_Connect
{
    [Fact]
    [Requirement("MQTT-3.1.0-1")]
    public async Task What_comes_before_CONNECT_closes_the_connection()
    {
        await using var broker = new TestBroker();
        foreach (byte[] packet in (byte[][])[Packets.Pingreq(), Packets.V5.Publish("a"), Packets.V5.Subscribe(1, "a"), Packets.V5.Disconnect(), [0xF0, 0]])
        {
            TestClient client = await broker.OpenAsync();
            await client.SendAsync(packet);
            await client.ExpectClosedAsync();
        }
    }

    [Fact]
    [Requirement("MQTT-3.1.0-2")]
    public async Task A_second_CONNECT_is_a_protocol_error() => await Check.DisconnectsAsync(Packets.V5.Connect("one"), ReasonCode.ProtocolError);

    [Theory]
    [InlineData("MQTTX")]
    [InlineData("mqtt")]
    [InlineData("MQ")]
    [InlineData("")]
    [InlineData("MQIsdp")]
    [Requirement("MQTT-3.1.2-1")]
    public async Task Another_protocol_name_closes_the_connection(string name)
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.OpenAsync();
        await client.SendAsync(Wire.Packet(0x10, [.. Wire.Text(name), 5, 2, 0, 0, 0, .. Wire.Text("one")]));
        await client.ExpectClosedAsync();
    }

    [Theory]
    [InlineData(6)]
    [InlineData(0xFF)]
    [Requirement("MQTT-3.1.2-2")]
    public async Task A_version_to_come_is_refused(byte version) =>
        await Check.RefusesAsync(Wire.Packet(0x10, [.. Wire.Text("MQTT"), version, 2, 0, 0, 0, .. Wire.Text("one")]), ReasonCode.UnsupportedProtocolVersion);

    [Fact]
    [Requirement("MQTT-3.1.2-2")]
    public async Task A_version_of_the_past_is_refused_in_the_form_it_knows()
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.OpenAsync(ProtocolVersion.V311);
        await client.SendAsync(Wire.Packet(0x10, [.. Wire.Text("MQTT"), 3, 2, 0, 0, .. Wire.Text("one")]));
        await client.ExpectAsync([0x20, 2, 0, 1]);
        await client.ExpectClosedAsync();
    }

    [Theory]
    [InlineData(0x03)]
    [InlineData(0x1E)]
    [InlineData(0x0A)]
    [InlineData(0x22)]
    [Requirement("MQTT-3.1.2-3")]
    [Requirement("MQTT-3.1.2-11")]
    [Requirement("MQTT-3.1.2-12")]
    [Requirement("MQTT-3.1.2-13")]
    public async Task Flags_that_are_reserved_or_contradict_each_other_are_malformed(byte flags)
    {
        byte[] will = (flags & 4) == 0 ? [] : [0, .. Wire.Text("will"), .. Wire.Text("")];
        await Check.RefusesAsync(Wire.Packet(0x10, [.. Wire.Text("MQTT"), 5, flags, 0, 0, 0, .. Wire.Text("one"), .. will]), ReasonCode.MalformedPacket);
    }

    [Theory]
    [InlineData("00 04 4D 51 54 54 05 02 00")]
    [InlineData("00 04 4D 51 54 54 05 02 00 00 00")]
    [InlineData("00 04 4D 51 54 54 05 02 00 00 00 00 03 61")]
    [InlineData("00 04 4D 51 54 54 05 02 00 00 00 00 01 61 62")]
    [InlineData("00 04 4D 51 54 54 05 82 00 00 00 00 01 61")]
    [InlineData("00 04 4D 51 54 54 05 42 00 00 00 00 01 61")]
    [InlineData("00 04 4D 51 54 54 05 06 00 00 00 00 01 61 00 00 01 62")]
    [Requirement("MQTT-3.1.4-1")]
    [Requirement("MQTT-3.1.2-9")]
    [Requirement("MQTT-3.1.2-17")]
    [Requirement("MQTT-3.1.2-19")]
    public async Task A_CONNECT_that_is_short_or_long_of_fields_is_refused(string body) =>
        await Check.RefusesAsync(Wire.Packet(0x10, Convert.FromHexString(body.Replace(" ", "", StringComparison.Ordinal))), ReasonCode.MalformedPacket);

    [Fact]
    [Requirement("MQTT-3.1.4-1")]
    [Requirement("MQTT-3.2.2-8")]
    [Requirement("MQTT-4.13.2-1")]
    public async Task A_CONNECT_with_impossible_properties_is_refused()
    {
        byte[][] impossible =
        [
            Prop.ReceiveMaximum(0),
            Prop.MaximumPacketSize(0),
            Prop.RequestProblemInformation(2),
            Prop.RequestResponseInformation(2),
            [.. Prop.SessionExpiry(1), .. Prop.SessionExpiry(1)],
            Prop.AuthenticationData(1),
        ];
        foreach (byte[] properties in impossible) await Check.RefusesAsync(Packets.V5.Connect("one", properties: properties), ReasonCode.ProtocolError);
        await Check.RefusesAsync(Packets.V5.Connect("one", properties: Prop.TopicAlias(1)), ReasonCode.MalformedPacket);
        await Check.RefusesAsync(Packets.V5.Connect("one", will: new TestWill("a/+")), ReasonCode.TopicNameInvalid);
    }

    [Fact]
    public async Task A_connection_that_does_not_complete_its_CONNECT_is_closed_in_time()
    {
        await using var broker = new TestBroker();
        TestClient silent = await broker.OpenAsync();
        TestClient slow = await broker.OpenAsync();
        await slow.SendAsync(slow.Packets.Connect("slow")[..^1]);
        TestClient quick = await broker.OpenAsync();
        broker.Advance(9.9);
        await quick.SendAsync(quick.Packets.Connect("quick"));
        await quick.ExpectConnackAsync();
        broker.Advance(0.1);
        await silent.ExpectClosedAsync();
        await slow.ExpectClosedAsync();
        await quick.ExpectNothingAsync();
    }
}
