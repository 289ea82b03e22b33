namespace EdgeBroker.Conformance.Tests.V5;

/// <summary>The properties of PUBLISH (3.3.2.3).</summary>
public sealed class Section_3_3_Publish_properties
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [Requirement("MQTT-3.3.2-4")]
    [Requirement("MQTT-3.3.2-15")]
    [Requirement("MQTT-3.3.2-16")]
    [Requirement("MQTT-3.3.2-17")]
    [Requirement("MQTT-3.3.2-18")]
    [Requirement("MQTT-3.3.2-20")]
    public async Task What_describes_the_message_is_forwarded_unchanged_and_in_order(int qos)
    {
        await using var broker = new TestBroker();
        TestClient online = await Check.SubscriberAsync(broker, "a", 2, "online");
        TestClient offline = await Check.SubscriberAsync(broker, "a", 2, "offline", Prop.SessionExpiry(100));
        await offline.DropAsync();
        byte[] properties =
        [
            .. Prop.User("z", "1"), .. Prop.PayloadFormat(1), .. Prop.User("a", "2"), .. Prop.ResponseTopic("answer/é"), .. Prop.CorrelationData(0, 0xFF, 7),
            .. Prop.User("z", "1"), .. Prop.ContentType("text/plain; charset=utf-8"), .. Prop.User("", ""),
        ];
        await online.PublishAsync("a", "é", qos, properties: [.. properties[..7], .. Prop.TopicAlias(3), .. properties[7..]]);
        await online.ExpectAsync(online.Packets.Publish("a", "é", qos, 1, properties: properties));
        offline = await broker.ConnectAsync("offline", cleanStart: false, sessionPresent: true);
        if (qos > 0) await offline.ExpectAsync(offline.Packets.Publish("a", "é", qos, 1, properties: properties));
        await offline.ExpectNothingAsync();
    }

    [Fact]
    [Requirement("MQTT-3.3.2-4")]
    public async Task A_payload_that_is_not_what_it_says_is_refused()
    {
        await using var broker = new TestBroker();
        TestClient client = await Check.SubscriberAsync(broker, "a", 2);
        byte[] bad = [0xC3, 0x28];
        await client.SendAsync(
            client.Packets.Publish("a", bad, 0, 0, properties: Prop.PayloadFormat(1)),
            client.Packets.Publish("a", bad, 1, 1, properties: Prop.PayloadFormat(1)),
            client.Packets.Publish("a", bad, 2, 2, properties: Prop.PayloadFormat(1)));
        Assert.Equal(ReasonCode.PayloadFormatInvalid, (await client.ExpectAsync(PacketType.Puback)).Reason);
        Assert.Equal(ReasonCode.PayloadFormatInvalid, (await client.ExpectAsync(PacketType.Pubrec)).Reason);
        await client.ExpectNothingAsync();
        byte[] unspecified = client.Packets.Publish("a", bad, 0, 0, properties: Prop.PayloadFormat(0));
        await client.SendAsync(unspecified);
        await client.ExpectAsync(unspecified);
        await Check.DisconnectsAsync(client.Packets.Publish("a", properties: Prop.PayloadFormat(2)), ReasonCode.ProtocolError);
    }

    [Fact]
    [Requirement("MQTT-3.3.2-5")]
    [Requirement("MQTT-3.3.2-6")]
    public async Task Waiting_counts_against_the_expiry()
    {
        await using var broker = new TestBroker();
        TestClient client = await Check.SubscriberAsync(broker, "a", 1, "one", Prop.SessionExpiry(1000));
        await client.DropAsync();
        TestClient publisher = await broker.ConnectAsync("publisher");
        await publisher.PublishAsync("a", "short", 1, properties: Prop.MessageExpiry(10));
        await publisher.PublishAsync("a", "long", 1, properties: Prop.MessageExpiry(100));
        await publisher.PublishAsync("a", "for ever", 1);
        broker.Advance(10);
        client = await broker.ConnectAsync("one", cleanStart: false, sessionPresent: true);
        await client.ExpectAsync(client.Packets.Publish("a", "long", 1, 2, properties: Prop.MessageExpiry(90)), client.Packets.Publish("a", "for ever", 1, 3));
        await client.ExpectNothingAsync();
        Assert.Contains(broker.Events.All, one => one is { Kind: BrokerEventKind.Dropped, ClientId: "one", Drop: Core.Ports.DropReason.Expired, Count: 1 });
    }

    [Fact]
    [Requirement("MQTT-3.3.2-5")]
    public async Task What_waits_for_acknowledgements_expires_too()
    {
        await using var broker = new TestBroker();
        TestClient client = await Check.SubscriberAsync(broker, "a", 1, properties: Prop.ReceiveMaximum(1));
        TestClient publisher = await broker.ConnectAsync("publisher");
        await publisher.PublishAsync("a", "first", 1);
        await publisher.PublishAsync("a", "expires", 1, properties: Prop.MessageExpiry(5));
        await publisher.PublishAsync("a", "last", 1, properties: Prop.MessageExpiry(50));
        ReceivedPacket first = await client.ExpectPublishAsync("a", "first", 1);
        broker.Advance(5);
        await client.AcknowledgeAsync(first);
        await client.ExpectAsync(client.Packets.Publish("a", "last", 1, 3, properties: Prop.MessageExpiry(45)));
    }

    [Fact]
    [Requirement("MQTT-3.3.2-6")]
    public async Task Who_is_there_gets_the_expiry_as_it_was()
    {
        await using var broker = new TestBroker();
        TestClient client = await Check.SubscriberAsync(broker, "a", 1);
        broker.Advance(100);
        await client.PublishAsync("a", "0", 0, properties: Prop.MessageExpiry(10));
        await client.PublishAsync("a", "1", 1, properties: Prop.MessageExpiry(uint.MaxValue));
        await client.ExpectAsync(
            client.Packets.Publish("a", "0", properties: Prop.MessageExpiry(10)),
            client.Packets.Publish("a", "1", 1, 1, properties: Prop.MessageExpiry(uint.MaxValue)));
    }

    [Fact]
    [Requirement("MQTT-3.3.2-13")]
    [Requirement("MQTT-3.3.2-19")]
    public async Task Strings_in_properties_that_are_no_text_are_malformed()
    {
        await Check.DisconnectsAsync(Wire.Packet(0x30, [.. Wire.Text("a"), .. Wire.Properties([8, .. Wire.Binary(0xFF)])]), ReasonCode.MalformedPacket);
        await Check.DisconnectsAsync(Wire.Packet(0x30, [.. Wire.Text("a"), .. Wire.Properties([3, .. Wire.Binary(0xFF)])]), ReasonCode.MalformedPacket);
    }

    [Theory]
    [InlineData("#")]
    [InlineData("a/+")]
    [Requirement("MQTT-3.3.2-14")]
    public async Task A_response_topic_with_a_wildcard_is_a_protocol_error(string topic) =>
        await Check.DisconnectsAsync(Packets.V5.Publish("a", properties: Prop.ResponseTopic(topic)), ReasonCode.ProtocolError);

    [Fact]
    [Requirement("MQTT-3.3.4-6")]
    public async Task A_subscription_identifier_from_a_client_is_a_protocol_error() =>
        await Check.DisconnectsAsync(Packets.V5.Publish("a", properties: Prop.SubscriptionIdentifier(1)), ReasonCode.ProtocolError);

    [Fact]
    public async Task A_subscription_identifier_of_0_is_a_protocol_error() =>
        await Check.DisconnectsAsync(Packets.V5.Subscribe(1, "a", 0, Prop.SubscriptionIdentifier(0)), ReasonCode.ProtocolError);
}
