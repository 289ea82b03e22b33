using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Mqtt.Tests;

/// <summary>QoS 0 messages that arrive in the same bytes are delivered together; nobody can tell but by the speed.</summary>
public class BatchTests
{
    private static readonly string[] Payloads = ["one", "two", "three", "four"];

    [Theory]
    [InlineData(ProtocolVersion.V311, ProtocolVersion.V311)]
    [InlineData(ProtocolVersion.V311, ProtocolVersion.V5)]
    [InlineData(ProtocolVersion.V5, ProtocolVersion.V311)]
    [InlineData(ProtocolVersion.V5, ProtocolVersion.V5)]
    public async Task Messages_of_one_receive_arrive_in_order_in_either_version(ProtocolVersion sending, ProtocolVersion receiving)
    {
        await using var broker = new TestBroker();
        TestClient first = await broker.ConnectAsync("first", receiving);
        TestClient second = await broker.ConnectAsync("second", receiving);
        TestClient publisher = await broker.ConnectAsync("publisher", sending);
        await first.SubscribeAsync("t");
        await second.SubscribeAsync("#");
        await publisher.SendAsync([.. Payloads.SelectMany(payload => publisher.Packets.Publish("t", payload))]);
        foreach (TestClient subscriber in new[] { first, second })
        {
            foreach (string payload in Payloads) await subscriber.ExpectAsync(subscriber.Packets.Publish("t", payload));
            await subscriber.ExpectNothingAsync();
        }
    }

    [Fact]
    public async Task Properties_go_to_those_who_can_take_them()
    {
        await using var broker = new TestBroker();
        TestClient old = await broker.ConnectAsync("old", ProtocolVersion.V311);
        TestClient plain = await broker.ConnectAsync("plain");
        TestClient identified = await broker.ConnectAsync("identified");
        TestClient publisher = await broker.ConnectAsync("publisher");
        await old.SubscribeAsync("t");
        await plain.SubscribeAsync("t");
        await identified.SubscribeAsync("t", properties: Prop.SubscriptionIdentifier(9));
        byte[] properties = [.. Prop.MessageExpiry(60), .. Prop.User("a", "1"), .. Prop.User("b", "2")];
        await publisher.SendAsync(
            [.. publisher.Packets.Publish("t", "x", properties: properties), .. publisher.Packets.Publish("t", "y", properties: properties)]);
        foreach (string payload in new[] { "x", "y" })
        {
            await old.ExpectAsync(old.Packets.Publish("t", payload));
            await plain.ExpectAsync(plain.Packets.Publish("t", payload, properties: properties));
            await identified.ExpectAsync(identified.Packets.Publish("t", payload, properties: [.. properties, .. Prop.SubscriptionIdentifier(9)]));
        }
    }

    [Fact]
    public async Task More_messages_than_wait_together_arrive_in_order()
    {
        await using var broker = new TestBroker();
        TestClient all = await broker.ConnectAsync("all");
        TestClient some = await broker.ConnectAsync("some", ProtocolVersion.V311);
        TestClient publisher = await broker.ConnectAsync("publisher");
        await all.SubscribeAsync("#");
        await some.SubscribeAsync("t/7/+");
        (string Topic, string Payload)[] messages = [.. Enumerable.Range(0, 700).Select(i => ($"t/{i / 3 % 11}/{i % 50}", "number " + i))];
        await publisher.SendAsync([.. messages.SelectMany(one => publisher.Packets.Publish(one.Topic, one.Payload))]);
        foreach ((string topic, string payload) in messages)
        {
            await all.ExpectAsync(all.Packets.Publish(topic, payload));
            if (topic.StartsWith("t/7/", StringComparison.Ordinal)) await some.ExpectAsync(some.Packets.Publish(topic, payload));
        }
    }

    [Fact]
    public async Task Topics_may_change_in_the_middle()
    {
        await using var broker = new TestBroker();
        TestClient all = await broker.ConnectAsync("all");
        TestClient one = await broker.ConnectAsync("one");
        TestClient publisher = await broker.ConnectAsync("publisher");
        await all.SubscribeAsync("#");
        await one.SubscribeAsync("b");
        await publisher.SendAsync([.. "aabbabba".SelectMany((topic, i) => publisher.Packets.Publish(topic.ToString(), i.ToString(provider: null)))]);
        string[] topics = ["a", "a", "b", "b", "a", "b", "b", "a"];
        for (int i = 0; i < topics.Length; i++) await all.ExpectPublishAsync(topics[i], i.ToString(provider: null));
        foreach (int i in new[] { 2, 3, 5, 6 }) await one.ExpectPublishAsync("b", i.ToString(provider: null));
        await one.ExpectNothingAsync();
    }

    [Fact]
    public async Task A_message_of_higher_QoS_does_not_overtake_those_that_wait()
    {
        await using var broker = new TestBroker();
        TestClient subscriber = await broker.ConnectAsync("subscriber");
        TestClient publisher = await broker.ConnectAsync("publisher");
        await subscriber.SubscribeAsync("t", options: 1);
        await publisher.SendAsync([
            .. publisher.Packets.Publish("t", "first"), .. publisher.Packets.Publish("t", "second", qos: 1, packetId: 7),
            .. publisher.Packets.Publish("t", "third")]);
        await subscriber.ExpectPublishAsync("t", "first");
        await subscriber.ExpectPublishAsync("t", "second", qos: 1);
        await subscriber.ExpectPublishAsync("t", "third");
        await publisher.ExpectAsync(publisher.Packets.Puback(7));
    }

