namespace EdgeBroker.Conformance.Tests.V5;

public sealed class Section_3_2_Connack
{
    [Fact]
    [Requirement("MQTT-3.2.0-1")]
    [Requirement("MQTT-3.2.0-2")]
    public async Task CONNACK_comes_first_and_once()
    {
        await using var broker = new TestBroker();
        TestClient client = await Check.SubscriberAsync(broker, "a", 1, "one", Prop.SessionExpiry(100));
        await client.DropAsync();
        TestClient publisher = await broker.ConnectAsync("publisher");
        for (int i = 0; i < 20; i++) await publisher.PublishAsync("a", $"{i}", 1);
        client = await broker.OpenAsync();
        await client.SendAsync(client.Packets.Connect("one", cleanStart: false), client.Packets.Subscribe(1, "b"), Packets.Pingreq());
        await client.ExpectConnackAsync(sessionPresent: true);
        for (int i = 0; i < 22; i++) Assert.NotEqual(PacketType.Connack, (await client.ReceiveAsync()).Type);
        await client.ExpectNothingAsync();
    }

    [Fact]
    [Requirement("MQTT-3.2.2-6")]
    [Requirement("MQTT-3.2.2-7")]
    public async Task A_refusal_says_that_no_session_is_present()
    {
        await using var broker = new TestBroker(TestBrokerOptions.Quiet with { MaxQos = 0 });
        TestClient client = await Check.SubscriberAsync(broker, "a", 1, "one", Prop.SessionExpiry(100));
        await client.DropAsync();
        client = await broker.OpenAsync();
        await client.SendAsync(
            client.Packets.Connect("one", cleanStart: false, will: new TestWill("w", QoS: 1), properties: Prop.RequestProblemInformation(0)));
        await client.ExpectAsync([0x20, 3, 0, (byte)ReasonCode.QoSNotSupported, 0]);
        await client.ExpectClosedAsync();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [Requirement("MQTT-3.2.2-9")]
    [Requirement("MQTT-3.2.2-10")]
    [Requirement("MQTT-3.2.2-12")]
    [Requirement("MQTT-3.2.2-11")]
    public async Task A_lower_maximum_QoS_is_told_and_kept(int maximum)
    {
        await using var broker = new TestBroker(TestBrokerOptions.Quiet with { MaxQos = maximum });
        TestClient client = await broker.ConnectAsync("one", will: new TestWill("w", QoS: maximum));
        Assert.Equal((uint)maximum, client.Connack.Properties.Number(PropertyId.MaximumQoS));
        foreach (int qos in (int[])[0, 1, 2])
        {
            await client.SendAsync(client.Packets.Subscribe(1 + qos, $"f{qos}", qos));
            Assert.InRange((await client.ExpectAsync(PacketType.Suback)).Codes.Single(), 0, qos);
        }

        TestClient proud = await broker.OpenAsync();
        await proud.SendAsync(proud.Packets.Connect("proud", will: new TestWill("w", QoS: maximum + 1)));
        await proud.ExpectRefusedAsync(ReasonCode.QoSNotSupported);
        await client.SendAsync(client.Packets.Publish("a", "x", maximum + 1, 5));
        await client.ExpectDisconnectAsync(ReasonCode.QoSNotSupported);
    }

    [Fact]
    [Requirement("MQTT-3.2.2-13")]
    [Requirement("MQTT-3.2.2-14")]
    public async Task Without_retained_messages_what_asks_for_them_is_refused()
    {
        await using var broker = new TestBroker(TestBrokerOptions.Quiet with { RetainAvailable = false });
        TestClient client = await broker.ConnectAsync("one", will: new TestWill("w"));
        Assert.Equal(0u, client.Connack.Properties.Number(PropertyId.RetainAvailable));
        TestClient proud = await broker.OpenAsync();
        await proud.SendAsync(proud.Packets.Connect("proud", will: new TestWill("w", Retain: true)));
        await proud.ExpectRefusedAsync(ReasonCode.RetainNotSupported);
        await client.SendAsync(client.Packets.Publish("a", "x", retain: true));
        await client.ExpectDisconnectAsync(ReasonCode.RetainNotSupported);
        Assert.Equal(0, broker.Broker.Retained.Count);
    }

    [Fact]
    [Requirement("MQTT-3.2.2-15")]
    public async Task A_packet_above_the_maximum_is_refused_before_it_has_come()
    {
        await using var broker = new TestBroker(TestBrokerOptions.Quiet with { MaxPacketSizeBytes = 1000 });
        TestClient client = await Check.SubscriberAsync(broker, "a");
        Assert.Equal(1000u, client.Connack.Properties.Number(PropertyId.MaximumPacketSize));
        byte[] largest = client.Packets.Publish("a", new byte[993]);
        Assert.Equal(1000, largest.Length);
        await client.SendAsync(largest);
        await client.ExpectAsync(largest);
        await client.SendAsync(client.Packets.Publish("a", new byte[994])[..10]);
        await client.ExpectDisconnectAsync(ReasonCode.PacketTooLarge);
    }

    [Fact]
    [Requirement("MQTT-3.2.2-19")]
    [Requirement("MQTT-3.2.2-20")]
    public async Task A_refusal_explains_itself_where_there_is_room()
    {
        byte[] Connect(uint limit) => Packets.V5.Connect("one", properties: [.. Prop.MaximumPacketSize(limit), .. Prop.AuthenticationMethod("x")]);
        await using var broker = new TestBroker();
        TestClient client = await broker.OpenAsync();
        await client.SendAsync(Connect(1000));
        ReceivedPacket explained = await client.ExpectRefusedAsync(ReasonCode.BadAuthenticationMethod);
        Assert.True(explained.Properties.Has(PropertyId.ReasonString));
        client = await broker.OpenAsync();
        await client.SendAsync(Connect((uint)explained.Bytes.Length));
        await client.ExpectAsync(explained.Bytes);
        client = await broker.OpenAsync();
        await client.SendAsync(Connect((uint)explained.Bytes.Length - 1));
        await client.ExpectAsync([0x20, 3, 0, (byte)ReasonCode.BadAuthenticationMethod, 0]);
        await client.ExpectClosedAsync();
    }
}
