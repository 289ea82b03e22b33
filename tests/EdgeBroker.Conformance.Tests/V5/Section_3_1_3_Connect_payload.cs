namespace EdgeBroker.Conformance.Tests.V5;

public sealed class Section_3_1_3_Connect_payload
{
    [Theory]
    [InlineData("a")]
    [InlineData("0123456789abcdefghijklm")]
    [InlineData("nopqrstuvwxyzABCDEFGHIJ")]
    [InlineData("KLMNOPQRSTUVWXYZ")]
    [Requirement("MQTT-3.1.3-5")]
    public async Task Ordinary_client_ids_are_accepted(string clientId)
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.ConnectAsync(clientId);
        Assert.False(client.Connack.Properties.Has(PropertyId.AssignedClientIdentifier));
        Assert.NotNull(broker.Broker.FindSession(clientId));
    }

    [Theory]
    [InlineData("with / + # $ and spaces")]
    [InlineData("日本語")]
    public async Task So_are_others(string clientId)
    {
        await using var broker = new TestBroker();
        await broker.ConnectAsync(clientId + new string('x', 300));
    }

    [Fact]
    [Requirement("MQTT-3.1.3-6")]
    [Requirement("MQTT-3.1.3-7")]
    [Requirement("MQTT-3.2.2-16")]
    public async Task An_empty_client_id_gets_one_assigned_that_it_can_come_back_with()
    {
        await using var broker = new TestBroker();
        TestClient one = await broker.ConnectAsync("", cleanStart: false, properties: Prop.SessionExpiry(100), sessionPresent: false);
        TestClient two = await broker.ConnectAsync("", properties: Prop.SessionExpiry(100), sessionPresent: false);
        string id = one.Connack.Properties.Text(PropertyId.AssignedClientIdentifier)!;
        Assert.NotEmpty(id);
        Assert.NotEqual(id, two.Connack.Properties.Text(PropertyId.AssignedClientIdentifier));
        await one.SubscribeAsync("a", 1);
        await one.DropAsync();
        one = await broker.ConnectAsync(id, cleanStart: false, sessionPresent: true);
        Assert.False(one.Connack.Properties.Has(PropertyId.AssignedClientIdentifier));
        await two.PublishAsync("a", "x", 1);
        await one.ExpectPublishAsync("a", "x", 1);
    }

    [Fact]
    [Requirement("MQTT-3.1.3-8")]
    [Requirement("MQTT-3.1.3-4")]
    public async Task A_client_id_that_is_no_text_is_refused() =>
        await Check.RefusesAsync(Wire.Packet(0x10, [.. Wire.Text("MQTT"), 5, 2, 0, 0, 0, .. Wire.Binary(0xFF, 0xFE)]), ReasonCode.MalformedPacket);

    [Fact]
    [Requirement("MQTT-3.1.3-2")]
    public async Task The_client_id_is_compared_byte_for_byte()
    {
        await using var broker = new TestBroker();
        TestClient composed = await broker.ConnectAsync("\u00E9");
        TestClient decomposed = await broker.ConnectAsync("e\u0301");
        await composed.ExpectNothingAsync();
        await decomposed.ExpectNothingAsync();
    }

    [Fact]
    [Requirement("MQTT-3.1.3-12")]
    public async Task A_user_name_that_is_no_text_is_refused() =>
        await Check.RefusesAsync(
            Wire.Packet(0x10, [.. Wire.Text("MQTT"), 5, 0x82, 0, 0, 0, .. Wire.Text("one"), .. Wire.Binary(0xFF)]), ReasonCode.MalformedPacket);

    [Fact]
    [Requirement("MQTT-3.1.3-11")]
    public async Task A_will_topic_that_is_no_text_is_refused() =>
        await Check.RefusesAsync(
            Wire.Packet(0x10, [.. Wire.Text("MQTT"), 5, 6, 0, 0, 0, .. Wire.Text("one"), 0, .. Wire.Binary(0xFF), .. Wire.Binary()]),
            ReasonCode.MalformedPacket);
}
