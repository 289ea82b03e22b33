namespace EdgeBroker.Conformance.Tests.V5;

/// <summary>PINGREQ, DISCONNECT and AUTH (3.12 to 3.15).</summary>
public sealed class Section_3_12_to_3_15_Ping_Disconnect_Auth
{
    [Fact]
    [Requirement("MQTT-3.12.4-1")]
    public async Task PINGREQ_is_answered()
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.ConnectAsync("one");
        await client.SendAsync(Packets.Pingreq(), Packets.Pingreq());
        await client.ExpectAsync([0xD0, 0], [0xD0, 0]);
        await client.SendAsync([0xC0, 1, 0]);
        await client.ExpectDisconnectAsync(ReasonCode.MalformedPacket);
    }

    [Theory]
    [InlineData(0xE1)]
    [InlineData(0xE2)]
    [InlineData(0xE8)]
    [Requirement("MQTT-3.14.1-1")]
    public async Task DISCONNECT_with_flags_is_malformed(int header) => await Check.DisconnectsAsync(Wire.Packet(header), ReasonCode.MalformedPacket);

    [Theory]
    [InlineData(0x01)]
    [InlineData(0x87)]
    [InlineData(0x8B)]
    [InlineData(0x8E)]
    [InlineData(0x9C)]
    [Requirement("MQTT-3.14.2-1")]
    public async Task A_code_a_client_may_not_say_is_a_protocol_error(byte code) => await Check.DisconnectsAsync([0xE0, 1, code], ReasonCode.ProtocolError);

    [Fact]
    [Requirement("MQTT-3.14.2-2")]
    [Requirement("MQTT-3.14.2-3")]
    [Requirement("MQTT-3.14.2-4")]
    [Requirement("MQTT-3.14.4-1")]
    [Requirement("MQTT-3.14.4-2")]
    [Requirement("MQTT-4.13.2-1")]
    public async Task The_brokers_DISCONNECT_fits_the_client_and_is_the_end()
    {
        await using var broker = new TestBroker();
        TestClient client = await Check.SubscriberAsync(broker, "a", 1, "one", [.. Prop.SessionExpiry(100), .. Prop.MaximumPacketSize(16)]);
        await client.SendAsync([.. client.Packets.Connect("one"), .. client.Packets.Publish("a", "x", 1, 1), .. Packets.Pingreq()]);
        await client.ExpectAsync([0xE0, 1, (byte)ReasonCode.ProtocolError]);
        await client.ExpectClosedAsync();
        client = await broker.ConnectAsync("one", cleanStart: false, properties: Prop.SessionExpiry(100));
        await client.SendAsync(client.Packets.Connect("one"));
        ReceivedPacket explained = (await client.ExpectDisconnectAsync(ReasonCode.ProtocolError))!;
        Assert.Equal([PropertyId.ReasonString], explained.Properties.All.Select(one => one.Id));
    }

    [Fact]
    [Requirement("MQTT-3.14.4-1")]
    public async Task Nothing_follows_the_DISCONNECT_of_a_takeover()
    {
        await using var broker = new TestBroker();
        TestClient publisher = await broker.ConnectAsync("publisher");
        for (int round = 0; round < 20; round++)
        {
            TestClient client = await Check.SubscriberAsync(broker, "a", 1, "one", Prop.SessionExpiry(100));
            await publisher.SendAsync([.. Enumerable.Range(1, 50).Select(i => publisher.Packets.Publish("a", "x", i % 2, i))]);
            TestClient fresh = await broker.ConnectAsync("one");
            while (await client.ReceiveAsync() is { Type: not PacketType.Disconnect } packet) Assert.Equal(PacketType.Publish, packet.Type);
            await client.ExpectClosedAsync();
            await publisher.FenceAsync();
            await fresh.DropAsync();
        }
    }

    [Fact]
    [Requirement("MQTT-3.14.0-1")]
    public async Task A_broker_that_stops_says_so()
    {
        await using var broker = new TestBroker(new TestBrokerOptions { OverSockets = true });
        TestClient five = await broker.ConnectAsync("five");
        TestClient three = await broker.ConnectAsync("three", ProtocolVersion.V311);
        TestClient silent = await broker.OpenAsync();
        Task stopped = broker.StopAsync();
        await five.ExpectDisconnectAsync(ReasonCode.ServerShuttingDown);
        await three.ExpectClosedAsync();
        await silent.ExpectClosedAsync();
        await Deadline.Within(stopped, "the broker to stop");
    }

    [Fact]
    [Requirement("MQTT-3.14.4-2")]
    public async Task After_DISCONNECT_nothing_of_the_client_is_heard()
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.ConnectAsync("one");
        await client.SendAsync([.. client.Packets.Disconnect(), .. client.Packets.Publish("a", "x", 1, 1, retain: true), .. Packets.Pingreq()]);
        await client.ExpectClosedAsync();
        Assert.Equal(0, broker.Broker.Retained.Count);
    }

    [Fact]
    public async Task DISCONNECT_comes_in_every_length()
    {
        await using var broker = new TestBroker();
        foreach (byte[] packet in (byte[][])[
            [0xE0, 0], [0xE0, 1, 0], [0xE0, 2, 0, 0], Packets.V5.Disconnect(ReasonCode.Success, [.. Prop.ReasonString("bye"), .. Prop.User("a", "b")]),
        ])
        {
            TestClient client = await broker.ConnectAsync("one");
            await client.SendAsync(packet);
            await client.ExpectClosedAsync();
        }

        Assert.All(broker.Events.All.Where(one => one.Kind == BrokerEventKind.Disconnected), one => Assert.Equal(ReasonCode.Success, one.Reason));
    }

    [Theory]
    [InlineData(0xF1)]
    [InlineData(0xF8)]
    [Requirement("MQTT-3.15.1-1")]
    public async Task AUTH_with_flags_is_malformed(int header) => await Check.DisconnectsAsync(Wire.Packet(header), ReasonCode.MalformedPacket);

    [Fact]
    [Requirement("MQTT-4.12.0-6")]
    [Requirement("MQTT-4.12.0-7")]
    public async Task AUTH_without_a_method_in_CONNECT_is_a_protocol_error()
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.ConnectAsync("one");
        Assert.False(client.Connack.Properties.Has(PropertyId.AuthenticationMethod));
        await client.SendAsync(Wire.Packet(0xF0, [0x18, .. Wire.Properties(Prop.AuthenticationMethod("x"))]));
        await client.ExpectDisconnectAsync(ReasonCode.ProtocolError);
    }

    [Fact]
    [Requirement("MQTT-4.12.0-1")]
    [Requirement("MQTT-4.12.0-4")]
    public async Task A_method_that_is_not_offered_is_refused() =>
        await Check.RefusesAsync(
            Packets.V5.Connect("one", properties: [.. Prop.AuthenticationMethod("SCRAM-SHA-1"), .. Prop.AuthenticationData(1)]),
            ReasonCode.BadAuthenticationMethod);

    [Fact]
    [Requirement("MQTT-4.13.1-1")]
    public async Task Packets_only_a_server_sends_are_protocol_errors()
    {
        foreach (byte[] packet in (byte[][])[[0x20, 3, 0, 0, 0], [0x90, 4, 0, 1, 0, 0], [0xB0, 4, 0, 1, 0, 0], [0xD0, 0]])
        {
            await Check.DisconnectsAsync(packet, ReasonCode.ProtocolError);
        }
    }
}
