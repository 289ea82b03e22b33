namespace EdgeBroker.Conformance.Tests.V311;

/// <summary>Session state (4.1), the three protocols (4.3), re-delivery (4.4) and receipt (4.5).</summary>
public sealed class Section_4_3_Quality_of_service
{
    [Fact]
    [Requirement("MQTT-4.1.0-1", "3.1.1")]
    public async Task All_of_the_state_is_kept()
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.SubscriberAsync("a", 2, "one", clean: false);
        TestClient publisher = await broker.JoinAsync("publisher");
        foreach (string text in new[] { "unacknowledged", "received", "released" }) await publisher.PublishAsync("a", text, text == "unacknowledged" ? 1 : 2);
        ReceivedPacket unacknowledged = await client.ExpectPublishAsync("a", "unacknowledged", 1);
        ReceivedPacket received = await client.ExpectPublishAsync("a", "received", 2);
        ReceivedPacket released = await client.ExpectPublishAsync("a", "released", 2);
        await client.SendAsync(Check.Packets.Pubrec(released.PacketId), Check.Packets.Publish("b", "from the client", 2, 77));
        await client.ExpectAsync(Check.Packets.Pubrel(released.PacketId), Check.Packets.Pubrec(77));
        await client.DropAsync();
        await publisher.PublishAsync("a", "queued", 1);
        broker.Advance(TimeSpan.FromDays(1));

        await publisher.SubscribeAsync("b", 2);
        client = await broker.JoinAsync("one", clean: false, sessionPresent: true);
        await client.ExpectAsync(
            Check.Packets.Publish("a", "unacknowledged", 1, unacknowledged.PacketId, dup: true),
            Check.Packets.Publish("a", "received", 2, received.PacketId, dup: true),
            Check.Packets.Pubrel(released.PacketId));
        await client.ExpectPublishAsync("a", "queued", 1);
        // The exchange the client had begun is known, too.
        await client.SendAsync(Check.Packets.Publish("b", "from the client", 2, 77, dup: true), Check.Packets.Pubrel(77));
        await client.ExpectAsync(Check.Packets.Pubrec(77), Check.Packets.Pubcomp(77));
        await publisher.ExpectNothingAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [Requirement("MQTT-4.1.0-2", "3.1.1")]
    public async Task A_session_lasts_as_long_as_its_connection(bool clean)
    {
        await using var broker = new TestBroker(TestBrokerOptions.Quiet with { MaxSessionExpiry = TimeSpan.FromDays(1) });
        TestClient client = await broker.SubscriberAsync("a", 1, "one", clean);
        broker.Advance(TimeSpan.FromDays(40));
        await broker.PublishAsync("a", "still there", 1);
        await client.ExpectPublishAsync("a", "still there", 1);
    }

