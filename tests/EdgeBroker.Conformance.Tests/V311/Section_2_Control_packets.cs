namespace EdgeBroker.Conformance.Tests.V311;

/// <summary>Fixed header (2.2) and packet identifiers (2.3.1).</summary>
public sealed class Section_2_Control_packets
{
    [Fact]
    [Requirement("MQTT-2.2.2-1", "3.1.1")]
    [Requirement("MQTT-2.3.1-5", "3.1.1")]
    [Requirement("MQTT-2.3.1-6", "3.1.1")]
    [Requirement("MQTT-2.3.1-7", "3.1.1")]
    public async Task Every_packet_of_the_broker_is_exact()
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.OpenAsync(ProtocolVersion.V311);
        await client.SendAsync(Check.Packets.Connect("one"));
        await client.ExpectAsync([0x20, 2, 0, 0]);
        await client.SendAsync([0x82, 6, 0x12, 0x34, 0, 1, (byte)'a', 2]);
        await client.ExpectAsync([0x90, 3, 0x12, 0x34, 2]);
        await client.SendAsync([0x30, 4, 0, 1, (byte)'a', (byte)'0']);
        await client.ExpectAsync([0x30, 4, 0, 1, (byte)'a', (byte)'0']);

        await client.SendAsync([0x32, 6, 0, 1, (byte)'a', 0xAB, 0xCD, (byte)'1']);
        List<ReceivedPacket> both = [await client.ReceiveAsync(), await client.ReceiveAsync()];
        Assert.Equal([0x40, 2, 0xAB, 0xCD], both.Single(one => one.Type == PacketType.Puback).Bytes);
        ReceivedPacket publish = both.Single(one => one.Type == PacketType.Publish);
        Assert.Equal([0x32, 6, 0, 1, (byte)'a', .. Wire.UInt16(publish.PacketId), (byte)'1'], publish.Bytes);
        await client.SendAsync(Check.Packets.Puback(publish.PacketId));

        await client.SendAsync([0x34, 6, 0, 1, (byte)'a', 0xFF, 0xFE, (byte)'2']);
        both = [await client.ReceiveAsync(), await client.ReceiveAsync()];
        Assert.Equal([0x50, 2, 0xFF, 0xFE], both.Single(one => one.Type == PacketType.Pubrec).Bytes);
        publish = both.Single(one => one.Type == PacketType.Publish);
        byte[] id = Wire.UInt16(publish.PacketId);
        Assert.Equal([0x34, 6, 0, 1, (byte)'a', .. id, (byte)'2'], publish.Bytes);
        await client.SendAsync([0x62, 2, 0xFF, 0xFE]);
        await client.ExpectAsync([0x70, 2, 0xFF, 0xFE]);
        await client.SendAsync([0x50, 2, .. id]);
        await client.ExpectAsync([0x62, 2, .. id]);
        await client.SendAsync([0x70, 2, .. id]);

        await client.SendAsync([0xA2, 5, 0x43, 0x21, 0, 1, (byte)'a']);
        await client.ExpectAsync([0xB0, 2, 0x43, 0x21]);
        await client.SendAsync([0xC0, 0]);
        await client.ExpectAsync([0xD0, 0]);
    }

    [Theory]
    [InlineData(0x40, 0, "0001")]
    [InlineData(0x50, 0, "0001")]
    [InlineData(0x60, 2, "0001")]
    [InlineData(0x70, 0, "0001")]
    [InlineData(0x80, 2, "00010001610000")]
    [InlineData(0xA0, 2, "0001000161")]
    [InlineData(0xC0, 0, "")]
    [InlineData(0xE0, 0, "")]
    [Requirement("MQTT-2.2.2-2", "3.1.1")]
    [Requirement("MQTT-3.6.1-1", "3.1.1")]
    [Requirement("MQTT-3.8.1-1", "3.1.1")]
    [Requirement("MQTT-3.10.1-1", "3.1.1")]
    [Requirement("MQTT-3.14.1-1", "3.1.1")]
    public async Task Wrong_flags_close_the_connection(int type, int right, string body)
    {
        foreach (int flags in Enumerable.Range(0, 16).Where(flags => flags != right))
        {
            await using var broker = new TestBroker();
            TestClient witness = await broker.SubscriberAsync("gone");
            // With a will, so that DISCONNECT with wrong flags is seen not to be taken for a goodbye.
            TestClient client = await broker.JoinAsync("one", will: new TestWill("gone", $"{flags}"));
            await client.SendAsync(Wire.Packet(type | flags, Convert.FromHexString(body)));
            await client.ExpectClosedAsync();
            await witness.ExpectPublishAsync("gone", $"{flags}");
        }
    }

    [Fact]
    [Requirement("MQTT-2.2.2-2", "3.1.1")]
    public async Task Wrong_flags_of_CONNECT_close_the_connection()
    {
        for (int flags = 1; flags < 16; flags++)
        {
            byte[] connect = Check.Packets.Connect("one");
            connect[0] |= (byte)flags;
            await Check.ClosesSilentlyAsync(connect);
        }
    }

    [Fact]
    [Requirement("MQTT-2.3.1-1", "3.1.1")]
    public async Task A_packet_identifier_is_not_0()
    {
        await Check.CutsOffAsync(Check.Packets.Publish("a", "", 1, packetId: 0));
        await Check.CutsOffAsync(Check.Packets.Publish("a", "", 2, packetId: 0));
        await Check.CutsOffAsync(Check.Packets.Subscribe(0, "a"));
        await Check.CutsOffAsync(Check.Packets.Unsubscribe(0, "a"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [Requirement("MQTT-2.3.1-1", "3.1.1")]
    [Requirement("MQTT-2.3.1-4", "3.1.1")]
    public async Task The_broker_gives_an_identifier_only_once_it_is_free_again(int qos)
    {
        const int batch = 90;
        await using var broker = new TestBroker();
        TestClient client = await broker.SubscriberAsync("#", qos);
        TestClient publisher = await broker.JoinAsync("publisher");
        byte[] publishes = [.. Enumerable.Range(1, batch).SelectMany(id => Check.Packets.Publish("a", "", 1, id))];
        ReceivedPacket? open = null;
        // All identifiers once around, with one of them in use while thousands of others come and go.
        for (int sent = 0; sent < 66_000; sent += batch)
        {
            if (sent % (150 * batch) == 0)
            {
                if (open is not null) await client.AcknowledgeAsync(open);
                await publisher.PublishAsync("b", "stays open", qos);
                open = await client.ExpectPublishAsync("b", "stays open", qos);
            }

            await publisher.SendAsync(publishes);
            HashSet<int> inUse = [open!.PacketId];
            for (int i = 0; i < batch; i++)
            {
                ReceivedPacket publish = await client.ExpectPublishAsync("a", "", 1);
                Assert.True(inUse.Add(publish.PacketId), $"{publish.PacketId} is in use");
                await publisher.ExpectAsync(PacketType.Puback);
            }

            inUse.Remove(open.PacketId);
            await client.SendAsync([.. inUse.SelectMany(id => Check.Packets.Puback(id))]);
        }
    }
}
