namespace EdgeBroker.Conformance.Tests.V5;

/// <summary>Keep alive (3.1.2.10) and the properties of CONNECT that limit what the broker sends (3.1.2.11).</summary>
public sealed class Section_3_1_2_Connect_properties
{
    [Fact]
    [Requirement("MQTT-3.1.2-22")]
    [Requirement("MQTT-3.2.2-22")]
    public async Task Silence_for_one_and_a_half_times_the_keep_alive_closes_the_connection()
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.ConnectAsync("one", keepAliveSeconds: 10);
        Assert.False(client.Connack.Properties.Has(PropertyId.ServerKeepAlive));
        broker.Advance(14.999);
        await client.ExpectNothingAsync();
        broker.Advance(14.999);
        await client.SendAsync(client.Packets.Publish("a"));
        await client.ExpectNothingAsync();
        broker.Advance(14.999);
        broker.Advance(0.001);
        await client.ExpectDisconnectAsync(ReasonCode.KeepAliveTimeout);
    }

    [Fact]
    [Requirement("MQTT-3.1.2-22")]
    public async Task What_the_broker_sends_does_not_count_as_a_sign_of_life()
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.ConnectAsync("one", keepAliveSeconds: 10);
        await client.SubscribeAsync("a");
        TestClient publisher = await broker.ConnectAsync("publisher");
        broker.Advance(10);
        await publisher.PublishAsync("a", "x");
        await client.ExpectPublishAsync("a", "x");
        broker.Advance(5);
        await client.ExpectDisconnectAsync(ReasonCode.KeepAliveTimeout);
    }

    [Fact]
    public async Task Keep_alive_0_means_none()
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.ConnectAsync("one");
        broker.Advance(TimeSpan.FromDays(10));
        await client.ExpectNothingAsync();
    }

    [Theory]
    [InlineData(0, 60u)]
    [InlineData(61, 60u)]
    [InlineData(60, null)]
    [InlineData(10, null)]
    public async Task A_server_keep_alive_is_told_and_kept(int asked, uint? told)
    {
        await using var broker = new TestBroker(TestBrokerOptions.Quiet with { MaxKeepAlive = TimeSpan.FromSeconds(60) });
        TestClient client = await broker.ConnectAsync("one", keepAliveSeconds: asked);
        Assert.Equal(told, client.Connack.Properties.Number(PropertyId.ServerKeepAlive));
        double kept = told ?? (uint)asked;
        broker.Advance((1.5 * kept) - 0.001);
        await client.ExpectNothingAsync();
        broker.Advance(1.5 * kept);
        await client.ExpectDisconnectAsync(ReasonCode.KeepAliveTimeout);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [Requirement("MQTT-3.1.2-24")]
    [Requirement("MQTT-3.1.2-25")]
    public async Task What_is_too_large_for_the_client_is_dropped_as_if_sent(int qos)
    {
        await using var broker = new TestBroker();
        TestClient small = await Check.SubscriberAsync(broker, "a", 2, "small", [.. Prop.MaximumPacketSize(100), .. Prop.ReceiveMaximum(1)]);
        TestClient large = await Check.SubscriberAsync(broker, "a", 2, "large");
        int head = Packets.V5.Publish("a", "", qos, 1).Length;
        string fits = new('f', 100 - head), exceeds = new('e', 101 - head);
        await large.PublishAsync("b", "", qos);
        TestClient publisher = await broker.ConnectAsync("publisher");
        await publisher.PublishAsync("a", exceeds, qos);
        await publisher.PublishAsync("a", fits, qos);
        await large.AcknowledgeAsync(await large.ExpectPublishAsync("a", exceeds, qos));
        await large.AcknowledgeAsync(await large.ExpectPublishAsync("a", fits, qos));
        ReceivedPacket received = await small.ExpectPublishAsync("a", fits, qos);
        Assert.Equal(100, received.Bytes.Length);
        await small.AcknowledgeAsync(received);
        await small.ExpectNothingAsync();
        Assert.Contains(
            broker.Events.All, one => one is { Kind: BrokerEventKind.Dropped, ClientId: "small", Drop: Core.Ports.DropReason.TooLargeForClient, Count: 1 });
    }

    [Fact]
    [Requirement("MQTT-3.1.2-24")]
    [Requirement("MQTT-3.1.2-25")]
    public async Task What_waited_and_is_too_large_for_the_new_connection_is_dropped()
    {
        await using var broker = new TestBroker();
        TestClient client = await Check.SubscriberAsync(broker, "a", 2, "one", [.. Prop.SessionExpiry(100), .. Prop.ReceiveMaximum(1)]);
        TestClient publisher = await broker.ConnectAsync("publisher");
        string large = new('x', 200);
        await publisher.PublishAsync("a", large, 1);
        await publisher.PublishAsync("a", large, 2);
        await publisher.PublishAsync("a", "small", 1);
        await client.ExpectPublishAsync("a", large, 1);
        await client.DropAsync();
        client = await broker.ConnectAsync(
            "one", cleanStart: false, properties: [.. Prop.SessionExpiry(100), .. Prop.MaximumPacketSize(100)], sessionPresent: true);
        await client.AcknowledgeAsync(await client.ExpectPublishAsync("a", "small", 1));
        await client.ExpectNothingAsync();
    }

    [Theory]
    [InlineData(16)]
    [InlineData(15)]
    [InlineData(1)]
    [Requirement("MQTT-3.1.2-24")]
    [Requirement("MQTT-3.2.2-19")]
    [Requirement("MQTT-3.2.2-20")]
    public async Task Not_even_CONNACK_is_larger_than_the_client_accepts(uint limit)
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.OpenAsync();
        await client.SendAsync(client.Packets.Connect("one", properties: [.. Prop.MaximumPacketSize(limit), .. Prop.RequestResponseInformation(1)]));
        if (limit >= 16)
        {
            Assert.Equal(16, (await client.ExpectConnackAsync()).Bytes.Length);
            await client.ExpectNothingAsync();
            return;
        }

        if (limit >= 5) await client.ExpectAsync([0x20, 3, 0, (byte)ReasonCode.PacketTooLarge, 0]);
        await client.ExpectClosedAsync();
    }

    [Fact]
    [Requirement("MQTT-3.1.2-24")]
    public async Task Not_even_SUBACK_is_larger_than_the_client_accepts()
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.ConnectAsync("one", properties: Prop.MaximumPacketSize(30));
        (string, int)[] filters = [.. Enumerable.Range(0, 25).Select(i => ($"f{i}", 0))];
        await client.SendAsync(client.Packets.Subscribe(1, null, filters));
        await client.ExpectAsync(client.Packets.Suback(1, new int[25]));
        await client.SendAsync(client.Packets.Subscribe(2, null, [.. filters, ("one too many", 0)]));
        await client.ExpectDisconnectAsync(ReasonCode.PacketTooLarge);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(0)]
    [Requirement("MQTT-3.1.2-27")]
    public async Task Without_a_topic_alias_maximum_no_alias_is_sent(int? maximum)
    {
        await using var broker = new TestBroker();
        TestClient client = await Check.SubscriberAsync(broker, "a", 0, properties: maximum is { } n ? Prop.TopicAliasMaximum(n) : null);
        for (int i = 0; i < 3; i++) await client.PublishAsync("a", "x");
        for (int i = 0; i < 3; i++) await client.ExpectAsync(client.Packets.Publish("a", "x"));
    }

    [Fact]
    [Requirement("MQTT-3.1.2-28")]
    public async Task Response_information_is_sent_only_when_asked_for()
    {
        await using var broker = new TestBroker();
        TestClient silent = await broker.ConnectAsync("silent");
        TestClient no = await broker.ConnectAsync("no", properties: Prop.RequestResponseInformation(0));
        TestClient yes = await broker.ConnectAsync("yes", properties: Prop.RequestResponseInformation(1));
        Assert.False(silent.Connack.Properties.Has(PropertyId.ResponseInformation));
        Assert.False(no.Connack.Properties.Has(PropertyId.ResponseInformation));
        Assert.Equal("response/yes", yes.Connack.Properties.Text(PropertyId.ResponseInformation));
    }

    [Fact]
    [Requirement("MQTT-3.1.2-29")]
    public async Task Without_problem_information_acknowledgements_are_bare()
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.ConnectAsync("one", properties: Prop.RequestProblemInformation(0));
        Packets packets = client.Packets;
        await client.SendAsync(
            packets.Publish("$SYS/a", "x", 1, 1),
            packets.Publish("$SYS/a", "x", 2, 2),
            packets.Pubrel(3),
            packets.Pubrec(4),
            packets.Subscribe(5, new string('/', 300)),
            packets.Unsubscribe(6, "none"));
        await client.ExpectAsync(
            packets.Puback(1, ReasonCode.NotAuthorized),
            packets.Pubrec(2, ReasonCode.NotAuthorized),
            packets.Pubcomp(3),
            packets.Pubrel(4, ReasonCode.PacketIdentifierNotFound),
            packets.Suback(5, 0x8F),
            packets.Unsuback(6, 0x11));
    }

    [Fact]
    public async Task With_problem_information_failures_are_explained()
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.ConnectAsync("one", properties: Prop.RequestProblemInformation(1));
        await client.SendAsync(client.Packets.Publish("$SYS/a", "x", 1, 1), client.Packets.Publish("$SYS/a", "x", 2, 2), client.Packets.Pubrec(3));
        Assert.Equal("not permitted", (await client.ExpectAsync(PacketType.Puback)).Properties.Text(PropertyId.ReasonString));
        Assert.Equal("not permitted", (await client.ExpectAsync(PacketType.Pubrec)).Properties.Text(PropertyId.ReasonString));
        Assert.True((await client.ExpectAsync(PacketType.Pubrel)).Properties.Has(PropertyId.ReasonString));
        await client.SendAsync(client.Packets.Connect("one"));
        Assert.True((await client.ExpectDisconnectAsync(ReasonCode.ProtocolError))!.Properties.Has(PropertyId.ReasonString));
    }

    [Fact]
    public async Task A_large_packet_on_a_slow_link_has_its_time_wherever_it_is_cut()
    {
        await using var broker = new TestBroker();
        TestClient client = await Check.SubscriberAsync(broker, "a");
        byte[] publish = client.Packets.Publish("a", new byte[100 * 1024]);
        await client.SendAsync(publish[..1]);
        await client.TakenAsync();
        await client.SendAsync(publish[1..10]);
        await client.TakenAsync();
        // 30 s and a second for each of the 100 KB.
        foreach (Range piece in (Range[])[10..1000, 1000..50_000, 50_000..50_001])
        {
            broker.Advance(35);
            await client.SendAsync(publish[piece]);
            await client.TakenAsync();
        }

        await client.SendAsync(publish[50_001..]);
        await client.ExpectAsync(publish);
        await client.SendAsync(publish[..10]);
        await client.TakenAsync();
        broker.Advance(131);
        await client.ExpectDisconnectAsync(ReasonCode.ProtocolError);
    }

    [Fact]
    public async Task A_packet_that_does_not_go_on_closes_the_connection()
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.ConnectAsync("one");
        await client.SendAsync([.. Packets.Pingreq(), .. client.Packets.Publish("a", "abc")[..5]]);
        await client.ExpectAsync(Packets.Pingresp());
        await client.TakenAsync();
        broker.Advance(29.9);
        TestClient other = await broker.ConnectAsync("other");
        await other.ExpectNothingAsync();
        Assert.NotNull(broker.Broker.FindSession("one"));
        broker.Advance(0.2);
        await client.ExpectDisconnectAsync(ReasonCode.ProtocolError);
    }
}
