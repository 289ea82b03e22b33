using EdgeBroker.Bridge.Routes;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Bridge.Tests;

/// <summary>Brokers that are bridged in circles.</summary>
public sealed class RingTests
{
    private static readonly RouteOptions Both = new() { Direction = RouteDirection.Both, Local = "plant/#" };

    [Theory]
    [InlineData(ProtocolVersion.V5)]
    [InlineData(ProtocolVersion.V311)]
    public async Task What_goes_both_ways_does_not_come_back(ProtocolVersion version)
    {
        await using var remote = new TestBroker(new TestBrokerOptions { OverSockets = true });
        BridgeOptions options = Bridges.To(remote.Port, Both);
        await using BridgedBroker local =
            await BridgedBroker.StartAsync("one", version == ProtocolVersion.V5 ? options : options.Over311() with { EchoWindow = TimeSpan.FromSeconds(30) });
        await local.UntilConnectedAsync("up");
        await using TestClient near = await local.Test.ConnectAsync("near");
        await near.SubscribeAsync("plant/#", 1);
        await using TestClient far = await remote.ConnectAsync("far");
        await far.SubscribeAsync("plant/#", 1);
        await near.PublishAsync("plant/a", "from near", 1);
        await near.AcknowledgeAsync(await near.ExpectPublishAsync("plant/a", "from near", 1));
        await far.AcknowledgeAsync(await far.ExpectPublishAsync("plant/a", "from near", 1));
        await far.PublishAsync("plant/b", "from far", 1);
        await far.AcknowledgeAsync(await far.ExpectPublishAsync("plant/b", "from far", 1));
        await near.AcknowledgeAsync(await near.ExpectPublishAsync("plant/b", "from far", 1));
        await local.UntilAsync("up", status => status is { Received: 1, Acknowledged: 1, BacklogMessages: 0 });
        await near.ExpectNothingAsync();
        await far.ExpectNothingAsync();
    }

    [Fact]
    public async Task In_a_ring_of_three_every_broker_has_every_message_once()
    {
        const int Count = 20;
        await using var a = new TestBroker(new TestBrokerOptions { OverSockets = true });
        await using var b = new TestBroker(new TestBrokerOptions { OverSockets = true });
        await using var c = new TestBroker(new TestBrokerOptions { OverSockets = true });
        TestBroker[] brokers = [a, b, c];
        BridgedBroker[] nodes = [.. brokers.Select((broker, i) => new BridgedBroker("node-" + i, broker, To(brokers[(i + 1) % 3], i)))];
        foreach (BridgedBroker node in nodes) await node.Part.StartAsync(CancellationToken.None);
        foreach (BridgedBroker node in nodes) await node.UntilConnectedAsync("next");
        TestClient[] clients = [await a.ConnectAsync("x"), await b.ConnectAsync("y"), await c.ConnectAsync("z")];
        foreach (TestClient client in clients) await client.SubscribeAsync("plant/#", 1);
        for (int i = 0; i < Count; i++)
        {
            // The same value twice is two messages.
            for (int n = 0; n < 3; n++) await SendAsync(clients[n], n, i / 2);
        }

        foreach (TestClient client in clients)
        {
            var seen = new List<string>();
            while (seen.Count < 3 * Count)
            {
                ReceivedPacket packet = await client.ExpectAsync(PacketType.Publish);
                await client.AcknowledgeAsync(packet);
                seen.Add($"{packet.Topic} {packet.PayloadText}");
            }

            Assert.All(seen.GroupBy(one => one), same => Assert.Equal(2, same.Count()));
            Assert.Equal(3 * Count / 2, seen.Distinct().Count());
        }

        foreach (BridgedBroker node in nodes) await node.UntilAsync("next", status => status.BacklogMessages == 0);
        foreach (TestClient client in clients) await client.ExpectNothingAsync();
        foreach (BridgedBroker node in nodes) await node.DisposeAsync();
    }

    private static BridgeOptions To(TestBroker next, int index)
    {
        BridgeOptions options = Bridges.To(next.Port, Both);
        return options with { Name = "next", Connection = options.Connection with { ClientId = "ring-" + index } };
    }

    // PUBACK comes among the messages, so it is not waited for here.
    private static Task SendAsync(TestClient client, int node, int value) =>
        client.SendAsync(client.Packets.Publish($"plant/{node}", $"{value}", 0));
}
