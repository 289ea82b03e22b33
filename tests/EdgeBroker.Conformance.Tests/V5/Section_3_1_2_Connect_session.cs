namespace EdgeBroker.Conformance.Tests.V5;

/// <summary>Clean Start and Session Expiry Interval (3.1.2.4, 3.1.2.11.2), and the state they govern (4.1).</summary>
public sealed class Section_3_1_2_Connect_session
{
    [Fact]
    [Requirement("MQTT-3.1.2-4")]
    [Requirement("MQTT-3.1.4-4")]
    [Requirement("MQTT-3.2.2-2")]
    public async Task Clean_start_ends_the_old_session()
    {
        await using var broker = new TestBroker();
        TestClient client = await Check.SubscriberAsync(broker, "a", 1, "one", Prop.SessionExpiry(100));
        await client.DisconnectAsync();
        TestClient publisher = await broker.ConnectAsync("publisher");
        await publisher.PublishAsync("a", "queued", 1);
        client = await broker.ConnectAsync("one", cleanStart: true, properties: Prop.SessionExpiry(100), sessionPresent: false);
        await publisher.PublishAsync("a", "nobody's", 1);
        await client.ExpectNothingAsync();
    }

    [Fact]
    [Requirement("MQTT-3.1.2-5")]
    [Requirement("MQTT-3.1.2-23")]
    [Requirement("MQTT-3.1.3-2")]
    [Requirement("MQTT-3.2.2-3")]
    [Requirement("MQTT-4.5.0-1")]
    public async Task Without_clean_start_the_session_goes_on()
    {
        await using var broker = new TestBroker();
        TestClient client = await Check.SubscriberAsync(broker, "a", 2, "one", Prop.SessionExpiry(100));
        await client.DisconnectAsync();
        TestClient publisher = await broker.ConnectAsync("publisher");
        await publisher.PublishAsync("a", "one", 1);
        await publisher.PublishAsync("a", "two", 2);
        broker.Advance(99);
        TestClient stranger = await broker.ConnectAsync("One", cleanStart: false, properties: Prop.SessionExpiry(100), sessionPresent: false);
        await stranger.ExpectNothingAsync();
        client = await broker.ConnectAsync("one", cleanStart: false, sessionPresent: true);
        await client.AcknowledgeAsync(await client.ExpectPublishAsync("a", "one", 1));
        await client.AcknowledgeAsync(await client.ExpectPublishAsync("a", "two", 2));
        await publisher.PublishAsync("a", "three");
        await client.ExpectPublishAsync("a", "three");
    }

