using EdgeBroker.Core;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Security;
using EdgeBroker.Mqtt.Connections;
using EdgeBroker.Mqtt.Tests.Rig;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Mqtt.Tests.Limits;

/// <summary>publishes_per_client and bytes_per_client: what comes back, byte for byte, and when.</summary>
public sealed class PublishLimitTests
{
    private static readonly RateLimit TwoThenOneASecond = new(1, TimeSpan.FromSeconds(1), 2) { Text = "1/s" };

    [Theory]
    [InlineData(ProtocolVersion.V311)]
    [InlineData(ProtocolVersion.V5)]
    public async Task Delay_leaves_the_excess_unread_and_loses_nothing(ProtocolVersion version)
    {
        await using var broker = new TestBroker(With(TwoThenOneASecond));
        TestClient subscriber = await broker.ConnectAsync("s");
        await subscriber.SubscribeAsync("#", 1);
        TestClient publisher = await broker.ConnectAsync("p", version);
        Packets packets = publisher.Packets;
        await publisher.SendAsync([.. Enumerable.Range(1, 4).Select(i => packets.Publish("t", "m" + i, 1, i)), Packets.Pingreq()]);
        await publisher.ExpectAsync(packets.Puback(1), packets.Puback(2));
        await subscriber.ExpectPublishAsync("t", "m1", 1);
        await subscriber.ExpectPublishAsync("t", "m2", 1);
        await broker.Events.WaitForAsync(one => one is { Kind: BrokerEventKind.Limited, ClientId: "p" }, "the publisher to be held up");
        Assert.Equal(1, broker.Broker.Limits.Counters[LimitKind.PublishesPerClient, LimitAction.Delayed]);
        await subscriber.ExpectNothingAsync();
        await broker.AdvanceUntilAsync(publisher.ExpectAsync(packets.Puback(3)));
        await broker.AdvanceUntilAsync(publisher.ExpectAsync(packets.Puback(4)));
        await publisher.ExpectAsync(Packets.Pingresp());
        await subscriber.ExpectPublishAsync("t", "m3", 1);
        await subscriber.ExpectPublishAsync("t", "m4", 1);
        Assert.Equal(0, broker.Broker.CountTraffic().PublishesDropped);
        Assert.Equal("Delayed by limits.publishes_per_client (1/s, burst 2)", broker.Events.All.First(one => one.Kind == BrokerEventKind.Limited).Text);
    }

    [Fact]
    public async Task What_is_no_publish_goes_on_until_one_comes()
    {
        await using var broker = new TestBroker(With(TwoThenOneASecond));
        TestClient client = await broker.ConnectAsync("p");
        await client.SendAsync(client.Packets.Publish("t"), client.Packets.Publish("t"));
        for (int i = 0; i < 10; i++) await client.ExpectNothingAsync();
        Assert.Equal(0, broker.Broker.Limits.Counters[LimitKind.PublishesPerClient, LimitAction.Delayed]);
    }

    [Fact]
    public async Task Who_is_held_up_does_not_miss_its_keep_alive()
    {
        await using var broker = new TestBroker(With(new RateLimit(1, TimeSpan.FromMinutes(10), 1)));
        TestClient client = await broker.ConnectAsync("p", keepAliveSeconds: 100);
        await client.SendAsync(client.Packets.Publish("t", "1", 1, 1), client.Packets.Publish("t", "2", 1, 2), Packets.Pingreq());
        await client.ExpectAsync(client.Packets.Puback(1, ReasonCode.NoMatchingSubscribers));
        await broker.Events.WaitForAsync(one => one.Kind == BrokerEventKind.Limited, "the publisher to be held up");
        for (int i = 0; i < 59; i++) broker.Advance(10);
        await broker.AdvanceUntilAsync(client.ExpectAsync(client.Packets.Puback(2, ReasonCode.NoMatchingSubscribers)));
        await client.ExpectAsync(Packets.Pingresp());
        broker.Advance(100);
        await client.FenceAsync();
        await broker.AdvanceUntilAsync(client.ExpectDisconnectAsync(ReasonCode.KeepAliveTimeout), stepSeconds: 10);
    }

