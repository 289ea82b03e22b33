namespace EdgeBroker.Conformance.Tests.V5;

public sealed class Section_4_8_Shared_subscriptions
{
    private const string Filter = "$share/g/a";

    [Theory]
    [InlineData("$share//a")]
    [InlineData("$share/g")]
    [InlineData("$share/g/")]
    [InlineData("$share/")]
    [InlineData("$share/g+/a")]
    [InlineData("$share/#/a")]
    [InlineData("$share/g/a/#/b")]
    [Requirement("MQTT-4.8.2-1")]
    [Requirement("MQTT-4.8.2-2")]
    public async Task A_misformed_shared_filter_is_malformed(string filter) =>
        await Check.DisconnectsAsync(Packets.V5.Subscribe(1, filter), ReasonCode.MalformedPacket);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Connected_members_take_fair_turns(int qos)
    {
        await using var broker = new TestBroker();
        TestClient[] members =
        [
            await Check.SubscriberAsync(broker, Filter, 2, "m1"),
            await Check.SubscriberAsync(broker, Filter, 2, "m2"),
            await Check.SubscriberAsync(broker, Filter, 2, "m3"),
        ];
        TestClient ordinary = await Check.SubscriberAsync(broker, "a", 0, "ordinary");
        TestClient otherGroup = await Check.SubscriberAsync(broker, "$share/h/#", 0, "other");
        TestClient publisher = await broker.ConnectAsync("publisher");
        for (int i = 0; i < 30; i++) await publisher.PublishAsync("a", $"{i}", qos);
        foreach (TestClient member in members)
        {
            for (int i = 0; i < 10; i++) await member.AcknowledgeAsync(await member.ExpectAsync(PacketType.Publish));
            await member.ExpectNothingAsync();
        }

        for (int i = 0; i < 30; i++) await ordinary.ExpectPublishAsync("a", $"{i}");
        for (int i = 0; i < 30; i++) await otherGroup.ExpectPublishAsync("a", $"{i}");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [Requirement("MQTT-4.8.2-3")]
    public async Task Each_member_gets_its_own_QoS(int granted)
    {
        await using var broker = new TestBroker();
        TestClient member = await Check.SubscriberAsync(broker, Filter, granted, "member");
        TestClient publisher = await broker.ConnectAsync("publisher");
        for (int qos = 0; qos <= 2; qos++)
        {
            await publisher.PublishAsync("a", "x", qos);
            await member.AcknowledgeAsync(await member.ExpectPublishAsync("a", "x", Math.Min(qos, granted)));
        }
    }

    [Fact]
    public async Task No_kept_message_goes_to_a_shared_subscription()
    {
        await using var broker = new TestBroker();
        TestClient member = await broker.ConnectAsync("member");
        await member.PublishAsync("a", "kept", retain: true);
        await member.SubscribeAsync(Filter, 1);
        await member.ExpectNothingAsync();
    }

    [Fact]
    public async Task Members_that_are_away_take_nothing_while_others_are_there()
    {
        await using var broker = new TestBroker();
        TestClient away = await Check.SubscriberAsync(broker, Filter, 1, "away", Prop.SessionExpiry(100));
        await away.DropAsync();
        TestClient there = await Check.SubscriberAsync(broker, Filter, 1, "there", Prop.ReceiveMaximum(2));
        TestClient publisher = await broker.ConnectAsync("publisher");
        for (int i = 0; i < 6; i++) await publisher.PublishAsync("a", $"{i}", 1);
        for (int i = 0; i < 6; i++) await there.AcknowledgeAsync(await there.ExpectPublishAsync("a", $"{i}", 1));
        away = await broker.ConnectAsync("away", cleanStart: false, sessionPresent: true);
        await away.ExpectNothingAsync();
    }

    [Fact]
    public async Task With_nobody_there_the_group_keeps_messages_for_its_sessions()
    {
        await using var broker = new TestBroker();
        TestClient away = await Check.SubscriberAsync(broker, Filter, 1, "away", Prop.SessionExpiry(100));
        await away.DropAsync();
        TestClient publisher = await broker.ConnectAsync("publisher");
        await publisher.PublishAsync("a", "0", 0);
        await publisher.PublishAsync("a", "1", 1);
        away = await broker.ConnectAsync("away", cleanStart: false, sessionPresent: true);
        await away.ExpectPublishAsync("a", "1", 1);
        await away.ExpectNothingAsync();
    }

    [Fact]
    public async Task Open_QoS_1_messages_of_a_session_that_ends_go_to_another_member()
    {
        await using var broker = new TestBroker();
        TestClient leaving = await Check.SubscriberAsync(broker, Filter, 1, "leaving", Prop.ReceiveMaximum(1));
        TestClient publisher = await broker.ConnectAsync("publisher");
        for (int i = 0; i < 3; i++) await publisher.PublishAsync("a", $"{i}", 1, properties: Prop.User("n", $"{i}"));
        await leaving.ExpectPublishAsync("a", "0", 1);
        TestClient staying = await Check.SubscriberAsync(broker, Filter, 1, "staying");
        await leaving.DropAsync();
        for (int i = 0; i < 3; i++)
        {
            ReceivedPacket message = await staying.ExpectPublishAsync("a", $"{i}", 1);
            Assert.Equal([("n", $"{i}")], message.Properties.User);
            await staying.AcknowledgeAsync(message);
        }

        await staying.ExpectNothingAsync();
    }

    [Fact]
    [Requirement("MQTT-4.8.2-4")]
    public async Task A_delivery_begun_is_finished_with_the_member_when_it_comes_back()
    {
        await using var broker = new TestBroker();
        TestClient member = await Check.SubscriberAsync(broker, Filter, 2, "member", Prop.SessionExpiry(100));
        TestClient publisher = await broker.ConnectAsync("publisher");
        await publisher.PublishAsync("a", "1", 2);
        await publisher.PublishAsync("a", "2", 2);
        await member.ExpectPublishAsync("a", "1", 2);
        await member.ExpectPublishAsync("a", "2", 2);
        await member.SendAsync(member.Packets.Pubrec(1));
        await member.ExpectAsync(member.Packets.Pubrel(1));
        TestClient other = await Check.SubscriberAsync(broker, Filter, 2, "other");
        await member.DropAsync();
        await other.ExpectNothingAsync();
        member = await broker.ConnectAsync("member", cleanStart: false, sessionPresent: true);
        await member.ExpectAsync(member.Packets.Pubrel(1), member.Packets.Publish("a", "2", 2, 2, dup: true));
        await other.ExpectNothingAsync();
    }

    [Fact]
    [Requirement("MQTT-4.8.2-5")]
    public async Task A_QoS_2_delivery_begun_goes_to_nobody_else()
    {
        await using var broker = new TestBroker();
        TestClient member = await Check.SubscriberAsync(broker, Filter, 2, "member", [.. Prop.SessionExpiry(100), .. Prop.ReceiveMaximum(1)]);
        TestClient publisher = await broker.ConnectAsync("publisher");
        await publisher.PublishAsync("a", "begun", 2);
        await publisher.PublishAsync("a", "waiting", 2);
        await member.ExpectPublishAsync("a", "begun", 2);
        TestClient other = await Check.SubscriberAsync(broker, Filter, 2, "other");
        await member.DropAsync();
        await other.ExpectNothingAsync();
        broker.Advance(100);
        await other.AcknowledgeAsync(await other.ExpectPublishAsync("a", "waiting", 2));
        await other.ExpectNothingAsync();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [Requirement("MQTT-4.8.2-6")]
    public async Task What_a_member_refuses_no_other_gets(int qos)
    {
        await using var broker = new TestBroker();
        TestClient member = await Check.SubscriberAsync(broker, Filter, 2, "member", Prop.SessionExpiry(100));
        TestClient publisher = await broker.ConnectAsync("publisher");
        await publisher.PublishAsync("a", "x", qos);
        ReceivedPacket message = await member.ExpectPublishAsync("a", "x", qos);
        TestClient other = await Check.SubscriberAsync(broker, Filter, 2, "other");
        await member.SendAsync(
            qos == 1
                ? member.Packets.Puback(message.PacketId, ReasonCode.ImplementationSpecificError)
                : member.Packets.Pubrec(message.PacketId, ReasonCode.ImplementationSpecificError));
        await member.ExpectNothingAsync();
        await member.DropAsync();
        broker.Advance(1000);
        await other.ExpectNothingAsync();
    }

    [Fact]
    public async Task A_member_that_leaves_the_group_gets_nothing_more()
    {
        await using var broker = new TestBroker();
        TestClient one = await Check.SubscriberAsync(broker, Filter, 1, "one");
        TestClient two = await Check.SubscriberAsync(broker, Filter, 1, "two");
        await one.UnsubscribeAsync(Filter);
        for (int i = 0; i < 4; i++) await one.PublishAsync("a", $"{i}", 1);
        for (int i = 0; i < 4; i++) await two.ExpectPublishAsync("a", $"{i}", 1);
        await one.ExpectNothingAsync();
        await two.DropAsync();
        Assert.Equal(0, broker.Broker.Subscriptions.SharedCount);
    }

    [Fact]
    public async Task A_client_may_be_subscribed_both_ways()
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.ConnectAsync("one");
        await client.SubscribeAsync(Filter, 0, Prop.SubscriptionIdentifier(1));
        await client.SubscribeAsync("a", 0, Prop.SubscriptionIdentifier(2));
        await client.PublishAsync("a", "x");
        List<ReceivedPacket> copies = await client.ExpectPublishesInAnyOrderAsync("x", "x");
        Assert.Equal([1u, 2u], copies.SelectMany(one => one.Properties.SubscriptionIdentifiers).Order());
        await client.ExpectNothingAsync();
    }
}
