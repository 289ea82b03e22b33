namespace EdgeBroker.Conformance.Tests.V5;

public sealed class Section_3_3_4_Publish_actions
{
    [Fact]
    [Requirement("MQTT-3.3.4-1")]
    [Requirement("MQTT-4.3.2-4")]
    [Requirement("MQTT-4.3.3-8")]
    public async Task Each_QoS_has_its_answer()
    {
        await using var broker = new TestBroker();
        await Check.SubscriberAsync(broker, "a", 2);
        TestClient client = await broker.ConnectAsync("one");
        await client.SendAsync(client.Packets.Publish("a", "0"), client.Packets.Publish("a", "1", 1, 11), client.Packets.Publish("a", "2", 2, 12));
        await client.ExpectAsync(client.Packets.Puback(11), client.Packets.Pubrec(12));
        await client.ExpectNothingAsync();
    }

    [Fact]
    public async Task Who_publishes_to_nobody_is_told()
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.ConnectAsync("one");
        await client.SendAsync(client.Packets.Publish("a", "1", 1, 11), client.Packets.Publish("a", "2", 2, 12));
        await client.ExpectAsync(client.Packets.Puback(11, ReasonCode.NoMatchingSubscribers), client.Packets.Pubrec(12, ReasonCode.NoMatchingSubscribers));
        await client.SendAsync(client.Packets.Pubrel(12));
        await client.ExpectAsync(client.Packets.Pubcomp(12));
    }

    [Fact]
    public async Task Who_publishes_to_a_full_queue_is_told_where_it_rejects()
    {
        await using var broker = new TestBroker(TestBrokerOptions.Quiet with { MaxQueuedMessages = 1, QueueOverflow = Core.QueueOverflow.Reject });
        TestClient subscriber = await Check.SubscriberAsync(broker, "a", 2, properties: Prop.ReceiveMaximum(1));
        TestClient client = await broker.ConnectAsync("one", properties: Prop.RequestProblemInformation(0));
        Packets packets = client.Packets;
        await client.SendAsync(
            packets.Publish("a", "1", 1, 1), packets.Publish("a", "2", 1, 2), packets.Publish("a", "3", 1, 3), packets.Publish("a", "4", 2, 4));
        await client.ExpectAsync(
            packets.Puback(1), packets.Puback(2), packets.Puback(3, ReasonCode.QuotaExceeded), packets.Pubrec(4, ReasonCode.QuotaExceeded));
        await subscriber.AcknowledgeAsync(await subscriber.ExpectPublishAsync("a", "1", 1));
        await subscriber.ExpectPublishAsync("a", "2", 1);
        // The refused identifier is free for another try.
        await client.SendAsync(packets.Publish("a", "5", 2, 4));
        await client.ExpectAsync(packets.Pubrec(4));
    }

    [Theory]
    [InlineData(0, 1, 2, 1)]
    [InlineData(0, 1, 1, 1)]
    [InlineData(2, 0, 2, 2)]
    [InlineData(1, 0, 2, 1)]
    [InlineData(0, 0, 2, 0)]
    [Requirement("MQTT-3.3.4-2")]
    [Requirement("MQTT-3.8.4-8")]
    public async Task Overlapping_filters_deliver_once_with_the_highest_QoS(int one, int other, int published, int delivered)
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.ConnectAsync("one");
        await client.SubscribeAsync("a/b", one);
        await client.SubscribeAsync("a/+", other);
        await client.PublishAsync("a/b", "x", published);
        await client.AcknowledgeAsync(await client.ExpectPublishAsync("a/b", "x", delivered));
        await client.ExpectNothingAsync();
    }

    [Fact]
    [Requirement("MQTT-3.3.4-3")]
    [Requirement("MQTT-3.3.4-4")]
    public async Task A_copy_names_every_subscription_that_caused_it()
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.ConnectAsync("one");
        await client.SubscribeAsync("a/b", 0, Prop.SubscriptionIdentifier(1));
        await client.SubscribeAsync("a/#", 1, Prop.SubscriptionIdentifier(268_435_455));
        await client.SubscribeAsync("+/b", 2);
        await client.SubscribeAsync("c", 2, Prop.SubscriptionIdentifier(200));
        await client.PublishAsync("a/b", "x", 1);
        uint[] identifiers = (await client.ExpectPublishAsync("a/b", "x", 1)).Properties.SubscriptionIdentifiers;
        Assert.Equal([1u, 268_435_455u], identifiers.Order());
        await client.PublishAsync("a/c", "x");
        await client.ExpectAsync(client.Packets.Publish("a/c", "x", properties: Prop.SubscriptionIdentifier(268_435_455)));
        await client.PublishAsync("c/b", "x");
        await client.ExpectAsync(client.Packets.Publish("c/b", "x"));
        await client.PublishAsync("c", "x");
        await client.ExpectAsync(client.Packets.Publish("c", "x", properties: Prop.SubscriptionIdentifier(200)));
        await client.SubscribeAsync("c", 2);
        await client.PublishAsync("c", "x");
        await client.ExpectAsync(client.Packets.Publish("c", "x"));
        await client.ExpectNothingAsync();
    }

    [Fact]
    [Requirement("MQTT-3.3.4-3")]
    public async Task Identifiers_stay_with_what_is_retained_queued_and_sent_again()
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.ConnectAsync("one", properties: Prop.SessionExpiry(100));
        await client.PublishAsync("a", "kept", 1, retain: true);
        await client.SubscribeAsync("a", 1, Prop.SubscriptionIdentifier(5));
        byte[] identifier = Prop.SubscriptionIdentifier(5);
        await client.ExpectAsync(client.Packets.Publish("a", "kept", 1, 1, retain: true, properties: identifier));
        await client.DropAsync();
        TestClient publisher = await broker.ConnectAsync("publisher");
        await publisher.PublishAsync("a", "queued", 1);
        client = await broker.ConnectAsync("one", cleanStart: false, sessionPresent: true);
        await client.ExpectAsync(
            client.Packets.Publish("a", "kept", 1, 1, retain: true, dup: true, properties: identifier),
            client.Packets.Publish("a", "queued", 1, 2, properties: identifier));
    }

    [Fact]
    [Requirement("MQTT-3.3.4-9")]
    [Requirement("MQTT-4.9.0-1")]
    [Requirement("MQTT-4.9.0-2")]
    public async Task No_more_is_open_toward_a_client_than_its_Receive_Maximum()
    {
        await using var broker = new TestBroker();
        TestClient client = await Check.SubscriberAsync(broker, "a", 2, properties: Prop.ReceiveMaximum(3));
        TestClient publisher = await broker.ConnectAsync("publisher");
        for (int i = 0; i < 8; i++) await publisher.PublishAsync("a", $"{i}", 1 + (i % 2));
        var open = new List<ReceivedPacket>();
        for (int i = 0; i < 3; i++) open.Add(await client.ExpectPublishAsync("a", $"{i}", 1 + (i % 2)));
        await client.ExpectNothingAsync();
        await client.AcknowledgeAsync(open[0]);
        ReceivedPacket fourth = await client.ExpectPublishAsync("a", "3", 2);
        await client.ExpectNothingAsync();
        // PUBREC alone gives nothing back; PUBCOMP does.
        await client.SendAsync(client.Packets.Pubrec(open[1].PacketId));
        await client.ExpectAsync(client.Packets.Pubrel(open[1].PacketId));
        await client.ExpectNothingAsync();
        await client.SendAsync(client.Packets.Pubcomp(open[1].PacketId));
        await client.ExpectPublishAsync("a", "4", 1);
        await client.ExpectNothingAsync();
        // A PUBREC that refuses does.
        await client.SendAsync(client.Packets.Pubrec(fourth.PacketId, ReasonCode.UnspecifiedError));
        await client.ExpectPublishAsync("a", "5", 2);
        await client.ExpectNothingAsync();
    }

    [Fact]
    [Requirement("MQTT-3.3.4-10")]
    [Requirement("MQTT-4.9.0-3")]
    public async Task A_full_Receive_Maximum_holds_back_nothing_else()
    {
        await using var broker = new TestBroker();
        TestClient client = await Check.SubscriberAsync(broker, "a", 1, properties: Prop.ReceiveMaximum(1));
        await client.PublishAsync("a", "1", 1);
        await client.PublishAsync("a", "2", 1);
        await client.ExpectPublishAsync("a", "1", 1);
        await client.SendAsync(
            client.Packets.Publish("a", "0"), Packets.Pingreq(), client.Packets.Subscribe(20, "b", 1), client.Packets.Publish("c", "x", 2, 21));
        await client.ExpectAsync(
            client.Packets.Publish("a", "0"), Packets.Pingresp(), client.Packets.Suback(20, 1), client.Packets.Pubrec(21, ReasonCode.NoMatchingSubscribers));
        await client.SendAsync(client.Packets.Pubrel(21), client.Packets.Unsubscribe(22, "b"), client.Packets.Publish("a", "3", 1, 23));
        await client.ExpectAsync(client.Packets.Pubcomp(21), client.Packets.Unsuback(22, 0), client.Packets.Puback(23));
        await client.ExpectNothingAsync();
    }

    [Fact]
    [Requirement("MQTT-3.3.4-9")]
    [Requirement("MQTT-4.9.0-2")]
    public async Task Neither_is_more_open_after_a_new_connection()
    {
        await using var broker = new TestBroker();
        TestClient client = await Check.SubscriberAsync(broker, "a", 2, "one", Prop.SessionExpiry(100));
        TestClient publisher = await broker.ConnectAsync("publisher");
        for (int i = 0; i < 6; i++) await publisher.PublishAsync("a", $"{i}", i == 0 ? 2 : 1);
        ReceivedPacket released = await client.ExpectPublishAsync("a", "0", 2);
        for (int i = 1; i < 6; i++) await client.ExpectPublishAsync("a", $"{i}", 1);
        await client.SendAsync(client.Packets.Pubrec(released.PacketId));
        await client.ExpectAsync(client.Packets.Pubrel(released.PacketId));
        await client.DropAsync();
        client = await broker.OpenAsync();
        await client.SendAsync(
            client.Packets.Connect("one", cleanStart: false, properties: [.. Prop.SessionExpiry(100), .. Prop.ReceiveMaximum(2)]));
        await client.ExpectConnackAsync(sessionPresent: true);
        await client.ExpectAsync(client.Packets.Pubrel(1), client.Packets.Publish("a", "1", 1, 2, dup: true));
        // The exchange of the old connection may or may not count against the new one's maximum, but two open ones are all there may be.
        await client.SendAsync(client.Packets.Pubcomp(1));
        await client.ExpectAsync(client.Packets.Publish("a", "2", 1, 3, dup: true));
        await client.ExpectNothingAsync();
        // Acknowledging what was not sent again on this connection makes no room either.
        await client.SendAsync(client.Packets.Puback(6));
        await client.ExpectNothingAsync();
        await client.SendAsync(client.Packets.Puback(2));
        await client.ExpectAsync(client.Packets.Publish("a", "3", 1, 4, dup: true));
        await client.ExpectNothingAsync();
    }

    [Fact]
    [Requirement("MQTT-3.3.4-7")]
    [Requirement("MQTT-4.9.0-3")]
    public async Task A_client_may_not_have_more_open_than_the_brokers_Receive_Maximum()
    {
        await using var broker = new TestBroker(TestBrokerOptions.Quiet with { ReceiveMaximum = 2 });
        TestClient client = await broker.ConnectAsync("one");
        Assert.Equal(2u, client.Connack.Properties.Number(PropertyId.ReceiveMaximum));
        Packets packets = client.Packets;
        await client.SendAsync(
            packets.Publish("a", "", 2, 1), packets.Publish("a", "", 2, 2), packets.Publish("a", "", 2, 1, dup: true), packets.Publish("a", "", 0));
        await client.ExpectAsync(packets.Pubrec(1, ReasonCode.NoMatchingSubscribers), packets.Pubrec(2, ReasonCode.NoMatchingSubscribers), packets.Pubrec(1));
        await client.SendAsync(packets.Pubrel(1));
        await client.ExpectAsync(packets.Pubcomp(1));
        await client.SendAsync(packets.Publish("a", "", 2, 3));
        await client.ExpectAsync(packets.Pubrec(3, ReasonCode.NoMatchingSubscribers));
        await client.SendAsync(packets.Publish("a", "", 2, 4));
        await client.ExpectDisconnectAsync(ReasonCode.ReceiveMaximumExceeded);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [Requirement("MQTT-4.9.0-3")]
    public async Task The_brokers_Receive_Maximum_counts_anew_on_a_new_connection(int qos)
    {
        await using var broker = new TestBroker(TestBrokerOptions.Quiet with { ReceiveMaximum = 2 });
        TestClient client = await broker.ConnectAsync("one", properties: Prop.SessionExpiry(100));
        Packets packets = client.Packets;
        await client.SendAsync(packets.Publish("a", "", 2, 1), packets.Publish("a", "", 2, 2));
        await client.ExpectAsync(packets.Pubrec(1, ReasonCode.NoMatchingSubscribers), packets.Pubrec(2, ReasonCode.NoMatchingSubscribers));
        await client.DropAsync();
        client = await broker.ConnectAsync("one", cleanStart: false, properties: Prop.SessionExpiry(100), sessionPresent: true);
        await client.SendAsync(packets.Publish("a", "", qos, 3), packets.Publish("a", "", qos, 4), packets.Pubrel(1), packets.Pubrel(2));
        PacketType type = qos == 1 ? PacketType.Puback : PacketType.Pubrec;
        Assert.Equal(3, (await client.ExpectAsync(type)).PacketId);
        Assert.Equal(4, (await client.ExpectAsync(type)).PacketId);
        await client.ExpectAsync(packets.Pubcomp(1), packets.Pubcomp(2));
        await client.ExpectNothingAsync();
        if (qos == 1) return;
        await client.SendAsync(packets.Pubrel(3), packets.Pubrel(4));
        await client.ExpectAsync(packets.Pubcomp(3), packets.Pubcomp(4));
        await client.SendAsync(packets.Publish("a", "", 2, 5), packets.Publish("a", "", 2, 6));
        await client.ExpectAsync(packets.Pubrec(5, ReasonCode.NoMatchingSubscribers), packets.Pubrec(6, ReasonCode.NoMatchingSubscribers));
        await client.SendAsync(packets.Publish("a", "", 2, 7));
        await client.ExpectDisconnectAsync(ReasonCode.ReceiveMaximumExceeded);
    }
}
