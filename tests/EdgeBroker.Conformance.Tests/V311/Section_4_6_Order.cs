namespace EdgeBroker.Conformance.Tests.V311;

/// <summary>Message ordering (4.6): every topic is ordered.</summary>
public sealed class Section_4_6_Order
{
    private const int Count = 250;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [Requirement("MQTT-4.6.0-5", "3.1.1")]
    [Requirement("MQTT-4.6.0-6", "3.1.1")]
    public async Task A_subscriber_gets_a_publishers_messages_in_order(int qos)
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.SubscriberAsync("a", qos, "one", clean: false);
        TestClient publisher = await broker.JoinAsync("publisher");
        // More than are in flight at once, so that the queue is part of it; some before a break of the connection, some after.
        for (int i = 0; i < Count; i++) await publisher.PublishAsync("a", $"{i}", qos);
        List<ReceivedPacket> open = [];
        for (int i = 0; i < 50; i++) open.Add(await client.ExpectPublishAsync("a", $"{i}", qos));
        if (qos > 0)
        {
            await client.DropAsync();
            client = await broker.JoinAsync("one", clean: false, sessionPresent: true);
        }

        for (int i = qos == 0 ? 50 : 0; i < Count; i++)
        {
            ReceivedPacket publish = await client.ExpectAsync(PacketType.Publish);
            Assert.Equal($"{i}", publish.PayloadText);
            if (i < open.Count) Assert.Equal(open[i].PacketId, publish.PacketId);
            await client.AcknowledgeAsync(publish);
        }

        await client.ExpectNothingAsync();
    }

    [Fact]
    [Requirement("MQTT-4.6.0-6", "3.1.1")]
    public async Task Acknowledgements_come_in_the_order_of_the_publishes()
    {
        // The first of each QoS waits for the disk, the second has nothing to wait for.
        var journal = new TestJournal();
        await using var broker = new TestBroker(new TestBrokerOptions { Journal = journal });
        TestClient publisher = await broker.JoinAsync("publisher");
        TestClient keeper = await broker.OpenAsync(ProtocolVersion.V311);
        await keeper.SendAsync(Check.Packets.Connect("keeper", cleanStart: false), Check.Packets.Subscribe(1, "kept", 2));
        await keeper.ExpectConnackAsync();
        await keeper.FenceAsync();
        await keeper.DropAsync();
        journal.Commit();
        await publisher.SendAsync(
            Check.Packets.Publish("kept", "", 1, 1), Check.Packets.Publish("nobody's", "", 1, 2),
            Check.Packets.Publish("kept", "", 2, 3), Check.Packets.Publish("nobody's", "", 2, 4));
        await publisher.ExpectNothingAsync();
        journal.Commit();
        await publisher.ExpectAsync(Check.Packets.Puback(1), Check.Packets.Puback(2), Check.Packets.Pubrec(3), Check.Packets.Pubrec(4));
    }

    [Fact]
    [Requirement("MQTT-4.6.0-6", "3.1.1")]
    public async Task PUBRELs_come_in_the_order_of_the_PUBRECs()
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.SubscriberAsync("a", 2);
        TestClient publisher = await broker.JoinAsync("publisher");
        List<int> ids = [];
        for (int i = 0; i < 10; i++)
        {
            await publisher.PublishAsync("a", $"{i}", 2);
            ids.Add((await client.ExpectPublishAsync("a", $"{i}", 2)).PacketId);
        }

        int[] order = [3, 0, 9, 1, 8, 2, 7, 5, 4, 6];
        await client.SendAsync([.. order.SelectMany(i => Check.Packets.Pubrec(ids[i]))]);
        foreach (int i in order) await client.ExpectAsync(Check.Packets.Pubrel(ids[i]));
    }
}
