namespace EdgeBroker.Conformance.Tests.V311;

/// <summary>SUBSCRIBE and SUBACK (3.8, 3.9).</summary>
public sealed class Section_3_8_Subscribe
{
    [Fact]
    [Requirement("MQTT-3.8.3-3", "3.1.1")]
    public async Task There_is_at_least_one_filter_with_its_QoS()
    {
        await Check.CutsOffAsync(Wire.Packet(0x82, 0, 1));
        await Check.CutsOffAsync(Wire.Packet(0x82, [0, 1, .. Wire.Text("a")]));
        await Check.CutsOffAsync(Wire.Packet(0x82, [0, 1, .. Wire.Text("a"), 0, .. Wire.Text("b")]));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(0x04)]
    [InlineData(0x08)]
    [InlineData(0x10)]
    [InlineData(0x21)]
    [InlineData(0x40)]
    [InlineData(0x82)]
    [Requirement("MQTT-3.8.3-4", "3.1.1")]
    public async Task Anything_but_QoS_0_to_2_closes_the_connection(int requested)
    {
        await Check.CutsOffAsync(Check.Packets.Subscribe(1, "a", requested));
        await Check.CutsOffAsync(Check.Packets.Subscribe(1, null, ("a", 0), ("b", requested)));
    }

    [Fact]
    [Requirement("MQTT-3.8.4-1", "3.1.1")]
    [Requirement("MQTT-3.8.4-2", "3.1.1")]
    [Requirement("MQTT-3.8.4-4", "3.1.1")]
    [Requirement("MQTT-3.8.4-5", "3.1.1")]
    [Requirement("MQTT-3.9.3-1", "3.1.1")]
    [Requirement("MQTT-3.9.3-2", "3.1.1")]
    public async Task SUBACK_answers_every_filter_in_order()
    {
        await using var broker = new TestBroker(TestBrokerOptions.Quiet with { MaxTopicLevels = 4, MaxSubscriptionsPerClient = 3 });
        TestClient client = await broker.JoinAsync("one");
        await client.SendAsync(Check.Packets.Subscribe(0xBEEF, null, ("a", 0), ("b", 2), (Check.Levels(5), 1), ("c", 1), ("one too many", 2), ("b", 1)));
        await client.ExpectAsync([0x90, 8, 0xBE, 0xEF, 0, 2, 0x80, 1, 0x80, 1]);
        TestClient publisher = await broker.JoinAsync("publisher");
        foreach (string topic in new[] { "a", "b", Check.Levels(4), "c", "one too many" }) await publisher.PublishAsync(topic, topic, 2);
        await client.ExpectPublishAsync("a", "a", 0);
        await client.ExpectPublishAsync("b", "b", 1);
        await client.ExpectPublishAsync("c", "c", 1);
        await client.ExpectNothingAsync();
    }

    [Theory]
    [InlineData(0, 2)]
    [InlineData(2, 1)]
    [InlineData(1, 1)]
    [Requirement("MQTT-3.8.4-3", "3.1.1")]
    public async Task An_identical_filter_replaces_the_subscription(int first, int second)
    {
        await using var broker = new TestBroker();
        await broker.PublishAsync("a/b", "kept", 2, retain: true);
        TestClient client = await broker.SubscriberAsync("a/+", first);
        await client.AcknowledgeAsync(await client.ExpectPublishAsync("a/b", "kept", first, retain: true));
        TestClient publisher = await broker.JoinAsync("publisher");
        await publisher.PublishAsync("a/c", "before", 2);
        ReceivedPacket before = await client.ExpectPublishAsync("a/c", "before", first);
        await client.SubscribeAsync("a/+", second);
        await client.AcknowledgeAsync(await client.ExpectPublishAsync("a/b", "kept", second, retain: true));
        await client.AcknowledgeAsync(before);
        await publisher.PublishAsync("a/c", "after", 2);
        await client.AcknowledgeAsync(await client.ExpectPublishAsync("a/c", "after", second));
        await client.ExpectNothingAsync();
        await client.UnsubscribeAsync("a/+");
        await publisher.PublishAsync("a/c", "unwanted", 2);
        await client.ExpectNothingAsync();
    }

    [Fact]
    [Requirement("MQTT-3.8.4-4", "3.1.1")]
    public async Task Several_filters_act_as_several_subscriptions()
    {
        await using var broker = new TestBroker();
        await broker.PublishAsync("a", "kept a", 1, retain: true);
        await broker.PublishAsync("b", "kept b", 1, retain: true);
        TestClient client = await broker.JoinAsync("one");
        await client.SendAsync(Check.Packets.Subscribe(3, null, ("a", 1), ("b", 0)));
        await client.ExpectAsync(Check.Packets.Suback(3, 1, 0));
        await client.ExpectPublishAsync("a", "kept a", 1, retain: true);
        await client.ExpectPublishAsync("b", "kept b", 0, retain: true);
        await client.ExpectNothingAsync();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [Requirement("MQTT-3.8.4-6", "3.1.1")]
    public async Task The_lower_of_published_and_granted_QoS_holds(int granted)
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.SubscriberAsync("a", granted);
        for (int published = 0; published <= 2; published++)
        {
            await broker.PublishAsync("a", $"{published}", published);
            await client.AcknowledgeAsync(await client.ExpectPublishAsync("a", $"{published}", Math.Min(published, granted)));
        }

        await client.ExpectNothingAsync();
    }
}