    [Fact]
    public async Task Drop_tells_a_5_0_client_0x97_and_forgets_the_identifier()
    {
        await using var broker = new TestBroker(With(TwoThenOneASecond with { OnExceed = ExceedAction.Drop }));
        TestClient subscriber = await broker.ConnectAsync("s");
        await subscriber.SubscribeAsync("#", 2);
        TestClient client = await broker.ConnectAsync("p", properties: Prop.RequestProblemInformation(0));
        Packets packets = client.Packets;
        await client.SendAsync(packets.Publish("t", "1", 1, 1), packets.Publish("t", "2", 2, 2));
        await client.ExpectAsync(packets.Puback(1), packets.Pubrec(2));
        await client.SendAsync(
            packets.Publish("t", "3", 0), packets.Publish("t", "4", 1, 4), packets.Publish("t", "5", 2, 5), packets.Publish("t", "2", 2, 2, dup: true),
            packets.Pubrel(2), packets.Pubrel(5));
        await client.ExpectAsync(
            packets.Puback(4, ReasonCode.QuotaExceeded), packets.Pubrec(5, ReasonCode.QuotaExceeded), packets.Pubrec(2), packets.Pubcomp(2),
            packets.Pubcomp(5));
        await subscriber.ExpectPublishAsync("t", "1", 1);
        await subscriber.ExpectPublishAsync("t", "2", 2);
        await subscriber.ExpectNothingAsync();
        Assert.Equal(3, broker.Broker.Limits.Counters[LimitKind.PublishesPerClient, LimitAction.Dropped]);
        Assert.Equal(3, broker.Broker.CountTraffic().PublishesDropped);
        broker.Advance(1);
        await client.SendAsync(packets.Publish("t", "again", 2, 5));
        await client.ExpectAsync(packets.Pubrec(5));
    }

    [Fact]
    public async Task Drop_says_why_in_words_to_who_wants_them()
    {
        await using var broker = new TestBroker(With(TwoThenOneASecond with { OnExceed = ExceedAction.Drop, Burst = 1 }));
        TestClient client = await broker.ConnectAsync("p");
        await client.SendAsync(client.Packets.Publish("t", "1", 1, 1), client.Packets.Publish("t", "2", 1, 2));
        await client.ExpectAsync(
            client.Packets.Puback(1, ReasonCode.NoMatchingSubscribers),
            client.Packets.Puback(2, ReasonCode.QuotaExceeded, Prop.ReasonString("limits.publishes_per_client is reached")));
    }

    [Fact]
    public async Task Drop_delays_a_3_1_1_client_above_QoS_0_since_it_could_not_be_told()
    {
        await using var broker = new TestBroker(With(TwoThenOneASecond with { OnExceed = ExceedAction.Drop }));
        TestClient subscriber = await broker.ConnectAsync("s");
        await subscriber.SubscribeAsync("#");
        TestClient client = await broker.ConnectAsync("p", ProtocolVersion.V311);
        Packets packets = client.Packets;
        await client.SendAsync(packets.Publish("t", "1"), packets.Publish("t", "2"), packets.Publish("t", "dropped"), packets.Publish("t", "kept", 1, 7));
        await subscriber.ExpectPublishAsync("t", "1");
        await subscriber.ExpectPublishAsync("t", "2");
        await broker.Events.WaitForAsync(one => one.Text.StartsWith("Delayed", StringComparison.Ordinal), "the publisher to be held up");
        await broker.AdvanceUntilAsync(client.ExpectAsync(packets.Puback(7)));
        await subscriber.ExpectPublishAsync("t", "kept");
        await subscriber.ExpectNothingAsync();
        Assert.Equal(1, broker.Broker.Limits.Counters[LimitKind.PublishesPerClient, LimitAction.Dropped]);
    }

    [Fact]
    public async Task The_alias_of_a_dropped_publish_holds()
    {
        await using var broker = new TestBroker(With(TwoThenOneASecond with { OnExceed = ExceedAction.Drop, Burst = 1 }));
        TestClient subscriber = await broker.ConnectAsync("s");
        await subscriber.SubscribeAsync("#");
        TestClient client = await broker.ConnectAsync("p");
        await client.SendAsync(client.Packets.Publish("a", "1"), client.Packets.Publish("b/c", "dropped", properties: Prop.TopicAlias(1)));
        await client.FenceAsync();
        broker.Advance(1);
        await client.SendAsync(client.Packets.Publish("", "2", properties: Prop.TopicAlias(1)));
        await subscriber.ExpectPublishAsync("a", "1");
        await subscriber.ExpectPublishAsync("b/c", "2");
    }

