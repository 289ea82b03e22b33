using EdgeBroker.Bridge.Routes;
using EdgeBroker.Core;
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

        foreach (TestClient client in clients) await ExpectTwiceAsync(client, 3 * Count);
        foreach (BridgedBroker node in nodes) await node.UntilAsync("next", status => status.BacklogMessages == 0);
        foreach (TestClient client in clients) await client.ExpectNothingAsync();
        foreach (BridgedBroker node in nodes) await node.DisposeAsync();
    }

    /// <summary>The backlog of a link that was down for an hour has all come the other way round: of none of it there is a second one.</summary>
    [Fact]
    public async Task After_a_long_outage_of_one_side_of_the_ring_every_broker_has_every_message_once()
    {
        const int Count = 40;
        var later = new LaterTime();
        using var link = new FaultyProxy();
        await using var a = new TestBroker(new TestBrokerOptions { OverSockets = true });
        await using var b = new TestBroker(new TestBrokerOptions { OverSockets = true });
        await using var c = new TestBroker(new TestBrokerOptions { OverSockets = true, Clock = new BrokerClock(later) });
        link.Target = a.Port;
        await using var first = new BridgedBroker("a", a, To(b.Port, 0));
        await using var second = new BridgedBroker("b", b, To(c.Port, 1));
        await using var third = new BridgedBroker("c", c, To(link.Port, 2));
        foreach (BridgedBroker node in new[] { first, second, third })
        {
            await node.Part.StartAsync(CancellationToken.None);
            await node.UntilConnectedAsync("next");
        }

        TestClient[] clients = [await a.ConnectAsync("x"), await b.ConnectAsync("y"), await c.ConnectAsync("z")];
        foreach (TestClient client in clients) await client.SubscribeAsync("plant/#", 1);
        TestClient[] publishers = [await a.ConnectAsync("px"), await b.ConnectAsync("py"), await c.ConnectAsync("pz")];
        link.Target = 0;
        link.CutAll();
        await third.UntilAsync("next", status => status.Phase != BridgePhase.Connected);
        for (int i = 0; i < Count; i++)
        {
            int value = i / 2;
            for (int n = 0; n < 3; n++) await publishers[n].PublishAsync($"plant/{n}", $"{value}", 1);
        }

        foreach (TestClient client in clients) await ExpectTwiceAsync(client, 3 * Count);
        later.Shift(TimeSpan.FromHours(1));
        link.Target = a.Port;
        await third.UntilConnectedAsync("next");
        // What is published now comes behind what waited.
        for (int n = 0; n < 3; n++) await publishers[n].PublishAsync($"plant/{n}", "1000", 1);
        foreach (TestClient client in clients)
        {
            string[] last = [.. await TakeAsync(client, 3)];
            Assert.Equal(["plant/0 1000", "plant/1 1000", "plant/2 1000"], last.Order(StringComparer.Ordinal));
        }

        foreach (TestClient client in clients) await client.ExpectNothingAsync();
    }

    /// <summary>Two gateways fetch from a broker that has no bridge of its own, and are joined.</summary>
    [Fact]
    public async Task A_broker_without_bridges_gives_messages_that_leave_by_two_ways_an_identity()
    {
        await using var hub = new BridgedBroker("hub");
        await using var left = new BridgedBroker("left", To(hub.Test.Port, 0));
        await using var right = new BridgedBroker("right", To(hub.Test.Port, 1), To(left.Test.Port, 2) with { Name = "left" });
        foreach (BridgedBroker node in new[] { hub, left, right }) await node.Part.StartAsync(CancellationToken.None);
        await left.UntilConnectedAsync("next");
        await right.UntilConnectedAsync("next");
        await right.UntilConnectedAsync("left");
        TestClient[] clients = [await hub.Test.ConnectAsync("x"), await left.Test.ConnectAsync("y"), await right.Test.ConnectAsync("z")];
        foreach (TestClient client in clients) await client.SubscribeAsync("plant/#", 1);
        TestClient publisher = await hub.Test.ConnectAsync("p");
        for (int i = 0; i < 2; i++) await publisher.PublishAsync("plant/0", "1", 1);
        foreach (TestClient client in clients)
        {
            string[] identities = [await IdentityAsync(client), await IdentityAsync(client)];
            Assert.Equal(2, identities.Distinct().Count());
            Assert.DoesNotContain("", identities);
        }

        foreach (TestClient client in clients) await client.ExpectNothingAsync();

        static async Task<string> IdentityAsync(TestClient client)
        {
            ReceivedPacket packet = await client.ExpectAsync(PacketType.Publish);
            await client.AcknowledgeAsync(packet);
            return packet.Properties.User.FirstOrDefault(one => one.Name == "edgebroker-id").Value ?? "";
        }
    }

    private static async Task ExpectTwiceAsync(TestClient client, int count)
    {
        List<string> seen = await TakeAsync(client, count);
        Assert.All(seen.GroupBy(one => one), same => Assert.Equal(2, same.Count()));
        Assert.Equal(count / 2, seen.Distinct().Count());
    }

    private static async Task<List<string>> TakeAsync(TestClient client, int count)
    {
        var seen = new List<string>();
        while (seen.Count < count)
        {
            ReceivedPacket packet = await client.ExpectAsync(PacketType.Publish);
            await client.AcknowledgeAsync(packet);
            seen.Add($"{packet.Topic} {packet.PayloadText}");
        }

        return seen;
    }

    private static BridgeOptions To(TestBroker next, int index) => To(next.Port, index);

    private static BridgeOptions To(int port, int index)
    {
        BridgeOptions options = Bridges.To(port, Both);
        return options with { Name = "next", Connection = options.Connection with { ClientId = "ring-" + index } };
    }

    // PUBACK comes among the messages, so it is not waited for here.
    private static Task SendAsync(TestClient client, int node, int value) =>
        client.SendAsync(client.Packets.Publish($"plant/{node}", $"{value}", 0));

    /// <summary>The system's clock, and later.</summary>
    private sealed class LaterTime : TimeProvider
    {
        private long _shift;

        public override long GetTimestamp() => base.GetTimestamp() + Interlocked.Read(ref _shift);

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + GetElapsedTime(0, Interlocked.Read(ref _shift));

        public void Shift(TimeSpan by) => Interlocked.Add(ref _shift, (long)(by.TotalSeconds * TimestampFrequency));
    }
}
