namespace EdgeBroker.Conformance.Tests.V5;

/// <summary>SUBSCRIBE and SUBACK (3.8, 3.9).</summary>
public sealed class Section_3_8_Subscribe
{
    private const int NoLocal = 0x04;

    [Theory]
    [InlineData(0x80)]
    [InlineData(0x83)]
    [InlineData(0x8A)]
    [Requirement("MQTT-3.8.1-1")]
    public async Task Other_flags_are_malformed(int header) =>
        await Check.DisconnectsAsync(Wire.Packet(header, [0, 1, 0, .. Wire.Text("a"), 0]), ReasonCode.MalformedPacket);

    [Theory]
    [InlineData(0x40)]
    [InlineData(0x80)]
    [InlineData(0xC2)]
    [Requirement("MQTT-3.8.3-5")]
    public async Task Reserved_options_are_malformed(int options) =>
        await Check.DisconnectsAsync(Packets.V5.Subscribe(1, "a", options), ReasonCode.MalformedPacket);

    [Theory]
    [InlineData(0x03)]
    [InlineData(0x30)]
    public async Task QoS_3_and_retain_handling_3_are_protocol_errors(int options) =>
        await Check.DisconnectsAsync(Packets.V5.Subscribe(1, "a", options), ReasonCode.ProtocolError);

    [Fact]
    [Requirement("MQTT-3.8.3-2")]
    public async Task No_filter_is_a_protocol_error() => await Check.DisconnectsAsync(Wire.Packet(0x82, 0, 1, 0), ReasonCode.ProtocolError);

    [Fact]
    [Requirement("MQTT-3.8.3-1")]
    public async Task A_filter_that_is_no_text_or_is_cut_short_is_malformed()
    {
        await Check.DisconnectsAsync(Wire.Packet(0x82, [0, 1, 0, .. Wire.Binary(0xFF), 0]), ReasonCode.MalformedPacket);
        await Check.DisconnectsAsync(Wire.Packet(0x82, [0, 1, 0, .. Wire.Text("a")]), ReasonCode.MalformedPacket);
    }

    [Fact]
    [Requirement("MQTT-3.8.3-4")]
    public async Task No_Local_on_a_shared_subscription_is_a_protocol_error() =>
        await Check.DisconnectsAsync(Packets.V5.Subscribe(1, "$share/g/a", NoLocal), ReasonCode.ProtocolError);

    [Fact]
    [Requirement("MQTT-3.8.3-3")]
    public async Task No_Local_keeps_a_clients_own_messages_from_it()
    {
        await using var broker = new TestBroker();
        TestClient deaf = await Check.SubscriberAsync(broker, "a", 1 | NoLocal, "deaf");
        TestClient other = await Check.SubscriberAsync(broker, "a", 1, "other");
        await deaf.PublishAsync("a", "own", 1);
        await other.PublishAsync("a", "other's", 1);
        await other.ExpectPublishAsync("a", "own", 1);
        await other.ExpectPublishAsync("a", "other's", 1);
        await deaf.ExpectPublishAsync("a", "other's", 1);
        // Another filter of the same client still brings it.
        await deaf.SubscribeAsync("+", 0, Prop.SubscriptionIdentifier(9));
        await deaf.PublishAsync("a", "own", 1);
        await deaf.ExpectAsync(deaf.Packets.Publish("a", "own", properties: Prop.SubscriptionIdentifier(9)));
        await deaf.ExpectNothingAsync();
    }

    [Fact]
    [Requirement("MQTT-3.8.3-3")]
    public async Task No_Local_holds_across_connections_of_the_session()
    {
        await using var broker = new TestBroker();
        TestClient client = await Check.SubscriberAsync(broker, "a", 1 | NoLocal, "one", Prop.SessionExpiry(100));
        await client.DropAsync();
        client = await broker.ConnectAsync("one", cleanStart: false, sessionPresent: true);
        await client.PublishAsync("a", "own", 1);
        await client.ExpectNothingAsync();
    }

    [Fact]
    [Requirement("MQTT-3.8.4-1")]
    [Requirement("MQTT-3.8.4-2")]
    [Requirement("MQTT-3.8.4-5")]
    [Requirement("MQTT-3.8.4-6")]
    [Requirement("MQTT-3.8.4-7")]
    [Requirement("MQTT-3.9.3-1")]
    [Requirement("MQTT-3.9.3-2")]
    [Requirement("MQTT-3.9.2-1")]
    [Requirement("MQTT-3.9.2-2")]
    public async Task Each_filter_has_its_code_in_order()
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.ConnectAsync("one", properties: Prop.MaximumPacketSize(16));
        await client.SendAsync(client.Packets.Subscribe(0x4321, null, ("a", 2), ("b", 0), (new string('/', 256), 1), ("c", 1), ("a", 1), ("$share/g/d", 2)));
        await client.ExpectAsync([0x90, 9, 0x43, 0x21, 0, 2, 0, 0x8F, 1, 1, 2]);
        Assert.Equal(4, broker.Broker.Subscriptions.Count);
    }

    [Fact]
    [Requirement("MQTT-3.8.4-3")]
    [Requirement("MQTT-3.8.4-4")]
    public async Task The_same_filter_replaces_the_subscription()
    {
        await using var broker = new TestBroker();
        TestClient client = await Check.SubscriberAsync(broker, "a/+", 0, properties: Prop.ReceiveMaximum(1));
        await client.SubscribeAsync("a/+", 2, Prop.SubscriptionIdentifier(3));
        await client.PublishAsync("a/b", "x", 1);
        await client.PublishAsync("a/b", "waits", 1);
        await client.ExpectAsync(client.Packets.Publish("a/b", "x", 1, 1, properties: Prop.SubscriptionIdentifier(3)));
        // What is open or waits is not lost by replacing.
        await client.SubscribeAsync("a/+", 0);
        await client.SendAsync(client.Packets.Puback(1));
        await client.ExpectAsync(client.Packets.Publish("a/b", "waits", 1, 2, properties: Prop.SubscriptionIdentifier(3)));
        await client.PublishAsync("a/b", "y", 1);
        await client.ExpectAsync(client.Packets.Publish("a/b", "y"));
        Assert.Equal(1, broker.Broker.Subscriptions.Count);
    }

    [Fact]
    [Requirement("MQTT-3.8.4-8")]
    public async Task Delivery_has_the_lower_QoS_of_publish_and_subscription()
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.ConnectAsync("one");
        for (int granted = 0; granted <= 2; granted++)
        {
            await client.SubscribeAsync("a", granted);
            for (int published = 0; published <= 2; published++)
            {
                await client.PublishAsync("a", "x", published);
                await client.AcknowledgeAsync(await client.ExpectPublishAsync("a", "x", Math.Min(granted, published)));
            }
        }
    }

    [Fact]
    [Requirement("MQTT-3.8.4-7")]
    public async Task A_subscription_above_the_limit_is_refused()
    {
        await using var broker = new TestBroker(TestBrokerOptions.Quiet with { MaxSubscriptionsPerClient = 2 });
        TestClient client = await broker.ConnectAsync("one");
        await client.SendAsync(client.Packets.Subscribe(1, null, ("a", 0), ("b", 1), ("c", 2), ("a", 2)));
        await client.ExpectAsync(client.Packets.Suback(1, 0, 1, 0x97, 2));
        await client.SendAsync(client.Packets.Publish("c"));
        await client.PublishAsync("a", "x", 2);
        await client.ExpectPublishAsync("a", "x", 2);
    }
}
