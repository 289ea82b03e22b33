namespace EdgeBroker.Conformance.Tests.V311;

/// <summary>RETAIN (3.3.1.3).</summary>
public sealed class Section_3_3_1_Retain
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [Requirement("MQTT-3.3.1-5", "3.1.1")]
    [Requirement("MQTT-3.3.1-6", "3.1.1")]
    [Requirement("MQTT-3.3.1-8", "3.1.1")]
    [Requirement("MQTT-3.3.1-9", "3.1.1")]
    public async Task The_last_retained_message_of_each_topic_is_kept_with_its_QoS(int qos)
    {
        await using var broker = new TestBroker();
        TestClient standing = await broker.SubscriberAsync("a/#", 2, "standing");
        await broker.PublishAsync("a/1", "old", 2, retain: true);
        await broker.PublishAsync("a/1", "new", qos, retain: true);
        await broker.PublishAsync("a/2", "other", qos, retain: true);
        await broker.PublishAsync("b", "elsewhere", qos, retain: true);
        await standing.AcknowledgeAsync(await standing.ExpectPublishAsync("a/1", "old", 2, retain: false));
        await standing.AcknowledgeAsync(await standing.ExpectPublishAsync("a/1", "new", qos, retain: false));
        await standing.AcknowledgeAsync(await standing.ExpectPublishAsync("a/2", "other", qos, retain: false));

        TestClient late = await broker.SubscriberAsync("a/+", 2, "late");
        List<ReceivedPacket> received = await late.ExpectPublishesInAnyOrderAsync("new", "other");
        Assert.All(received, one => Assert.Equal((qos, true, false), (one.QoS, one.Retain, one.Dup)));
        await late.ExpectNothingAsync();
    }

    [Fact]
    [Requirement("MQTT-3.3.1-7", "3.1.1")]
    public async Task A_retained_QoS_0_message_replaces_what_was_retained()
    {
        await using var broker = new TestBroker();
        await broker.PublishAsync("a", "old", 1, retain: true);
        await broker.PublishAsync("a", "new", 0, retain: true);
        TestClient late = await broker.SubscriberAsync("a", 2);
        await late.ExpectPublishAsync("a", "new", 0, retain: true);
        await late.ExpectNothingAsync();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [Requirement("MQTT-3.3.1-10", "3.1.1")]
    [Requirement("MQTT-3.3.1-11", "3.1.1")]
    public async Task An_empty_retained_message_is_delivered_and_clears(int qos)
    {
        await using var broker = new TestBroker();
        await broker.PublishAsync("a", "kept", 1, retain: true);
        TestClient standing = await broker.SubscriberAsync("a", 2, "standing");
        await standing.AcknowledgeAsync(await standing.ExpectPublishAsync("a", "kept", 1, retain: true));
        await broker.PublishAsync("a", "", qos, retain: true);
        await standing.ExpectPublishAsync("a", "", qos, retain: false);
        TestClient late = await broker.SubscriberAsync("a", 2, "late");
        await late.ExpectNothingAsync();
        // Where nothing was retained, nothing is afterwards.
        await broker.PublishAsync("b", "", qos, retain: true);
        await late.SubscribeAsync("b", 2);
        await late.ExpectNothingAsync();
    }

    [Fact]
    [Requirement("MQTT-3.3.1-12", "3.1.1")]
    public async Task Without_RETAIN_nothing_is_stored_replaced_or_removed()
    {
        await using var broker = new TestBroker();
        await broker.PublishAsync("a", "kept", 1, retain: true);
        await broker.PublishAsync("a", "passing", 1);
        await broker.PublishAsync("a", "", 1);
        await broker.PublishAsync("b", "passing", 1);
        TestClient late = await broker.SubscriberAsync("#", 1);
        await late.ExpectPublishAsync("a", "kept", 1, retain: true);
        await late.ExpectNothingAsync();
    }
}
