namespace EdgeBroker.Conformance.Tests.V5;

/// <summary>RETAIN (3.3.1.3) and the subscription options about it (3.8.3.1).</summary>
public sealed class Section_3_3_Publish_retain
{
    private const int RetainAsPublished = 0x08;
    private const int SendIfNew = 0x10;
    private const int DoNotSend = 0x20;

    [Fact]
    [Requirement("MQTT-3.3.1-5")]
    [Requirement("MQTT-3.3.1-9")]
    public async Task The_last_retained_message_is_kept_with_its_QoS_and_properties()
    {
        await using var broker = new TestBroker();
        TestClient publisher = await broker.ConnectAsync("publisher");
        await publisher.PublishAsync("a", "old", 0, retain: true);
        await publisher.PublishAsync("a", "new", 2, retain: true, properties: [.. Prop.User("k", "v"), .. Prop.ContentType("t")]);
        TestClient subscriber = await Check.SubscriberAsync(broker, "a", 2);
        await subscriber.ExpectAsync(
            subscriber.Packets.Publish("a", "new", 2, 1, retain: true, properties: [.. Prop.User("k", "v"), .. Prop.ContentType("t")]));
        await publisher.PublishAsync("a", "newest", 0, retain: true);
        await subscriber.ExpectPublishAsync("a", "newest");
        TestClient late = await Check.SubscriberAsync(broker, "a", 2, "late");
        await late.ExpectPublishAsync("a", "newest", 0, retain: true);
        await late.ExpectNothingAsync();
    }

    [Fact]
    [Requirement("MQTT-3.3.1-6")]
    [Requirement("MQTT-3.3.1-7")]
    public async Task An_empty_retained_message_removes_the_kept_one_and_is_delivered()
    {
        await using var broker = new TestBroker();
        TestClient subscriber = await Check.SubscriberAsync(broker, "a", 1 | RetainAsPublished);
        TestClient publisher = await broker.ConnectAsync("publisher");
        await publisher.PublishAsync("a", "x", 1, retain: true);
        await publisher.PublishAsync("a", "", 1, retain: true);
        await publisher.PublishAsync("b", "", 1, retain: true);
        await subscriber.ExpectPublishAsync("a", "x", 1, retain: true);
        await subscriber.ExpectPublishAsync("a", "", 1, retain: true);
        Assert.Equal(0, broker.Broker.Retained.Count);
        TestClient late = await Check.SubscriberAsync(broker, "#", 1, "late");
        await late.ExpectNothingAsync();
    }

    [Fact]
    [Requirement("MQTT-3.3.1-8")]
    public async Task An_ordinary_message_leaves_the_kept_one_alone()
    {
        await using var broker = new TestBroker();
        TestClient publisher = await broker.ConnectAsync("publisher");
        await publisher.PublishAsync("a", "kept", 1, retain: true);
        await publisher.PublishAsync("a", "passing", 1);
        await publisher.PublishAsync("a", "", 1);
        await publisher.PublishAsync("b", "passing", 1);
        TestClient late = await Check.SubscriberAsync(broker, "#", 1);
        await late.ExpectPublishAsync("a", "kept", 1, retain: true);
        await late.ExpectNothingAsync();
    }

    [Fact]
    [Requirement("MQTT-3.3.1-9")]
    [Requirement("MQTT-3.8.4-4")]
    [Requirement("MQTT-3.8.4-3")]
    public async Task Retain_handling_0_sends_at_every_subscribing()
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.ConnectAsync("one");
        await client.PublishAsync("a/b", "x", retain: true);
        for (int i = 0; i < 3; i++)
        {
            await client.SubscribeAsync("a/#", 1);
            await client.ExpectPublishAsync("a/b", "x", retain: true);
        }

