namespace EdgeBroker.Conformance.Tests;

/// <summary>The harness itself: both transports, both versions.</summary>
public sealed class HarnessTests
{
    [Theory]
    [InlineData(false, ProtocolVersion.V311)]
    [InlineData(false, ProtocolVersion.V5)]
    [InlineData(true, ProtocolVersion.V311)]
    [InlineData(true, ProtocolVersion.V5)]
    public async Task A_message_of_each_QoS_comes_through(bool overSockets, ProtocolVersion version)
    {
        await using var broker = new TestBroker(new TestBrokerOptions { OverSockets = overSockets });
        TestClient subscriber = await broker.ConnectAsync("subscriber", version);
        TestClient publisher = await broker.ConnectAsync("publisher", version);
        await subscriber.SubscribeAsync("a/#", 2);
        for (int qos = 0; qos <= 2; qos++)
        {
            await publisher.PublishAsync("a/b", $"QoS {qos}", qos);
            await subscriber.AcknowledgeAsync(await subscriber.ExpectPublishAsync("a/b", $"QoS {qos}", qos));
        }

        await subscriber.ExpectNothingAsync();
        await subscriber.DisconnectAsync();
        await publisher.DropAsync();
        await broker.Events.WaitForAsync(one => one is { Kind: BrokerEventKind.Disconnected, ClientId: "publisher" }, "the publisher's end");
    }

    [Fact]
    public async Task Anything_unexpected_fails_with_what_came()
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.ConnectAsync("one");
        await client.SubscribeAsync("a");
        await client.PublishAsync("a", "payload");
        ExpectationException failure = await Assert.ThrowsAsync<ExpectationException>(() => client.ExpectNothingAsync());
        Assert.Contains("Publish of 13 bytes: 300B", failure.Message, StringComparison.Ordinal);
    }
}
