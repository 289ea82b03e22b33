using EdgeBroker.Core;
using EdgeBroker.Core.Security;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Mqtt.Tests.Servers;

/// <summary>A will is published by the rights its client has when it is due, not by those it had when it connected.</summary>
public sealed class WillRightsTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_delayed_will_needs_the_right_when_it_is_due(bool expires)
    {
        var rules = new Replaceable<AclRuleSet>(Allowing("#"));
        await using var broker = new TestBroker(new TestBrokerOptions { Authenticator = new AnonymousAuthenticator(rules) });
        TestClient watcher = await broker.ConnectAsync("watcher");
        await watcher.SubscribeAsync("#");
        byte[] kept = Prop.SessionExpiry(expires ? 30u : 600u);
        foreach (string name in new[] { "allowed", "denied" })
        {
            TestClient client = await broker.ConnectAsync(name, properties: kept, will: new TestWill(name + "/will", "gone", Properties: Prop.WillDelay(60)));
            await client.DropAsync();
        }

        rules.Current = Allowing("allowed/#");
        broker.Advance(61);
        await watcher.ExpectPublishAsync("allowed/will", "gone");
        await watcher.ExpectNothingAsync();
        await broker.Events.WaitForAsync(
            one => one is { Kind: BrokerEventKind.PublishRefused, ClientId: "denied", Text: "denied/will" }, "the refusal to be told");
        // It is not published later either.
        rules.Current = Allowing("#");
        broker.Advance(1_000);
        await watcher.ExpectNothingAsync();
    }

    [Fact]
    public async Task A_packet_that_is_too_large_is_told_with_client_and_key()
    {
        await using var broker = new TestBroker(TestBrokerOptions.Quiet with { MaxPacketSizeBytes = 1_000 });
        TestClient client = await broker.ConnectAsync("camera");
        await client.SendAsync(client.Packets.Publish("t", new string('x', 2_000)));
        await client.ExpectDisconnectAsync(ReasonCode.PacketTooLarge);
        await broker.Events.WaitForAsync(
            one => one.ClientId == "camera" && one.Text.Contains("above mqtt.max_packet_size", StringComparison.Ordinal), "the end to be told");
    }

    private static AclRuleSet Allowing(string topics) => new(
        [
            new AclRule
            {
                Source = "test:1",
                Allows = true,
                Actions = AccessActions.Publish | AccessActions.Retain,
                Topics = [new AclPattern(topics)],
            },
            new AclRule { Source = "test:2", Allows = true, Actions = AccessActions.Subscribe, Topics = [new AclPattern("#")] },
        ],
        []);
}