        await client.ExpectNothingAsync();
        Assert.Equal(1, broker.Broker.Subscriptions.Count);
    }

    [Fact]
    [Requirement("MQTT-3.3.1-10")]
    public async Task Retain_handling_1_sends_to_new_subscriptions()
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.ConnectAsync("one", properties: Prop.SessionExpiry(100));
        await client.PublishAsync("a", "x", retain: true);
        await client.SubscribeAsync("a", SendIfNew);
        await client.ExpectPublishAsync("a", "x", retain: true);
        await client.SubscribeAsync("a", SendIfNew);
        await client.ExpectNothingAsync();
        await client.DropAsync();
        client = await broker.ConnectAsync("one", cleanStart: false, properties: Prop.SessionExpiry(100), sessionPresent: true);
        await client.SubscribeAsync("a", SendIfNew);
        await client.ExpectNothingAsync();
        await client.UnsubscribeAsync("a");
        await client.SubscribeAsync("a", SendIfNew);
        await client.ExpectPublishAsync("a", "x", retain: true);
    }

    [Fact]
    [Requirement("MQTT-3.3.1-11")]
    public async Task Retain_handling_2_sends_none()
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.ConnectAsync("one");
        await client.PublishAsync("a", "x", retain: true);
        await client.SubscribeAsync("a", DoNotSend);
        await client.SubscribeAsync("a", DoNotSend);
        await client.ExpectNothingAsync();
    }

    [Fact]
    [Requirement("MQTT-3.3.1-12")]
    [Requirement("MQTT-3.3.1-13")]
    public async Task RETAIN_is_forwarded_only_to_who_wants_it_as_published()
    {
        await using var broker = new TestBroker();
        TestClient plain = await Check.SubscriberAsync(broker, "a", 1, "plain");
        TestClient published = await Check.SubscriberAsync(broker, "a", 1 | RetainAsPublished, "published");
        TestClient publisher = await broker.ConnectAsync("publisher");
        await publisher.PublishAsync("a", "kept", 1, retain: true);
        await publisher.PublishAsync("a", "passing", 0);
        await plain.ExpectPublishAsync("a", "kept", 1, retain: false);
        await plain.ExpectPublishAsync("a", "passing", 0, retain: false);
        await published.ExpectPublishAsync("a", "kept", 1, retain: true);
        await published.ExpectPublishAsync("a", "passing", 0, retain: false);
    }

    [Fact]
    public async Task A_kept_message_expires()
    {
        await using var broker = new TestBroker();
        TestClient publisher = await broker.ConnectAsync("publisher");
        await publisher.PublishAsync("a", "x", retain: true, properties: Prop.MessageExpiry(10));
        broker.Advance(4);
        TestClient early = await Check.SubscriberAsync(broker, "a", 0, "early");
        Assert.Equal(6u, (await early.ExpectPublishAsync("a", "x", retain: true)).Properties.Number(PropertyId.MessageExpiryInterval));
        broker.Advance(6);
        TestClient late = await Check.SubscriberAsync(broker, "a", 0, "late");
        await late.ExpectNothingAsync();
        broker.RunDue();
        Assert.Equal(0, broker.Broker.Retained.Count);
    }

    [Fact]
    [Requirement("MQTT-3.3.1-9")]
    [Requirement("MQTT-3.3.4-9")]
    public async Task Kept_messages_keep_to_the_Receive_Maximum_and_all_arrive()
    {
        await using var broker = new TestBroker();
        TestClient publisher = await broker.ConnectAsync("publisher");
        for (int i = 0; i < 10; i++) await publisher.PublishAsync($"a/{i}", $"{i}", 1, retain: true);
        TestClient subscriber = await Check.SubscriberAsync(broker, "a/#", 1, properties: Prop.ReceiveMaximum(2));
        var received = new List<string>();
        for (int i = 0; i < 10; i++)
        {
            ReceivedPacket message = await subscriber.ExpectAsync(PacketType.Publish);
            received.Add(message.PayloadText);
            await subscriber.AcknowledgeAsync(message);
        }

        Assert.Equal(10, received.Distinct().Count());
        await subscriber.ExpectNothingAsync();
    }

    [Fact]
    public async Task Many_kept_messages_all_arrive()
    {
        await using var broker = new TestBroker();
        TestClient publisher = await broker.ConnectAsync("publisher");
        await publisher.SendAsync([.. Enumerable.Range(0, 3000).Select(i => publisher.Packets.Publish($"a/{i % 7}/{i}", $"{i}", retain: true))]);
        await publisher.FenceAsync();
        TestClient subscriber = await Check.SubscriberAsync(broker, "a/+/#");
        var topics = new HashSet<string>();
        for (int i = 0; i < 3000; i++) topics.Add((await subscriber.ExpectAsync(PacketType.Publish)).Topic);
        Assert.Equal(3000, topics.Count);
        await subscriber.ExpectNothingAsync();
    }

    [Fact]
    [Requirement("MQTT-4.7.2-1")]
    public async Task Kept_messages_below_a_dollar_are_not_met_by_wildcards()
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.ConnectAsync("one");
        await client.PublishAsync("$mine/x", "x", retain: true);
        await client.SubscribeAsync("#");
        await client.SubscribeAsync("+/x");
        await client.ExpectNothingAsync();
        await client.SubscribeAsync("$mine/#");
        await client.ExpectPublishAsync("$mine/x", "x", retain: true);
    }
}
