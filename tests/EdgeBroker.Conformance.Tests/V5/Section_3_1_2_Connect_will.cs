namespace EdgeBroker.Conformance.Tests.V5;

/// <summary>The will (3.1.2.5 to 3.1.2.7, 3.1.3.2).</summary>
public sealed class Section_3_1_2_Connect_will
{
    private static readonly TestWill Plain = new("will", "gone", 1);

    [Fact]
    [Requirement("MQTT-3.1.2-7")]
    [Requirement("MQTT-3.1.2-8")]
    public async Task A_lost_connection_publishes_the_will()
    {
        await using var broker = new TestBroker();
        TestClient watcher = await Check.SubscriberAsync(broker, "will", 2, "watcher");
        TestClient client = await broker.ConnectAsync("one", will: Plain);
        await watcher.ExpectNothingAsync();
        await client.DropAsync();
        await watcher.ExpectPublishAsync("will", "gone", 1);
    }

    [Fact]
    [Requirement("MQTT-3.1.2-8")]
    public async Task A_protocol_error_publishes_the_will()
    {
        await using var broker = new TestBroker();
        TestClient watcher = await Check.SubscriberAsync(broker, "will", 1, "watcher");
        TestClient client = await broker.ConnectAsync("one", will: Plain);
        await client.SendAsync(client.Packets.Connect("one"));
        await client.ExpectDisconnectAsync(ReasonCode.ProtocolError);
        await watcher.ExpectPublishAsync("will", "gone", 1);
        await watcher.ExpectNothingAsync();
    }

    [Fact]
    [Requirement("MQTT-3.1.2-8")]
    public async Task Silence_beyond_the_keep_alive_publishes_the_will()
    {
        await using var broker = new TestBroker();
        TestClient watcher = await Check.SubscriberAsync(broker, "will", 1, "watcher");
        TestClient client = await broker.ConnectAsync("one", keepAliveSeconds: 10, will: Plain);
        broker.Advance(15);
        await client.ExpectDisconnectAsync(ReasonCode.KeepAliveTimeout);
        await watcher.ExpectPublishAsync("will", "gone", 1);
    }

    [Theory]
    [InlineData(ReasonCode.DisconnectWithWill)]
    [InlineData(ReasonCode.UnspecifiedError)]
    [InlineData(ReasonCode.AdministrativeAction)]
    [Requirement("MQTT-3.1.2-8")]
    public async Task A_goodbye_that_is_not_0_publishes_the_will(ReasonCode reason)
    {
        await using var broker = new TestBroker();
        TestClient watcher = await Check.SubscriberAsync(broker, "will", 1, "watcher");
        TestClient client = await broker.ConnectAsync("one", will: Plain);
        await client.DisconnectAsync(reason);
        await watcher.ExpectPublishAsync("will", "gone", 1);
    }

    [Fact]
    [Requirement("MQTT-3.14.4-3")]
    [Requirement("MQTT-3.1.2-8")]
    [Requirement("MQTT-3.1.2-10")]
    public async Task A_goodbye_of_0_discards_the_will()
    {
        await using var broker = new TestBroker();
        TestClient watcher = await Check.SubscriberAsync(broker, "will", 1, "watcher");
        foreach (TestWill will in (TestWill[])[Plain, Plain with { Properties = Prop.WillDelay(5) }])
        {
            TestClient client = await broker.ConnectAsync("one", properties: Prop.SessionExpiry(10), will: will);
            await client.DisconnectAsync();
            broker.Advance(20);
        }

        await watcher.ExpectNothingAsync();
    }

