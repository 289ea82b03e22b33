namespace EdgeBroker.Conformance.Tests.V5;

public sealed class Section_4_6_Message_ordering
{
    [Theory]
    [InlineData(0, 100, false)]
    [InlineData(1, 100, false)]
    [InlineData(2, 100, false)]
    [InlineData(1, 1, false)]
    [InlineData(2, 3, false)]
    [InlineData(1, 3, true)]
    [InlineData(2, 100, true)]
    [Requirement("MQTT-4.6.0-5")]
    [Requirement("MQTT-4.6.0-6")]
    public async Task Messages_of_one_topic_and_QoS_come_in_order(int qos, int receiveMaximum, bool disturbed)
    {
        await using var broker = new TestBroker();
        byte[] properties = [.. Prop.SessionExpiry(100), .. Prop.ReceiveMaximum(receiveMaximum)];
        TestClient subscriber = await Check.SubscriberAsync(broker, "+/b", 2, "subscriber", properties);
        TestClient publisher = await broker.ConnectAsync("publisher");
        await publisher.SendAsync([.. Enumerable.Range(1, 90).Select(i => publisher.Packets.Publish("a/b", $"{i}", qos, qos == 0 ? 0 : i))]);
        int next = 1;
        while (next <= 90)
        {
            if (disturbed && next % 17 == 0)
            {
                // What was sent and not acknowledged comes again; the order of first deliveries holds.
                await subscriber.DropAsync();
                subscriber = await broker.ConnectAsync("subscriber", cleanStart: false, properties: properties, sessionPresent: true);
            }

            ReceivedPacket message = await subscriber.ExpectAsync(PacketType.Publish);
            Assert.Equal($"{next}", message.PayloadText);
            await subscriber.AcknowledgeAsync(message);
            await subscriber.FenceAsync();
            next++;
        }

        await subscriber.ExpectNothingAsync();
    }

    [Fact]
    [Requirement("MQTT-4.6.0-5")]
    public async Task Acknowledgements_to_a_publisher_come_in_the_order_of_its_messages()
    {
        await using var broker = new TestBroker();
        await Check.SubscriberAsync(broker, "a", 0);
        TestClient publisher = await broker.ConnectAsync("publisher");
        int[] ids = [5, 3, 9, 1, 7];
        await publisher.SendAsync([.. ids.Select(id => publisher.Packets.Publish("a", "", 2, id))]);
        await publisher.ExpectAsync([.. ids.Select(id => publisher.Packets.Pubrec(id))]);
        await publisher.SendAsync([.. ids.Reverse().Select(id => publisher.Packets.Pubrel(id))]);
        await publisher.ExpectAsync([.. ids.Reverse().Select(id => publisher.Packets.Pubcomp(id))]);
    }

    [Fact]
    public async Task Messages_to_a_slow_reader_keep_their_order()
    {
        await using var broker = new TestBroker();
        TestClient slow = await Check.SubscriberAsync(broker, "a", 1, "slow");
        TestClient publisher = await broker.ConnectAsync("publisher");
        // More than the pipe and the output take at once: the rest waits in the session's queue.
        string filling = new('x', 10_000);
        for (int i = 1; i <= 100; i++) await publisher.PublishAsync("a", $"{i} {filling}", 1);
        for (int i = 1; i <= 100; i++)
        {
            ReceivedPacket message = await slow.ExpectAsync(PacketType.Publish);
            Assert.Equal($"{i} {filling}", message.PayloadText);
            await slow.AcknowledgeAsync(message);
        }

        await slow.ExpectNothingAsync();
    }
}
