namespace EdgeBroker.Conformance.Tests.V311;

/// <summary>CONNECT: protocol, flags, clean session and keep alive (3.1.2).</summary>
public sealed class Section_3_1_2_Connect_session
{
    [Theory]
    [InlineData("MQIsdp", 4)]
    [InlineData("mqtt", 4)]
    [InlineData("MQTTT", 4)]
    [InlineData("MQT", 4)]
    [InlineData("", 4)]
    [Requirement("MQTT-3.1.2-1", "3.1.1")]
    public Task Another_protocol_is_not_spoken(string name, int level) =>
        Check.ClosesSilentlyAsync(Wire.Packet(0x10, [.. Wire.Text(name), (byte)level, 2, 0, 0, .. Wire.Text("one")]));

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(0x83)]
    [Requirement("MQTT-3.1.2-2", "3.1.1")]
    public async Task An_unknown_level_is_refused_with_0x01(int level)
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.OpenAsync(ProtocolVersion.V311);
        await client.SendAsync(Wire.Packet(0x10, [.. Wire.Text("MQTT"), (byte)level, 2, 0, 0, .. Wire.Text("one")]));
        await client.ExpectAsync([0x20, 2, 0, 1]);
        await client.ExpectClosedAsync();
    }

    [Theory]
    [InlineData("MQIsdp", 3)]
    [InlineData("MQIsdp", 0x83)]
    [InlineData("MQTT", 0x84)]
    public async Task MQTT_3_1_is_served_and_so_are_bridges(string name, int level)
    {
        await using var broker = new TestBroker();
        byte[] connect = Wire.Packet(0x10, [.. Wire.Text(name), (byte)level, 0, 0, 0, .. Wire.Text("one")]);
        for (int time = 0; time < 2; time++)
        {
            TestClient client = await broker.OpenAsync(ProtocolVersion.V311);
            await client.SendAsync(connect);
            // 3.1 has no Session Present.
            await client.ExpectAsync([0x20, 2, (byte)(time == 1 && name == "MQTT" ? 1 : 0), 0]);
            await client.SubscribeAsync("a", options: 1);
            await client.SendAsync(client.Packets.Publish("a", "x", 0));
            // What it publishes itself does not come back to a bridge.
            if (level == 3) await client.ExpectPublishAsync("a", "x");
            await client.ExpectNothingAsync();
            await client.DisconnectAsync();
        }
    }

    [Fact]
    public async Task A_version_that_is_not_configured_is_refused()
    {
        await using var broker = new TestBroker(TestBrokerOptions.Quiet with { Versions = Core.MqttVersions.V5 });
        TestClient client = await broker.OpenAsync(ProtocolVersion.V311);
        await client.SendAsync(client.Packets.Connect("one"));
        await client.ExpectAsync([0x20, 2, 0, 1]);
        await client.ExpectClosedAsync();
    }

    [Fact]
    [Requirement("MQTT-3.1.2-3", "3.1.1")]
    public Task The_reserved_flag_is_0() => Check.ClosesSilentlyAsync(Check.Connect(0x03, Wire.Text("one")));

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [Requirement("MQTT-3.1.2-4", "3.1.1")]
    [Requirement("MQTT-3.1.2-5", "3.1.1")]
    [Requirement("MQTT-3.1.3-2", "3.1.1")]
    [Requirement("MQTT-3.2.2-2", "3.1.1")]
    [Requirement("MQTT-3.2.2-3", "3.1.1")]
    public async Task Without_clean_session_the_session_goes_on(int qos)
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.JoinAsync("one", clean: false, sessionPresent: false);
        await client.SubscribeAsync("a", qos);
        await client.DropAsync();
        await broker.PublishAsync("a", "meanwhile 1", qos);
        await broker.PublishAsync("a", "meanwhile 2", qos);
        await broker.JoinAsync("One", clean: false, sessionPresent: false);
        broker.Advance(TimeSpan.FromDays(7));
        client = await broker.JoinAsync("one", clean: false, sessionPresent: true);
        await client.AcknowledgeAsync(await client.ExpectPublishAsync("a", "meanwhile 1", qos));
        await client.AcknowledgeAsync(await client.ExpectPublishAsync("a", "meanwhile 2", qos));
        await broker.PublishAsync("a", "now", qos);
        await client.ExpectPublishAsync("a", "now", qos);
    }

    [Fact]
    [Requirement("MQTT-3.1.2-4", "3.1.1")]
    [Requirement("MQTT-3.1.2-5", "3.1.1")]
    public async Task A_goodbye_does_not_end_the_session()
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.SubscriberAsync("a", 1, "one", clean: false);
        await client.DisconnectAsync();
        await broker.PublishAsync("a", "meanwhile", 1);
        client = await broker.JoinAsync("one", clean: false, sessionPresent: true);
        await client.ExpectPublishAsync("a", "meanwhile", 1);
    }

    [Fact]
    [Requirement("MQTT-3.1.2-6", "3.1.1")]
    [Requirement("MQTT-3.1.4-3", "3.1.1")]
    [Requirement("MQTT-3.2.2-1", "3.1.1")]
    public async Task Clean_session_drops_what_was_before()
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.SubscriberAsync("a", 1, "one", clean: false);
        await client.DropAsync();
        await broker.PublishAsync("a", "queued", 1);
        client = await broker.JoinAsync("one", clean: true, sessionPresent: false);
        await broker.PublishAsync("a", "nobody's", 1);
        await client.ExpectNothingAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [Requirement("MQTT-3.1.2-6", "3.1.1")]
    [Requirement("MQTT-3.2.2-3", "3.1.1")]
    public async Task A_clean_session_ends_with_its_connection(bool goodbye)
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.SubscriberAsync("a", 1, "one");
        if (goodbye) await client.DisconnectAsync();
        else await client.DropAsync();
        await broker.PublishAsync("a", "nobody's", 1);
        client = await broker.JoinAsync("one", clean: false, sessionPresent: false);
        await client.ExpectNothingAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [Requirement("MQTT-3.1.2-7", "3.1.1")]
    public async Task Retained_messages_outlive_their_publisher(bool clean)
    {
        await using var broker = new TestBroker();
        TestClient publisher = await broker.JoinAsync("publisher", clean);
        await publisher.PublishAsync("a", "kept", 1, retain: true);
        await publisher.DropAsync();
        await (await broker.JoinAsync("publisher", clean: true)).DisconnectAsync();
        TestClient subscriber = await broker.SubscriberAsync("a", 1);
        await subscriber.ExpectPublishAsync("a", "kept", 1, retain: true);
    }

    [Fact]
    [Requirement("MQTT-3.1.2-24", "3.1.1")]
    public async Task Silence_beyond_one_and_a_half_keep_alives_ends_the_connection()
    {
        await using var broker = new TestBroker();
        TestClient witness = await broker.SubscriberAsync("gone");
        TestClient client = await broker.JoinAsync("one", keepAliveSeconds: 10, will: new TestWill("gone", "silent"));
        broker.Advance(14.9);
        await client.FenceAsync();
        broker.Advance(14.9);
        await client.PublishAsync("any packet", "is a sign of life");
        broker.Advance(15.1);
        await client.ExpectClosedAsync();
        await witness.ExpectPublishAsync("gone", "silent");
    }

    [Fact]
    [Requirement("MQTT-3.1.2-24", "3.1.1")]
    public async Task Keep_alive_0_puts_up_with_silence()
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.JoinAsync("one", keepAliveSeconds: 0);
        broker.Advance(TimeSpan.FromDays(2));
        await client.ExpectNothingAsync();
    }
}
