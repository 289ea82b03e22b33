namespace EdgeBroker.Conformance.Tests.V5;

/// <summary>The exchanges of QoS 1 and 2 and what is sent again (4.3, 4.4).</summary>
public sealed class Section_4_3_Quality_of_service
{
    private static readonly byte[] Kept = Prop.SessionExpiry(1000);

    private static Task<TestClient> BackAsync(TestBroker broker) => broker.ConnectAsync("one", cleanStart: false, properties: Kept, sessionPresent: true);

    [Fact]
    [Requirement("MQTT-4.3.2-3")]
    [Requirement("MQTT-4.3.3-3")]
    [Requirement("MQTT-4.3.3-5")]
    [Requirement("MQTT-4.3.3-6")]
    [Requirement("MQTT-4.4.0-1")]
    [Requirement("MQTT-3.3.1-1")]
    public async Task What_is_open_is_sent_again_on_a_new_connection_in_order()
    {
        await using var broker = new TestBroker();
        TestClient client = await Check.SubscriberAsync(broker, "a", 2, "one", Kept);
        TestClient publisher = await broker.ConnectAsync("publisher");
        for (int i = 1; i <= 6; i++) await publisher.PublishAsync("a", $"{i}", i % 2 == 0 ? 2 : 1);
        for (int i = 1; i <= 6; i++) await client.ExpectPublishAsync("a", $"{i}", i % 2 == 0 ? 2 : 1);
        // 1 and 6 are done with, 4 is released; 2, 3 and 5 are open.
        await client.SendAsync(client.Packets.Puback(1), client.Packets.Pubrec(4), client.Packets.Pubrec(6), client.Packets.Pubcomp(6));
        await client.ExpectAsync(client.Packets.Pubrel(4), client.Packets.Pubrel(6));
        await client.ExpectNothingAsync();
        await client.DropAsync();
        await publisher.PublishAsync("a", "7", 1);
        for (int round = 0; round < 2; round++)
        {
            client = await BackAsync(broker);
            await client.ExpectAsync(
                client.Packets.Publish("a", "2", 2, 2, dup: true),
                client.Packets.Publish("a", "3", 1, 3, dup: true),
                client.Packets.Pubrel(4),
                client.Packets.Publish("a", "5", 1, 5, dup: true));
            ReceivedPacket seventh = await client.ExpectPublishAsync("a", "7", 1, dup: round > 0);
            Assert.DoesNotContain(seventh.PacketId, (int[])[2, 3, 4, 5]);
            await client.ExpectNothingAsync();
            await client.DropAsync();
        }

        client = await BackAsync(broker);
        for (int i = 0; i < 5; i++)
        {
            ReceivedPacket packet = await client.ReceiveAsync();
            if (packet.Type == PacketType.Publish) await client.AcknowledgeAsync(packet);
            else await client.SendAsync(client.Packets.Pubcomp(packet.PacketId));
        }

        await client.ExpectNothingAsync();
        await client.DropAsync();
        client = await BackAsync(broker);
        await client.ExpectNothingAsync();
    }

    [Fact]
    [Requirement("MQTT-4.4.0-1")]
    public async Task While_a_connection_lasts_nothing_is_sent_again()
    {
        await using var broker = new TestBroker();
        TestClient client = await Check.SubscriberAsync(broker, "a", 2, "one", Kept);
        await client.PublishAsync("a", "1", 1);
        await client.PublishAsync("a", "2", 2);
        await client.ExpectPublishAsync("a", "1", 1);
        ReceivedPacket second = await client.ExpectPublishAsync("a", "2", 2);
        await client.SendAsync(client.Packets.Pubrec(second.PacketId));
        await client.ExpectAsync(client.Packets.Pubrel(second.PacketId));
        broker.Advance(TimeSpan.FromDays(1));
        await client.ExpectNothingAsync();
    }

    [Fact]
    [Requirement("MQTT-4.4.0-2")]
    public async Task A_refusal_of_the_client_closes_the_matter()
    {
        await using var broker = new TestBroker();
        TestClient client = await Check.SubscriberAsync(broker, "a", 2, "one", Kept);
        await client.PublishAsync("a", "1", 1);
        await client.PublishAsync("a", "2", 2);
        await client.SendAsync(client.Packets.Puback(1, ReasonCode.QuotaExceeded), client.Packets.Pubrec(2, ReasonCode.NotAuthorized));
        await client.ExpectPublishAsync("a", "1", 1);
        await client.ExpectPublishAsync("a", "2", 2);
        await client.ExpectNothingAsync();
        await client.DropAsync();
        client = await BackAsync(broker);
        await client.ExpectNothingAsync();
        Assert.Equal(0, broker.Broker.CountPendingMessages());
    }