    [Fact]
    [Requirement("MQTT-4.3.1-1", "3.1.1")]
    public async Task QoS_0_goes_out_once_and_is_not_kept()
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.SubscriberAsync("a", 0, "one", clean: false);
        await broker.PublishAsync("a", "once", 0);
        await client.ExpectAsync(Check.Packets.Publish("a", "once"));
        await client.DropAsync();
        client = await broker.JoinAsync("one", clean: false, sessionPresent: true);
        await client.ExpectNothingAsync();
    }

    [Fact]
    [Requirement("MQTT-4.3.2-1", "3.1.1")]
    public async Task QoS_1_is_open_until_PUBACK()
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.SubscriberAsync("a", 1, "one", clean: false);
        await broker.PublishAsync("a", "one", 1);
        await broker.PublishAsync("a", "two", 1);
        ReceivedPacket one = await client.ExpectPublishAsync("a", "one", 1, dup: false);
        ReceivedPacket two = await client.ExpectPublishAsync("a", "two", 1, dup: false);
        Assert.NotEqual(one.PacketId, two.PacketId);
        await client.SendAsync(Check.Packets.Puback(one.PacketId));
        await client.FenceAsync();
        await client.DropAsync();
        client = await broker.JoinAsync("one", clean: false, sessionPresent: true);
        await client.ExpectAsync(Check.Packets.Publish("a", "two", 1, two.PacketId, dup: true));
        await client.SendAsync(Check.Packets.Puback(two.PacketId));
        await client.ExpectNothingAsync();
        await client.DropAsync();
        client = await broker.JoinAsync("one", clean: false, sessionPresent: true);
        await client.ExpectNothingAsync();
    }

    [Fact]
    [Requirement("MQTT-4.3.2-2", "3.1.1")]
    public async Task After_PUBACK_the_same_identifier_is_a_new_message()
    {
        await using var broker = new TestBroker();
        TestClient subscriber = await broker.SubscriberAsync("a");
        TestClient publisher = await broker.JoinAsync("publisher");
        foreach (string text in new[] { "one", "two" })
        {
            await publisher.SendAsync(Check.Packets.Publish("a", text, 1, 300));
            await publisher.ExpectAsync(Check.Packets.Puback(300));
            await subscriber.ExpectPublishAsync("a", text);
        }

        // Even one marked as sent before.
        await publisher.SendAsync(Check.Packets.Publish("a", "two", 1, 300, dup: true));
        await publisher.ExpectAsync(Check.Packets.Puback(300));
        await subscriber.ExpectPublishAsync("a", "two");
    }

    [Fact]
    [Requirement("MQTT-4.3.3-1", "3.1.1")]
    public async Task QoS_2_is_released_after_PUBREC_and_not_published_again()
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.SubscriberAsync("a", 2, "one", clean: false);
        await broker.PublishAsync("a", "one", 2);
        ReceivedPacket publish = await client.ExpectPublishAsync("a", "one", 2, dup: false);
        byte[] pubrec = Check.Packets.Pubrec(publish.PacketId), pubrel = Check.Packets.Pubrel(publish.PacketId);
        await client.SendAsync(pubrec);
        await client.ExpectAsync(pubrel);
        await client.DropAsync();
        client = await broker.JoinAsync("one", clean: false, sessionPresent: true);
        await client.ExpectAsync(pubrel);
        await client.ExpectNothingAsync();
        await client.SendAsync(pubrec);
        await client.ExpectAsync(pubrel);
        await client.SendAsync(Check.Packets.Pubcomp(publish.PacketId));
        await client.ExpectNothingAsync();
        await client.DropAsync();
        client = await broker.JoinAsync("one", clean: false, sessionPresent: true);
        await client.ExpectNothingAsync();
    }

    [Fact]
    [Requirement("MQTT-4.3.3-2", "3.1.1")]
    public async Task A_repeated_QoS_2_publish_is_answered_and_not_delivered_again()
    {
        await using var broker = new TestBroker();
        TestClient subscriber = await broker.SubscriberAsync("a", 2);
        TestClient publisher = await broker.JoinAsync("publisher");
        await publisher.SendAsync(Check.Packets.Publish("a", "one", 2, 5), Check.Packets.Publish("a", "one", 2, 5, dup: true));
        await publisher.ExpectAsync(Check.Packets.Pubrec(5), Check.Packets.Pubrec(5));
        await subscriber.AcknowledgeAsync(await subscriber.ExpectPublishAsync("a", "one", 2));
        await subscriber.ExpectNothingAsync();
        await publisher.SendAsync(Check.Packets.Pubrel(5), Check.Packets.Pubrel(5));
        await publisher.ExpectAsync(Check.Packets.Pubcomp(5), Check.Packets.Pubcomp(5));
        await publisher.SendAsync(Check.Packets.Publish("a", "another", 2, 5));
        await publisher.ExpectAsync(Check.Packets.Pubrec(5));
        await subscriber.ExpectPublishAsync("a", "another", 2);
    }

    [Fact]
    [Requirement("MQTT-4.3.3-2", "3.1.1")]
    public async Task A_subscriber_that_has_no_room_does_not_make_the_others_get_a_message_twice()
    {
        await using var broker = new TestBroker(TestBrokerOptions.Quiet with { MaxQueuedMessages = 1, QueueOverflow = Core.QueueOverflow.Reject });
        TestClient full = await broker.SubscriberAsync("a", 1, "full", clean: false);
        await full.DropAsync();
        await broker.PublishAsync("a", "fills the queue", 1);
        TestClient subscriber = await broker.SubscriberAsync("a", 2);
        TestClient publisher = await broker.JoinAsync("publisher", clean: false);
        await publisher.SendAsync(Check.Packets.Publish("a", "once", 2, 5));
        await publisher.ExpectAsync(Check.Packets.Pubrec(5));
        await publisher.DropAsync();
        // It could not be told that one subscriber did not get the message, and goes on as if PUBREC had been lost.
        publisher = await broker.JoinAsync("publisher", clean: false, sessionPresent: true);
        await publisher.SendAsync(Check.Packets.Publish("a", "once", 2, 5, dup: true), Check.Packets.Pubrel(5));
        await publisher.ExpectAsync(Check.Packets.Pubrec(5), Check.Packets.Pubcomp(5));
        await subscriber.AcknowledgeAsync(await subscriber.ExpectPublishAsync("a", "once", 2));
        await subscriber.ExpectNothingAsync();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [Requirement("MQTT-4.4.0-1", "3.1.1")]
    public async Task What_is_open_is_sent_again_with_its_identifiers(int qos)
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.SubscriberAsync("a", qos, "one", clean: false);
        TestClient publisher = await broker.JoinAsync("publisher");
        List<ReceivedPacket> open = [];
        for (int i = 0; i < 5; i++)
        {
            await publisher.PublishAsync("a", $"{i}", qos);
            open.Add(await client.ExpectPublishAsync("a", $"{i}", qos));
        }

        for (int times = 0; times < 2; times++)
        {
            // Thrown out by itself, the connection ends as any other way.
            client = await broker.JoinAsync("one", clean: false, sessionPresent: true);
            foreach (ReceivedPacket one in open) await client.ExpectAsync(Check.Packets.Publish("a", one.PayloadText, qos, one.PacketId, dup: true));
            await client.ExpectNothingAsync();
        }
    }

    [Fact]
    [Requirement("MQTT-4.5.0-1", "3.1.1")]
    public async Task A_message_reaches_every_matching_session()
    {
        await using var broker = new TestBroker();
        TestClient away = await broker.SubscriberAsync("a/#", 1, "away", clean: false);
        await away.DropAsync();
        TestClient here = await broker.SubscriberAsync("a/b", 2, "here");
        TestClient self = await broker.SubscriberAsync("+/b", 1, "self");
        await self.SendAsync(Check.Packets.Publish("a/b", "to all", 2, 1));
        List<ReceivedPacket> both = [await self.ReceiveAsync(), await self.ReceiveAsync()];
        Assert.Equal([PacketType.Publish, PacketType.Pubrec], both.Select(one => one.Type).Order());
        await here.ExpectPublishAsync("a/b", "to all", 2);
        away = await broker.JoinAsync("away", clean: false, sessionPresent: true);
        await away.ExpectPublishAsync("a/b", "to all", 1);
    }
}
