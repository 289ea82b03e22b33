namespace EdgeBroker.Conformance.Tests.V5;

/// <summary>PUBACK, PUBREC, PUBREL and PUBCOMP (3.4 to 3.7).</summary>
public sealed class Section_3_4_to_3_7_Acknowledgements
{
    // The smallest limit that lets CONNACK through; no explanation fits.
    private const int Tight = 16;

    [Fact]
    [Requirement("MQTT-3.4.2-1")]
    [Requirement("MQTT-3.5.2-1")]
    [Requirement("MQTT-3.6.2-1")]
    [Requirement("MQTT-3.7.2-1")]
    [Requirement("MQTT-3.4.2-2")]
    [Requirement("MQTT-3.4.2-3")]
    [Requirement("MQTT-3.5.2-2")]
    [Requirement("MQTT-3.5.2-3")]
    [Requirement("MQTT-3.6.2-2")]
    [Requirement("MQTT-3.6.2-3")]
    [Requirement("MQTT-3.7.2-2")]
    [Requirement("MQTT-3.7.2-3")]
    public async Task What_does_not_fit_the_client_goes_without_explanation()
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.ConnectAsync("one", properties: Prop.MaximumPacketSize(Tight));
        Packets packets = client.Packets;
        await client.SendAsync(packets.Publish("$SYS/a", "x", 1, 1), packets.Publish("$SYS/a", "x", 2, 2), packets.Pubrec(3), packets.Pubrel(4));
        await client.ExpectAsync(
            packets.Puback(1, ReasonCode.NotAuthorized),
            packets.Pubrec(2, ReasonCode.NotAuthorized),
            packets.Pubrel(3, ReasonCode.PacketIdentifierNotFound),
            packets.Pubcomp(4));
    }

    [Fact]
    [Requirement("MQTT-3.4.2-2")]
    [Requirement("MQTT-3.5.2-2")]
    public async Task What_just_fits_is_explained()
    {
        byte[] explained = Packets.V5.Puback(1, ReasonCode.NotAuthorized, Prop.ReasonString("not permitted"));
        foreach (int limit in (int[])[explained.Length, explained.Length - 1])
        {
            await using var broker = new TestBroker();
            TestClient client = await broker.ConnectAsync("one", properties: Prop.MaximumPacketSize((uint)limit));
            await client.SendAsync(client.Packets.Publish("$SYS/a", "x", 1, 1));
            await client.ExpectAsync(limit == explained.Length ? explained : client.Packets.Puback(1, ReasonCode.NotAuthorized));
        }
    }

    [Theory]
    [InlineData(0x40, 0x92)]
    [InlineData(0x40, 0x01)]
    [InlineData(0x50, 0x92)]
    [InlineData(0x62, 0x80)]
    [InlineData(0x70, 0x10)]
    [Requirement("MQTT-3.4.2-1")]
    [Requirement("MQTT-3.5.2-1")]
    [Requirement("MQTT-3.6.2-1")]
    [Requirement("MQTT-3.7.2-1")]
    public async Task A_code_of_another_packet_is_a_protocol_error(int header, byte code) =>
        await Check.DisconnectsAsync(Wire.Packet(header, 0, 1, code), ReasonCode.ProtocolError);

    [Theory]
    [InlineData(0x60)]
    [InlineData(0x61)]
    [InlineData(0x63)]
    [InlineData(0x6A)]
    [Requirement("MQTT-3.6.1-1")]
    public async Task PUBREL_with_other_flags_is_malformed(int header) => await Check.DisconnectsAsync(Wire.Packet(header, 0, 1), ReasonCode.MalformedPacket);

    [Fact]
    [Requirement("MQTT-3.6.1-1")]
    [Requirement("MQTT-4.3.3-4")]
    [Requirement("MQTT-4.3.3-11")]
    public async Task Acknowledgements_come_in_every_length()
    {
        await using var broker = new TestBroker();
        TestClient client = await Check.SubscriberAsync(broker, "a", 2);
        for (int i = 1; i <= 4; i++)
        {
            await client.SendAsync(client.Packets.Publish("a", "x", 2, i));
            await client.ExpectAsync(client.Packets.Publish("a", "x", 2, i), client.Packets.Pubrec(i));
            byte[] rest = i switch { 1 => [], 2 => [0], 3 => [0, 0], _ => [0, .. Wire.Properties([.. Prop.ReasonString("r"), .. Prop.User("a", "b")])] };
            await client.SendAsync(Wire.Packet(0x62, [0, (byte)i, .. rest]), Wire.Packet(0x50, [0, (byte)i, .. rest]));
            await client.ExpectAsync([0x70, 2, 0, (byte)i], [0x62, 2, 0, (byte)i]);
            await client.SendAsync(Wire.Packet(0x70, [0, (byte)i, .. rest]));
        }

        await client.ExpectNothingAsync();
        Assert.Equal(0, broker.Broker.CountPendingMessages());
    }

    [Fact]
    public async Task An_acknowledgement_for_nothing_is_ignored_or_told()
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.ConnectAsync("one", properties: Prop.RequestProblemInformation(0));
        await client.SendAsync(
            client.Packets.Puback(1), client.Packets.Pubcomp(2), client.Packets.Pubrec(3, ReasonCode.UnspecifiedError), client.Packets.Pubrec(4),
            client.Packets.Pubrel(5));
        await client.ExpectAsync(client.Packets.Pubrel(4, ReasonCode.PacketIdentifierNotFound), client.Packets.Pubcomp(5));
        await client.ExpectNothingAsync();
    }

    [Fact]
    public async Task An_acknowledgement_of_the_other_QoS_is_a_protocol_error()
    {
        await using var broker = new TestBroker();
        foreach ((int qos, byte[] ack) in ((int, byte[])[])[
            (1, Packets.V5.Pubrec(1)), (2, Packets.V5.Puback(1)), (2, Packets.V5.Pubcomp(1)), (1, Packets.V5.Pubcomp(1)),
        ])
        {
            TestClient client = await Check.SubscriberAsync(broker, "a", 2);
            await client.SendAsync(client.Packets.Publish("a", "x", qos, 1));
            await client.ExpectPublishAsync("a", "x", qos);
            await client.ReceiveAsync();
            await client.SendAsync(ack);
            await client.ExpectDisconnectAsync(ReasonCode.ProtocolError);
        }
    }
}