    [Fact]
    [Requirement("MQTT-4.3.2-5")]
    public async Task After_PUBACK_the_identifier_is_a_new_message_whatever_DUP_says()
    {
        await using var broker = new TestBroker();
        TestClient subscriber = await Check.SubscriberAsync(broker, "a", 0);
        TestClient client = await broker.ConnectAsync("one");
        foreach (bool dup in (bool[])[false, true, true])
        {
            await client.SendAsync(client.Packets.Publish("a", "x", 1, 7, dup: dup));
            await client.ExpectAsync(client.Packets.Puback(7));
            await subscriber.ExpectPublishAsync("a", "x");
        }
    }

    [Fact]
    [Requirement("MQTT-4.3.3-10")]
    [Requirement("MQTT-4.3.3-11")]
    [Requirement("MQTT-4.3.3-12")]
    public async Task A_repeated_QoS_2_message_is_delivered_once()
    {
        await using var broker = new TestBroker();
        TestClient subscriber = await Check.SubscriberAsync(broker, "a", 2);
        TestClient client = await broker.ConnectAsync("one", properties: Kept);
        Packets packets = client.Packets;
        await client.SendAsync(packets.Publish("a", "once", 2, 7), packets.Publish("a", "once", 2, 7, dup: true), packets.Publish("a", "other", 2, 7));
        await client.ExpectAsync(packets.Pubrec(7), packets.Pubrec(7), packets.Pubrec(7));
        await client.DropAsync();
        client = await BackAsync(broker);
        await client.SendAsync(packets.Publish("a", "once", 2, 7, dup: true));
        await client.ExpectAsync(packets.Pubrec(7));
        await client.SendAsync(packets.Pubrel(7), packets.Publish("a", "new", 2, 7));
        await client.ExpectAsync(packets.Pubcomp(7), packets.Pubrec(7));
        await subscriber.ExpectPublishAsync("a", "once", 2);
        await subscriber.ExpectPublishAsync("a", "new", 2);
        await subscriber.ExpectNothingAsync();
    }

    [Fact]
    [Requirement("MQTT-4.3.3-9")]
    public async Task After_a_refusing_PUBREC_the_identifier_is_a_new_message()
    {
        await using var broker = new TestBroker();
        TestClient subscriber = await Check.SubscriberAsync(broker, "a", 2);
        TestClient client = await broker.ConnectAsync("one", properties: Prop.RequestProblemInformation(0));
        await client.SendAsync(client.Packets.Publish("$SYS/x", "refused", 2, 7), client.Packets.Publish("a", "taken", 2, 7));
        await client.ExpectAsync(client.Packets.Pubrec(7, ReasonCode.NotAuthorized), client.Packets.Pubrec(7));
        await subscriber.ExpectPublishAsync("a", "taken", 2);
    }

    [Fact]
    [Requirement("MQTT-4.3.3-7")]
    [Requirement("MQTT-4.3.3-13")]
    public async Task A_QoS_2_exchange_begun_is_finished_although_the_message_expires()
    {
        await using var broker = new TestBroker();
        TestClient client = await Check.SubscriberAsync(broker, "a", 2, "one", Kept);
        await client.PublishAsync("a", "1", 2, properties: Prop.MessageExpiry(5));
        await client.PublishAsync("a", "2", 2, properties: Prop.MessageExpiry(5));
        await client.ExpectPublishAsync("a", "1", 2);
        await client.ExpectPublishAsync("a", "2", 2);
        broker.Advance(10);
        await client.SendAsync(client.Packets.Pubrec(1));
        await client.ExpectAsync(client.Packets.Pubrel(1));
        await client.DropAsync();
        client = await BackAsync(broker);
        await client.ExpectAsync(client.Packets.Pubrel(1), client.Packets.Publish("a", "2", 2, 2, dup: true, properties: Prop.MessageExpiry(0)));
        await client.SendAsync(client.Packets.Pubcomp(1), client.Packets.Pubrec(2));
        await client.ExpectAsync(client.Packets.Pubrel(2));
    }

    [Fact]
    [Requirement("MQTT-4.2-1")]
    public async Task It_is_spoken_over_TCP()
    {
        await using var broker = new TestBroker(new TestBrokerOptions { OverSockets = true });
        TestClient subscriber = await Check.SubscriberAsync(broker, "a", 2);
        TestClient publisher = await broker.ConnectAsync("publisher");
        byte[] payload = new byte[900_000];
        new Random(1).NextBytes(payload);
        await publisher.SendAsync(publisher.Packets.Publish("a", payload, 2, 1));
        await publisher.ExpectAsync(publisher.Packets.Pubrec(1));
        await subscriber.ExpectAsync(subscriber.Packets.Publish("a", payload, 2, 1));
        await publisher.SendAsync(publisher.Packets.Publish("a", "open end", 1, 2)[..^3]);
        await publisher.DropAsync();
        await broker.Events.WaitForAsync(one => one is { Kind: BrokerEventKind.Disconnected, ClientId: "publisher" }, "the publisher's end");
        await subscriber.ExpectNothingAsync();
    }
}