    [Fact]
    [Requirement("MQTT-3.1.2-8")]
    public async Task A_delayed_will_waits()
    {
        await using var broker = new TestBroker();
        TestClient watcher = await Check.SubscriberAsync(broker, "will", 1, "watcher");
        TestClient client = await broker.ConnectAsync("one", properties: Prop.SessionExpiry(100), will: Plain with { Properties = Prop.WillDelay(10) });
        await client.DropAsync();
        broker.Advance(9.999);
        await watcher.ExpectNothingAsync();
        broker.Advance(0.001);
        await watcher.ExpectPublishAsync("will", "gone", 1);
        broker.Advance(200);
        await watcher.ExpectNothingAsync();
    }

    [Fact]
    [Requirement("MQTT-3.1.2-8")]
    public async Task A_delayed_will_does_not_wait_beyond_the_session()
    {
        await using var broker = new TestBroker();
        TestClient watcher = await Check.SubscriberAsync(broker, "will", 1, "watcher");
        TestClient kept =
            await broker.ConnectAsync("kept", properties: Prop.SessionExpiry(5), will: Plain with { Payload = "kept", Properties = Prop.WillDelay(1000) });
        TestClient unkept = await broker.ConnectAsync("unkept", will: Plain with { Payload = "unkept", Properties = Prop.WillDelay(1000) });
        await unkept.DropAsync();
        await watcher.ExpectPublishAsync("will", "unkept", 1);
        await kept.DropAsync();
        await watcher.ExpectNothingAsync();
        broker.Advance(5);
        await watcher.ExpectPublishAsync("will", "kept", 1);
    }

    [Fact]
    [Requirement("MQTT-3.1.3-9")]
    [Requirement("MQTT-3.1.2-8")]
    public async Task A_new_connection_in_time_stops_the_will()
    {
        await using var broker = new TestBroker();
        TestClient watcher = await Check.SubscriberAsync(broker, "will", 1, "watcher");
        TestClient client = await broker.ConnectAsync("one", properties: Prop.SessionExpiry(100), will: Plain with { Properties = Prop.WillDelay(10) });
        await client.DropAsync();
        broker.Advance(9);
        await broker.ConnectAsync("one", cleanStart: false, properties: Prop.SessionExpiry(100), sessionPresent: true);
        broker.Advance(1000);
        await watcher.ExpectNothingAsync();
    }

    [Fact]
    [Requirement("MQTT-3.1.2-8")]
    public async Task A_new_connection_with_clean_start_ends_the_session_and_publishes_the_will()
    {
        await using var broker = new TestBroker();
        TestClient watcher = await Check.SubscriberAsync(broker, "will", 1, "watcher");
        TestClient client = await broker.ConnectAsync("one", properties: Prop.SessionExpiry(100), will: Plain with { Properties = Prop.WillDelay(10) });
        await client.DropAsync();
        await broker.ConnectAsync("one", cleanStart: true, sessionPresent: false);
        await watcher.ExpectPublishAsync("will", "gone", 1);
    }

    [Theory]
    [InlineData(0u, 100u, false, true)]
    [InlineData(10u, 100u, false, false)]
    [InlineData(10u, 100u, true, true)]
    [InlineData(10u, 0u, false, true)]
    [InlineData(10u, 0u, true, true)]
    [Requirement("MQTT-3.1.2-8")]
    [Requirement("MQTT-3.1.3-9")]
    public async Task A_takeover_publishes_the_will_unless_it_comes_within_the_delay_of_a_kept_session(uint delay, uint expiry, bool cleanStart, bool published)
    {
        await using var broker = new TestBroker();
        TestClient watcher = await Check.SubscriberAsync(broker, "will", 1, "watcher");
        TestClient old = await broker.ConnectAsync("one", properties: Prop.SessionExpiry(expiry), will: Plain with { Properties = Prop.WillDelay(delay) });
        await broker.ConnectAsync("one", cleanStart: cleanStart, properties: Prop.SessionExpiry(100), sessionPresent: expiry > 0 && !cleanStart);
        await old.ExpectDisconnectAsync(ReasonCode.SessionTakenOver);
        if (published) await watcher.ExpectPublishAsync("will", "gone", 1);
        broker.Advance(3600);
        await watcher.ExpectNothingAsync();
    }