    [Fact]
    public async Task What_was_published_before_a_subscription_is_not_delivered_to_it()
    {
        await using var broker = new TestBroker();
        TestClient other = await broker.ConnectAsync("other");
        TestClient client = await broker.ConnectAsync("client");
        await other.SubscribeAsync("t");
        await client.SendAsync([
            .. client.Packets.Publish("t", "before"), .. client.Packets.Subscribe(1, "t"), .. client.Packets.Publish("t", "after")]);
        await client.ExpectAsync(client.Packets.Suback(1, 0));
        await client.ExpectPublishAsync("t", "after");
        await client.ExpectNothingAsync();
        await other.ExpectPublishAsync("t", "before");
        await other.ExpectPublishAsync("t", "after");
    }

    [Fact]
    public async Task A_client_with_No_Local_hears_only_the_others()
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.ConnectAsync("client");
        TestClient other = await broker.ConnectAsync("other");
        await client.SubscribeAsync("t", options: 4);
        await other.SubscribeAsync("t");
        await client.SendAsync([.. client.Packets.Publish("t", "a"), .. client.Packets.Publish("t", "b")]);
        await other.ExpectPublishAsync("t", "a");
        await other.ExpectPublishAsync("t", "b");
        await client.ExpectNothingAsync();
    }

    [Fact]
    public async Task What_is_too_large_for_a_client_is_dropped_alone()
    {
        await using var broker = new TestBroker();
        TestClient small = await broker.ConnectAsync("small", properties: Prop.MaximumPacketSize(40));
        TestClient publisher = await broker.ConnectAsync("publisher");
        await small.SubscribeAsync("t");
        await publisher.SendAsync([
            .. publisher.Packets.Publish("t", "fits"), .. publisher.Packets.Publish("t", new string('x', 100)), .. publisher.Packets.Publish("t", "fits too")]);
        await small.ExpectPublishAsync("t", "fits");
        await small.ExpectPublishAsync("t", "fits too");
        await small.ExpectNothingAsync();
        Assert.Equal(1, broker.Broker.CountTraffic().PublishesDropped);
    }

    [Fact]
    public async Task Aliases_are_given_within_a_batch()
    {
        await using var broker = new TestBroker();
        TestClient aliased = await broker.ConnectAsync("aliased", properties: Prop.TopicAliasMaximum(5));
        TestClient publisher = await broker.ConnectAsync("publisher");
        await aliased.SubscribeAsync("t");
        await publisher.SendAsync([.. publisher.Packets.Publish("t", "a"), .. publisher.Packets.Publish("t", "b")]);
        await aliased.ExpectAsync(aliased.Packets.Publish("t", "a", properties: Prop.TopicAlias(1)));
        await aliased.ExpectAsync(aliased.Packets.Publish("", "b", properties: Prop.TopicAlias(1)));
    }

    [Fact]
    public async Task A_batch_goes_under_the_aliases_of_each_receiver()
    {
        await using var broker = new TestBroker();
        TestClient one = await broker.ConnectAsync("one", properties: Prop.TopicAliasMaximum(5));
        TestClient other = await broker.ConnectAsync("other", properties: Prop.TopicAliasMaximum(5));
        TestClient publisher = await broker.ConnectAsync("publisher");
        await one.SubscribeAsync("+");
        await other.SubscribeAsync("+");
        // So that the same topic has another alias with each.
        await one.SubscribeAsync("one/+");
        byte[] expiry = Prop.MessageExpiry(60);
        await publisher.SendAsync([.. publisher.Packets.Publish("one/x", "0"), .. publisher.Packets.Publish("a", "1")]);
        await one.ExpectAsync(one.Packets.Publish("one/x", "0", properties: Prop.TopicAlias(1)));
        await one.ExpectAsync(one.Packets.Publish("a", "1", properties: Prop.TopicAlias(2)));
        await other.ExpectAsync(other.Packets.Publish("a", "1", properties: Prop.TopicAlias(1)));
        byte[] withExpiry = publisher.Packets.Publish("a", "2", properties: [.. expiry, .. Prop.User("k", "v")]);
        await publisher.SendAsync([.. withExpiry, .. withExpiry]);
        for (int i = 0; i < 2; i++)
        {
            await one.ExpectAsync(one.Packets.Publish("", "2", properties: [.. expiry, .. Prop.TopicAlias(2), .. Prop.User("k", "v")]));
            await other.ExpectAsync(other.Packets.Publish("", "2", properties: [.. expiry, .. Prop.TopicAlias(1), .. Prop.User("k", "v")]));
        }
    }

    [Fact]
    public async Task Everything_is_counted()
    {
        await using var broker = new TestBroker();
        TestClient subscriber = await broker.ConnectAsync("subscriber");
        TestClient publisher = await broker.ConnectAsync("publisher");
        await subscriber.SubscribeAsync("t");
        long sentBefore = broker.Broker.CountTraffic().PublishesSent;
        await publisher.SendAsync([.. Payloads.SelectMany(payload => publisher.Packets.Publish("t", payload))]);
        foreach (string payload in Payloads) await subscriber.ExpectPublishAsync("t", payload);
        Assert.Equal(sentBefore + 4, broker.Broker.CountTraffic().PublishesSent);
        Assert.Equal(Payloads.Sum(payload => payload.Length), broker.Broker.CountTraffic().PublishBytesSent);
    }
}
