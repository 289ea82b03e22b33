namespace EdgeBroker.Conformance.Tests.V5;

/// <summary>UNSUBSCRIBE and UNSUBACK (3.10, 3.11).</summary>
public sealed class Section_3_10_Unsubscribe
{
    [Theory]
    [InlineData(0xA0)]
    [InlineData(0xA3)]
    [InlineData(0xAA)]
    [Requirement("MQTT-3.10.1-1")]
    public async Task Other_flags_are_malformed(int header) =>
        await Check.DisconnectsAsync(Wire.Packet(header, [0, 1, 0, .. Wire.Text("a")]), ReasonCode.MalformedPacket);

    [Fact]
    [Requirement("MQTT-3.10.3-2")]
    public async Task No_filter_is_a_protocol_error() => await Check.DisconnectsAsync(Wire.Packet(0xA2, 0, 1, 0), ReasonCode.ProtocolError);

    [Fact]
    [Requirement("MQTT-3.10.3-1")]
    public async Task A_filter_that_is_no_text_is_malformed() =>
        await Check.DisconnectsAsync(Wire.Packet(0xA2, [0, 1, 0, .. Wire.Binary(0xFF)]), ReasonCode.MalformedPacket);

    [Fact]
    [Requirement("MQTT-3.10.4-1")]
    [Requirement("MQTT-3.10.4-2")]
    [Requirement("MQTT-3.10.4-4")]
    [Requirement("MQTT-3.10.4-5")]
    [Requirement("MQTT-3.10.4-6")]
    [Requirement("MQTT-3.11.2-1")]
    [Requirement("MQTT-3.11.2-2")]
    [Requirement("MQTT-3.11.3-1")]
    [Requirement("MQTT-3.11.3-2")]
    public async Task Only_exactly_the_same_filters_go()
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.ConnectAsync("one", properties: Prop.MaximumPacketSize(16));
        await client.SubscribeAsync("a/+", 0);
        await client.SubscribeAsync("b", 0);
        await client.SubscribeAsync("$share/g/c", 0);
        await client.SendAsync(client.Packets.Unsubscribe(0x1234, "a/b", "A/+", "b", "c", "a/#", "$share/g/c"));
        await client.ExpectAsync([0xB0, 9, 0x12, 0x34, 0, 0x11, 0x11, 0, 0x11, 0x11, 0]);
        await client.SendAsync(client.Packets.Unsubscribe(0x1235, "b"));
        await client.ExpectAsync([0xB0, 4, 0x12, 0x35, 0, 0x11]);
        await client.PublishAsync("b", "x");
        await client.PublishAsync("c", "x");
        await client.ExpectNothingAsync();
        await client.PublishAsync("a/b", "x");
        await client.ExpectPublishAsync("a/b", "x");
    }

    [Fact]
    [Requirement("MQTT-3.10.4-2")]
    [Requirement("MQTT-3.10.4-3")]
    public async Task Deliveries_begun_are_finished()
    {
        await using var broker = new TestBroker();
        TestClient client = await Check.SubscriberAsync(broker, "a", 2, "one", Prop.SessionExpiry(100));
        await client.PublishAsync("a", "1", 1);
        await client.PublishAsync("a", "2", 2);
        await client.ExpectPublishAsync("a", "1", 1);
        ReceivedPacket second = await client.ExpectPublishAsync("a", "2", 2);
        await client.UnsubscribeAsync("a");
        await client.PublishAsync("a", "3", 2);
        await client.AcknowledgeAsync(second);
        await client.ExpectNothingAsync();
        await client.DropAsync();
        client = await broker.ConnectAsync("one", cleanStart: false, sessionPresent: true);
        await client.AcknowledgeAsync(await client.ExpectPublishAsync("a", "1", 1, dup: true));
        await client.ExpectNothingAsync();
    }

    [Fact]
    [Requirement("MQTT-3.10.4-2")]
    public async Task Where_filters_overlap_the_rest_stays()
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.ConnectAsync("one");
        await client.SubscribeAsync("a", 2, Prop.SubscriptionIdentifier(1));
        await client.SubscribeAsync("+", 1, Prop.SubscriptionIdentifier(2));
        await client.SubscribeAsync("#", 0, Prop.SubscriptionIdentifier(3));
        await client.UnsubscribeAsync("a");
        await client.UnsubscribeAsync("+");
        await client.PublishAsync("a", "x", 2);
        await client.ExpectAsync(client.Packets.Publish("a", "x", properties: Prop.SubscriptionIdentifier(3)));
        await client.UnsubscribeAsync("#");
        await client.PublishAsync("a", "x", 2);
        await client.ExpectNothingAsync();
        Assert.Equal(0, broker.Broker.Subscriptions.Count);
    }
}