    [Fact]
    [Requirement("MQTT-3.1.2-10")]
    public async Task A_published_will_is_no_longer_there()
    {
        await using var broker = new TestBroker();
        TestClient watcher = await Check.SubscriberAsync(broker, "will", 1, "watcher");
        TestClient client = await broker.ConnectAsync("one", properties: Prop.SessionExpiry(100), will: Plain);
        await client.DropAsync();
        await watcher.ExpectPublishAsync("will", "gone", 1);
        client = await broker.ConnectAsync("one", cleanStart: false, properties: Prop.SessionExpiry(100), sessionPresent: true);
        await client.DropAsync();
        broker.Advance(1000);
        await watcher.ExpectNothingAsync();
    }

    [Fact]
    [Requirement("MQTT-3.1.2-14")]
    [Requirement("MQTT-3.1.2-15")]
    public async Task The_will_is_retained_when_asked_for()
    {
        await using var broker = new TestBroker();
        await (await broker.ConnectAsync("one", will: new TestWill("not", "retained"))).DropAsync();
        await (await broker.ConnectAsync("two", will: new TestWill("is", "retained", 1, Retain: true))).DropAsync();
        TestClient watcher = await Check.SubscriberAsync(broker, "#", 2, "watcher");
        await watcher.ExpectPublishAsync("is", "retained", 1, retain: true);
        await watcher.ExpectNothingAsync();
    }

    [Fact]
    [Requirement("MQTT-3.1.3-10")]
    public async Task The_will_goes_out_with_its_properties_and_their_order()
    {
        await using var broker = new TestBroker();
        TestClient watcher = await Check.SubscriberAsync(broker, "will", 0, "watcher");
        byte[] users = [.. Prop.User("b", "1"), .. Prop.User("a", "2"), .. Prop.User("b", "1")];
        byte[] kept = [.. Prop.PayloadFormat(1), .. Prop.ContentType("text"), .. Prop.ResponseTopic("answer"), .. Prop.CorrelationData(1, 2), .. users];
        TestClient client =
            await broker.ConnectAsync("one", will: new TestWill("will", "é", Properties: [.. Prop.WillDelay(7), .. Prop.MessageExpiry(60), .. kept]));
        await client.DropAsync();
        await watcher.ExpectAsync(Packets.V5.Publish("will", "é", properties: [.. Prop.MessageExpiry(60), .. kept]));
    }

    [Fact]
    public async Task The_expiry_of_a_will_counts_from_its_publication()
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.ConnectAsync(
            "one", properties: Prop.SessionExpiry(100), will: new TestWill("will", "x", 0, Retain: true, [.. Prop.WillDelay(50), .. Prop.MessageExpiry(10)]));
        await client.DropAsync();
        broker.Advance(50);
        broker.Advance(4);
        TestClient watcher = await Check.SubscriberAsync(broker, "will", 0, "watcher");
        Assert.Equal(6u, (await watcher.ExpectPublishAsync("will", "x", retain: true)).Properties.Number(PropertyId.MessageExpiryInterval));
    }

    [Fact]
    public async Task A_will_that_says_it_is_text_and_is_not_is_refused()
    {
        byte[] connect = Wire.Packet(0x10, [
            .. Wire.Text("MQTT"), 5, 6, 0, 0, 0, .. Wire.Text("one"), .. Wire.Properties(Prop.PayloadFormat(1)), .. Wire.Text("will"), .. Wire.Binary(0xFF)]);
        await Check.RefusesAsync(connect, ReasonCode.PayloadFormatInvalid);
    }

    [Fact]
    public async Task A_will_may_not_go_to_SYS() =>
        await Check.RefusesAsync(Packets.V5.Connect("one", will: new TestWill("$SYS/broker/version")), ReasonCode.NotAuthorized);
}
