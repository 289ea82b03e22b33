namespace EdgeBroker.Conformance.Tests.V311;

/// <summary>UNSUBSCRIBE and UNSUBACK (3.10, 3.11), PINGREQ (3.12).</summary>
public sealed class Section_3_10_Unsubscribe
{
    [Fact]
    [Requirement("MQTT-3.10.3-2", "3.1.1")]
    public Task There_is_at_least_one_filter() => Check.CutsOffAsync(Wire.Packet(0xA2, 0, 1));

    [Theory]
    [InlineData("a/+")]
    [InlineData("a/#")]
    [InlineData("A/b")]
    [InlineData("a/b/")]
    [InlineData("/a/b")]
    [InlineData("a")]
    [InlineData("#")]
    [Requirement("MQTT-3.10.4-1", "3.1.1")]
    [Requirement("MQTT-3.10.4-4", "3.1.1")]
    [Requirement("MQTT-3.10.4-5", "3.1.1")]
    public async Task Only_the_very_same_filter_is_deleted(string other)
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.SubscriberAsync("a/b", 1);
        await client.SendAsync(Check.Packets.Unsubscribe(0x1234, other));
        await client.ExpectAsync([0xB0, 2, 0x12, 0x34]);
        await broker.PublishAsync("a/b", "still wanted");
        await client.ExpectPublishAsync("a/b", "still wanted");
    }

    [Fact]
    [Requirement("MQTT-3.10.4-1", "3.1.1")]
    [Requirement("MQTT-3.10.4-2", "3.1.1")]
    [Requirement("MQTT-3.10.4-6", "3.1.1")]
    public async Task Several_filters_are_deleted_with_one_answer()
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.SubscriberAsync("a/+", 1);
        await client.SubscribeAsync("b", 2);
        await client.SubscribeAsync("c", 0);
        await client.SendAsync(Check.Packets.Unsubscribe(9, "a/+", "never had", "b"));
        await client.ExpectAsync([0xB0, 2, 0, 9]);
        TestClient publisher = await broker.JoinAsync("publisher");
        foreach (string topic in new[] { "a/x", "b", "c" }) await publisher.PublishAsync(topic, topic, 2);
        await client.ExpectPublishAsync("c", "c");
        await client.ExpectNothingAsync();
    }

    [Fact]
    [Requirement("MQTT-3.10.4-3", "3.1.1")]
    public async Task Deliveries_begun_are_finished()
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.SubscriberAsync("a", 2, "one", clean: false);
        await broker.PublishAsync("a", "QoS 1", 1);
        await broker.PublishAsync("a", "QoS 2", 2);
        ReceivedPacket once = await client.ExpectPublishAsync("a", "QoS 1", 1);
        ReceivedPacket exactlyOnce = await client.ExpectPublishAsync("a", "QoS 2", 2);
        await client.UnsubscribeAsync("a");
        await client.DropAsync();
        client = await broker.JoinAsync("one", clean: false, sessionPresent: true);
        await client.ExpectAsync(
            Check.Packets.Publish("a", "QoS 1", 1, once.PacketId, dup: true), Check.Packets.Publish("a", "QoS 2", 2, exactlyOnce.PacketId, dup: true));
        await client.SendAsync(Check.Packets.Puback(once.PacketId), Check.Packets.Pubrec(exactlyOnce.PacketId));
        await client.ExpectAsync(Check.Packets.Pubrel(exactlyOnce.PacketId));
        await client.SendAsync(Check.Packets.Pubcomp(exactlyOnce.PacketId));
        await client.ExpectNothingAsync();
        await client.DropAsync();
        client = await broker.JoinAsync("one", clean: false, sessionPresent: true);
        await client.ExpectNothingAsync();
    }

    [Fact]
    [Requirement("MQTT-3.12.4-1", "3.1.1")]
    public async Task PINGREQ_is_answered()
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.JoinAsync("one");
        await client.SendAsync([0xC0, 0], [0xC0, 0]);
        await client.ExpectAsync([0xD0, 0], [0xD0, 0]);
    }
}
