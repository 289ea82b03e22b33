using EdgeBroker.Core.Security;

namespace EdgeBroker.Conformance.Tests.V311;

/// <summary>PUBLISH: flags, topic, response (3.3).</summary>
public sealed class Section_3_3_Publish
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [Requirement("MQTT-3.3.1-1", "3.1.1")]
    public async Task A_redelivery_has_DUP(int qos)
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.SubscriberAsync("a", qos, "one", clean: false);
        await broker.PublishAsync("a", "twice", qos);
        ReceivedPacket first = await client.ExpectPublishAsync("a", "twice", qos, dup: false);
        await client.DropAsync();
        client = await broker.JoinAsync("one", clean: false, sessionPresent: true);
        await client.ExpectAsync(Check.Packets.Publish("a", "twice", qos, first.PacketId, dup: true));
    }

    [Fact]
    [Requirement("MQTT-3.3.1-2", "3.1.1")]
    public Task DUP_with_QoS_0_closes_the_connection() => Check.CutsOffAsync(Check.Packets.Publish("a", "", 0, dup: true));

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [Requirement("MQTT-3.3.1-2", "3.1.1")]
    [Requirement("MQTT-3.3.1-3", "3.1.1")]
    public async Task DUP_is_not_handed_on(int qos)
    {
        await using var broker = new TestBroker();
        TestClient subscriber = await broker.SubscriberAsync("a", qos);
        TestClient publisher = await broker.JoinAsync("publisher");
        await publisher.SendAsync(Check.Packets.Publish("a", "first seen now", 1, packetId: 9, dup: true));
        await publisher.ExpectAsync(Check.Packets.Puback(9));
        await subscriber.ExpectPublishAsync("a", "first seen now", Math.Min(qos, 1), dup: false);
        await publisher.SendAsync(Check.Packets.Publish("a", "and this", 2, packetId: 10, dup: true));
        await publisher.ExpectAsync(Check.Packets.Pubrec(10));
        await subscriber.ExpectPublishAsync("a", "and this", qos, dup: false);
    }

    [Theory]
    [InlineData(0x36)]
    [InlineData(0x37)]
    [InlineData(0x3E)]
    [InlineData(0x3F)]
    [Requirement("MQTT-3.3.1-4", "3.1.1")]
    public Task QoS_3_closes_the_connection(int header) => Check.CutsOffAsync(Wire.Packet(header, [.. Wire.Text("a"), 0, 1]));

    [Theory]
    [InlineData("a/+")]
    [InlineData("+")]
    [InlineData("#")]
    [InlineData("a/#")]
    [InlineData("a+b")]
    [InlineData("a#b")]
    [Requirement("MQTT-3.3.2-2", "3.1.1")]
    [Requirement("MQTT-4.7.1-1", "3.1.1")]
    public async Task A_topic_name_has_no_wildcard(string topic)
    {
        await Check.CutsOffAsync(Check.Packets.Publish(topic));
        await Check.CutsOffAsync(Check.Packets.Publish(topic, "", 1, 1));
        await Check.CutsOffAsync(Check.Packets.Publish(topic, "", 2, 1));
    }

    [Fact]
    [Requirement("MQTT-3.3.2-1", "3.1.1")]
    [Requirement("MQTT-3.3.2-3", "3.1.1")]
    public async Task A_subscriber_gets_the_topic_the_publisher_named()
    {
        await using var broker = new TestBroker();
        TestClient subscriber = await broker.SubscriberAsync("plant/+/temp/#");
        TestClient publisher = await broker.JoinAsync("publisher");
        string[] wanted = ["plant/1/temp", "plant/2/temp/", "plant//temp/a/b"];
        string[] unwanted = ["plant/1/pressure", "plant/1/temperature", "Plant/1/temp", "plant/1"];
        foreach (string topic in wanted.Concat(unwanted)) await publisher.PublishAsync(topic, topic);
        foreach (string topic in wanted) await subscriber.ExpectAsync(Check.Packets.Publish(topic, topic));
        await subscriber.ExpectNothingAsync();
        await Check.CutsOffAsync(Wire.Packet(0x30, 0));
        await Check.CutsOffAsync(Wire.Packet(0x30, 0, 5, (byte)'a'));
    }

    [Fact]
    [Requirement("MQTT-3.3.4-1", "3.1.1")]
    public async Task The_answer_is_that_of_the_QoS()
    {
        await using var broker = new TestBroker();
        await broker.SubscriberAsync("a", 2);
        TestClient publisher = await broker.JoinAsync("publisher");
        foreach (string topic in new[] { "a", "nobody's" })
        {
            await publisher.SendAsync(Check.Packets.Publish(topic, "", 0));
            await publisher.ExpectNothingAsync();
            await publisher.SendAsync(Check.Packets.Publish(topic, "", 1, 5));
            await publisher.ExpectAsync(Check.Packets.Puback(5));
            await publisher.SendAsync(Check.Packets.Publish(topic, "", 2, 6));
            await publisher.ExpectAsync(Check.Packets.Pubrec(6));
            await publisher.SendAsync(Check.Packets.Pubrel(6));
            await publisher.ExpectAsync(Check.Packets.Pubcomp(6));
        }

        await publisher.ExpectNothingAsync();
    }

    [Theory]
    [InlineData(0, 1, 1)]
    [InlineData(1, 0, 1)]
    [InlineData(2, 0, 2)]
    [InlineData(0, 2, 2)]
    [InlineData(1, 2, 2)]
    [InlineData(2, 1, 2)]
    [Requirement("MQTT-3.3.5-1", "3.1.1")]
    public async Task Of_overlapping_filters_the_highest_QoS_holds(int first, int second, int expected)
    {
        await using var broker = new TestBroker();
        TestClient subscriber = await broker.SubscriberAsync("a/+", first);
        await subscriber.SubscribeAsync("a/#", second);
        await broker.PublishAsync("a/b", "both", 2);
        await subscriber.AcknowledgeAsync(await subscriber.ExpectPublishAsync("a/b", "both", expected));
        await subscriber.ExpectNothingAsync();
    }

    [Fact]
    [Requirement("MQTT-3.3.5-2", "3.1.1")]
    public async Task What_may_not_be_published_is_acknowledged_and_goes_nowhere()
    {
        await using var broker = new TestBroker(new TestBrokerOptions { Authenticator = new AllButSecrets() });
        TestClient subscriber = await broker.SubscriberAsync("#", 2);
        TestClient publisher = await broker.JoinAsync("publisher");
        await publisher.SendAsync(
            Check.Packets.Publish("secret", "", 0), Check.Packets.Publish("secret", "", 1, 1), Check.Packets.Publish("secret", "kept", 2, 2, retain: true));
        await publisher.ExpectAsync(Check.Packets.Puback(1), Check.Packets.Pubrec(2));
        await publisher.SendAsync(Check.Packets.Pubrel(2));
        await publisher.ExpectAsync(Check.Packets.Pubcomp(2));
        await publisher.PublishAsync("open", "fence");
        await subscriber.ExpectPublishAsync("open", "fence");
        TestClient late = await broker.SubscriberAsync("#", 2, "late");
        await late.ExpectNothingAsync();
    }

    private sealed class AllButSecrets : Permissions, IAuthenticator
    {
        public override bool MayPublish(ReadOnlySpan<byte> topic, QoS qos, bool retain) => !topic.SequenceEqual("secret"u8);

        public override bool MaySubscribe(ReadOnlySpan<byte> filter) => true;

        public ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellation) =>
            ValueTask.FromResult(new AuthenticationResult(ReasonCode.Success, null, this));
    }
}