    [Theory]
    [InlineData(ProtocolVersion.V311)]
    [InlineData(ProtocolVersion.V5)]
    public async Task Disconnect_ends_the_connection_with_0x96(ProtocolVersion version)
    {
        await using var broker = new TestBroker(With(TwoThenOneASecond with { OnExceed = ExceedAction.Disconnect }));
        TestClient client = await broker.ConnectAsync("p", version);
        await client.SendAsync(client.Packets.Publish("t"), client.Packets.Publish("t"));
        await client.ExpectNothingAsync();
        await client.SendAsync(client.Packets.Publish("t"));
        await client.ExpectDisconnectAsync(ReasonCode.MessageRateTooHigh);
        Assert.Equal(1, broker.Broker.Limits.Counters[LimitKind.PublishesPerClient, LimitAction.Disconnected]);
        Assert.Contains(
            "limits.publishes_per_client (1/s, burst 2)", broker.Events.All.First(one => one.Kind == BrokerEventKind.Disconnected).Text,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_connection_has_a_limit_of_its_own()
    {
        await using var broker = new TestBroker(With(TwoThenOneASecond with { OnExceed = ExceedAction.Drop }));
        for (int i = 0; i < 3; i++)
        {
            TestClient client = await broker.ConnectAsync("p" + i);
            await client.PublishAsync("t", "1", 1);
            await client.PublishAsync("t", "2", 1);
        }

        Assert.Equal(0, broker.Broker.Limits.Counters[LimitKind.PublishesPerClient, LimitAction.Dropped]);
    }

    [Fact]
    public async Task Bytes_of_every_packet_count_and_a_packet_larger_than_the_burst_passes()
    {
        await using var broker =
            new TestBroker(new TestBrokerOptions { Limits = new LimitOptions { BytesPerClient = new RateLimit(1000, TimeSpan.FromSeconds(1), 100) } });
        TestClient client = await broker.ConnectAsync("p");
        byte[] large = client.Packets.Publish("t", new byte[3_000], 1, 1);
        await client.SendAsync(large, Packets.Pingreq());
        await client.ExpectAsync(client.Packets.Puback(1, ReasonCode.NoMatchingSubscribers));
        await broker.Events.WaitForAsync(one => one.Kind == BrokerEventKind.Limited, "the client to be held up");
        broker.Advance(2.8);
        Assert.Equal(2, broker.Broker.CountTraffic().PacketsReceived);
        await broker.AdvanceUntilAsync(client.ExpectAsync(Packets.Pingresp()));
    }

    [Fact]
    public async Task Goodbye_is_heard_in_spite_of_bytes()
    {
        await using var broker =
            new TestBroker(new TestBrokerOptions { Limits = new LimitOptions { BytesPerClient = new RateLimit(1, TimeSpan.FromHours(1), 1) } });
        TestClient client = await broker.ConnectAsync("p");
        await client.SendAsync(client.Packets.Publish("t", new byte[100]), client.Packets.Disconnect());
        await client.ExpectClosedAsync();
        Assert.Equal(ReasonCode.Success, broker.Events.All.Single(one => one.Kind == BrokerEventKind.Disconnected).Reason);
    }

    [Fact]
    public async Task Bytes_can_drop_publishes_or_end_the_connection()
    {
        var rate = new RateLimit(1000, TimeSpan.FromSeconds(1), 100) { OnExceed = ExceedAction.Drop };
        await using var broker = new TestBroker(new TestBrokerOptions { Limits = new LimitOptions { BytesPerClient = rate } });
        TestClient client = await broker.ConnectAsync("p", properties: Prop.RequestProblemInformation(0));
        await client.SendAsync(client.Packets.Publish("t", new byte[200], 1, 1), client.Packets.Publish("t", "2", 1, 2));
        await client.ExpectAsync(client.Packets.Puback(1, ReasonCode.NoMatchingSubscribers), client.Packets.Puback(2, ReasonCode.QuotaExceeded));
        broker.Broker.Limits.Replace(new LimitOptions { BytesPerClient = rate with { OnExceed = ExceedAction.Disconnect } });
        await client.SendAsync(client.Packets.Publish("t", new byte[200], 1, 3), client.Packets.Publish("t", "4", 1, 4));
        await client.ExpectAsync(client.Packets.Puback(3, ReasonCode.NoMatchingSubscribers));
        await client.ExpectDisconnectAsync(ReasonCode.MessageRateTooHigh);
    }

    [Fact]
    public async Task Other_limits_hold_at_once_for_connections_that_are_there()
    {
        await using var broker = new TestBroker(With(TwoThenOneASecond with { OnExceed = ExceedAction.Drop, Burst = 1 }));
        TestClient client = await broker.ConnectAsync("p", properties: Prop.RequestProblemInformation(0));
        Packets packets = client.Packets;
        await client.SendAsync(packets.Publish("t", "1", 1, 1), packets.Publish("t", "2", 1, 2));
        await client.ExpectAsync(packets.Puback(1, ReasonCode.NoMatchingSubscribers), packets.Puback(2, ReasonCode.QuotaExceeded));
        broker.Broker.Limits.Replace(new LimitOptions());
        await client.SendAsync([.. Enumerable.Range(1, 20).Select(i => packets.Publish("t", "x", 1, i))]);
        await client.ExpectAsync([.. Enumerable.Range(1, 20).Select(i => packets.Puback(i, ReasonCode.NoMatchingSubscribers))]);
        broker.Broker.Limits.Replace(
            new LimitOptions { PublishesPerClient = new RateLimit(1, TimeSpan.FromHours(1), 3) { OnExceed = ExceedAction.Disconnect } });
        await client.SendAsync([.. Enumerable.Range(1, 4).Select(i => packets.Publish("t", "x", 1, i))]);
        await client.ExpectAsync([.. Enumerable.Range(1, 3).Select(i => packets.Puback(i, ReasonCode.NoMatchingSubscribers))]);
        await client.ExpectDisconnectAsync(ReasonCode.MessageRateTooHigh);
    }

    [Fact]
    public void A_publish_that_waits_for_the_store_is_counted_and_paid_once()
    {
        var journal = new TestJournal { Condition = JournalCondition.Failing };
        var broker = new Broker(TestBrokerOptions.Quiet, new BrokerClock(TimeProvider.System), journal, new BrokerEvents(new QuietEvents()), "test");
        broker.Limits.Replace(new LimitOptions { PublishesPerClient = new RateLimit(1, TimeSpan.FromHours(1), 2) });
        var endpoint = new MqttEndpoint(broker, new AnonymousAuthenticator(), true);
        RoutingContext context = broker.CreateContext();
        MqttConnection subscriber = new MemoryTransport().Connect(endpoint, context, Packets.V5.Connect("s", properties: Prop.SessionExpiry(100)));
        subscriber.Receive(Packets.V5.Subscribe(1, "#", 1), out _);
        var transport = new MemoryTransport();
        MqttConnection publisher = transport.Connect(endpoint, context, Packets.V311.Connect("p"));
        transport.Flush();
        byte[] two = [.. Packets.V311.Publish("t", "1", 1, 1), .. Packets.V311.Publish("t", "2", 1, 2)];
        TrafficCounters before = broker.CountTraffic();
        for (int i = 0; i < 3; i++)
        {
            // Left unread, and again when it comes again too early.
            Assert.Equal(0, publisher.Receive(two, out _));
            journal.Condition = JournalCondition.Ready;
            broker.RunDue();
            journal.Condition = JournalCondition.Failing;
        }

        Assert.Equal(before.PacketsReceived, broker.CountTraffic().PacketsReceived);
        Assert.Equal(before.PublishesReceived, broker.CountTraffic().PublishesReceived);
        journal.Condition = JournalCondition.Ready;
        Assert.Equal(two.Length, publisher.Receive(two, out _));
        journal.Commit();
        Assert.Equal([.. Packets.V311.Puback(1), .. Packets.V311.Puback(2)], transport.Take());
        TrafficCounters after = broker.CountTraffic();
        Assert.Equal(before.PacketsReceived + 2, after.PacketsReceived);
        Assert.Equal(before.BytesReceived + two.Length, after.BytesReceived);
        Assert.Equal(before.PublishesReceived + 2, after.PublishesReceived);
        Assert.Equal(before.PublishBytesReceived + 2, after.PublishBytesReceived);
        Assert.Equal(0, broker.Limits.Counters[LimitKind.PublishesPerClient, LimitAction.Delayed]);
        // Both are paid for.
        Assert.Equal(0, publisher.Receive(Packets.V311.Publish("t", "3"), out _));
        Assert.Equal(1, broker.Limits.Counters[LimitKind.PublishesPerClient, LimitAction.Delayed]);
    }

    private static TestBrokerOptions With(RateLimit rate) => new() { Limits = new LimitOptions { PublishesPerClient = rate } };
}