    [Fact]
    [Requirement("MQTT-3.1.2-6")]
    [Requirement("MQTT-3.2.2-3")]
    public async Task Without_a_session_one_is_made()
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.ConnectAsync("one", cleanStart: false, properties: Prop.SessionExpiry(10), sessionPresent: false);
        await client.SubscribeAsync("a", 1);
        await client.DropAsync();
        await broker.ConnectAsync("one", cleanStart: false, sessionPresent: true);
    }

    [Fact]
    [Requirement("MQTT-4.1.0-2")]
    [Requirement("MQTT-3.1.2-23")]
    public async Task The_session_ends_when_its_time_is_over()
    {
        await using var broker = new TestBroker();
        TestClient client = await Check.SubscriberAsync(broker, "a", 1, "one", Prop.SessionExpiry(10));
        await client.DropAsync();
        broker.Advance(9.999);
        Assert.NotNull(broker.Broker.FindSession("one"));
        broker.Advance(0.001);
        Assert.Null(broker.Broker.FindSession("one"));
        Assert.Equal(0, broker.Broker.Subscriptions.Count);
        await broker.ConnectAsync("one", cleanStart: false, sessionPresent: false);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(0u)]
    [Requirement("MQTT-4.1.0-2")]
    public async Task A_session_without_expiry_ends_with_its_connection(uint? seconds)
    {
        await using var broker = new TestBroker();
        TestClient client = await Check.SubscriberAsync(broker, "a", 1, "one", seconds is { } s ? Prop.SessionExpiry(s) : null);
        await client.DisconnectAsync();
        Assert.Null(broker.Broker.FindSession("one"));
        await broker.ConnectAsync("one", cleanStart: false, sessionPresent: false);
    }

    [Fact]
    [Requirement("MQTT-4.1.0-1")]
    public async Task State_is_kept_while_the_connection_is_open()
    {
        await using var broker = new TestBroker();
        TestClient client = await Check.SubscriberAsync(broker, "a", 2, "one", [.. Prop.SessionExpiry(1), .. Prop.ReceiveMaximum(1)]);
        TestClient publisher = await broker.ConnectAsync("publisher");
        await publisher.PublishAsync("a", "sent", 1);
        await publisher.PublishAsync("a", "queued", 2);
        ReceivedPacket sent = await client.ExpectPublishAsync("a", "sent", 1);
        // Longer than the expiry, which counts only without a connection.
        broker.Advance(3600);
        await client.ExpectNothingAsync();
        await client.AcknowledgeAsync(sent);
        await client.AcknowledgeAsync(await client.ExpectPublishAsync("a", "queued", 2));
    }

    [Fact]
    public async Task DISCONNECT_can_change_the_expiry()
    {
        await using var broker = new TestBroker();
        TestClient shorter = await broker.ConnectAsync("shorter", properties: Prop.SessionExpiry(100));
        TestClient longer = await broker.ConnectAsync("longer", properties: Prop.SessionExpiry(100));
        TestClient ended = await broker.ConnectAsync("ended", properties: Prop.SessionExpiry(100));
        await shorter.DisconnectAsync(properties: Prop.SessionExpiry(10));
        await longer.DisconnectAsync(properties: Prop.SessionExpiry(200));
        await ended.DisconnectAsync(properties: Prop.SessionExpiry(0));
        Assert.Null(broker.Broker.FindSession("ended"));
        broker.Advance(10);
        Assert.Null(broker.Broker.FindSession("shorter"));
        broker.Advance(189);
        Assert.NotNull(broker.Broker.FindSession("longer"));
        broker.Advance(1);
        Assert.Null(broker.Broker.FindSession("longer"));
    }

    [Fact]
    public async Task DISCONNECT_cannot_revive_a_session_that_CONNECT_let_end()
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.ConnectAsync("one");
        await client.SendAsync(client.Packets.Disconnect(properties: Prop.SessionExpiry(10)));
        await client.ExpectDisconnectAsync(ReasonCode.ProtocolError);
        Assert.Null(broker.Broker.FindSession("one"));
    }

    [Fact]
    public async Task An_expiry_beyond_the_limit_is_lowered_and_told()
    {
        await using var broker = new TestBroker(TestBrokerOptions.Quiet with { MaxSessionExpiry = TimeSpan.FromSeconds(60) });
        TestClient within = await broker.ConnectAsync("within", properties: Prop.SessionExpiry(60));
        Assert.False(within.Connack.Properties.Has(PropertyId.SessionExpiryInterval));
        TestClient beyond = await broker.ConnectAsync("beyond", properties: Prop.SessionExpiry(uint.MaxValue));
        Assert.Equal(60u, beyond.Connack.Properties.Number(PropertyId.SessionExpiryInterval));
        await beyond.DropAsync();
        broker.Advance(60);
        Assert.Null(broker.Broker.FindSession("beyond"));
    }

    [Fact]
    public async Task Reconnecting_sets_the_expiry_anew()
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.ConnectAsync("one", properties: Prop.SessionExpiry(10));
        await client.DropAsync();
        client = await broker.ConnectAsync("one", cleanStart: false, properties: Prop.SessionExpiry(50), sessionPresent: true);
        broker.Advance(20);
        await client.DropAsync();
        broker.Advance(49);
        client = await broker.ConnectAsync("one", cleanStart: false, sessionPresent: true);
        await client.DropAsync();
        Assert.Null(broker.Broker.FindSession("one"));
    }
}
