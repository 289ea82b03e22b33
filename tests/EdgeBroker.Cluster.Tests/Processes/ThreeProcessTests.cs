using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Cluster.Tests.Processes;

/// <summary>Three published executables on loopback: what must hold through the death of a process and a cut between two of them.</summary>
public sealed class ThreeProcessTests
{
    [Fact]
    public async Task Messages_and_values_outlive_a_killed_node_and_a_cut()
    {
        await using var crew = new Crew();
        await crew.StartAsync(1, 2, 3);
        await crew.LinkedAsync(1, 2, 3);

        // A session on node 2, and its filter on every node by the time of SUBACK.
        TestClient subscriber = await crew.ConnectAsync(2, "subscriber", cleanStart: true);
        await subscriber.SubscribeAsync("plant/#", options: 2);
        TestClient publisher = await crew.ConnectAsync(1, "publisher", cleanStart: true);
        foreach (int qos in new[] { 0, 1, 2 })
        {
            await publisher.PublishAsync("plant/live", "live" + qos, qos);
            await subscriber.AcknowledgeAsync(await subscriber.ExpectPublishAsync("plant/live", "live" + qos, qos));
        }

        // Node 2 dies without a word; what node 1 acknowledges meanwhile waits on its disk, and outlives its own death.
        crew.Kill(2);
        for (int i = 0; i < 10; i++) await publisher.PublishAsync("plant/away", "away" + i, 1 + (i % 2));
        crew.Kill(1);
        await crew.StartAsync(1, 2);
        await crew.LinkedAsync(1, 2, 3);
        subscriber = await crew.ConnectAsync(2, "subscriber", cleanStart: false);
        List<string> got = [];
        while (got.Distinct().Count() < 10)
        {
            ReceivedPacket packet = await subscriber.ReceiveAsync();
            if (packet.Type == PacketType.Pubrel)
            {
                // The node had not noted the end of the exchange before when it died.
                await subscriber.SendAsync(subscriber.Packets.Pubcomp(packet.PacketId));
                continue;
            }

            Assert.Equal(PacketType.Publish, packet.Type);
            got.Add(packet.PayloadText);
            await subscriber.AcknowledgeAsync(packet);
        }

        // QoS 2 comes once, and each QoS in its order.
        Assert.Equal(5, got.Count(payload => payload[^1] % 2 == 1));
        Assert.Equal(["away1", "away3", "away5", "away7", "away9"], got.Where(payload => payload[^1] % 2 == 1));
        Assert.Equal(["away0", "away2", "away4", "away6", "away8"], got.Where(payload => payload[^1] % 2 == 0).Distinct());

        // Cut off from each other, both sides set and delete values; healed, all have the same.
        crew.CutOff(3);
        await crew.UnlinkedAsync(3);
        publisher = await crew.ConnectAsync(1, "publisher", cleanStart: true);
        TestClient lonely = await crew.ConnectAsync(3, "lonely", cleanStart: true);
        await publisher.PublishAsync("state/a", "one", qos: 1, retain: true);
        await lonely.PublishAsync("state/a", "three", qos: 1, retain: true);
        await lonely.PublishAsync("state/b", "three", qos: 1, retain: true);
        await publisher.PublishAsync("state/c", "one", qos: 1, retain: true);
        await publisher.PublishAsync("state/c", "", qos: 1, retain: true);
        crew.Mend(3);
        await crew.LinkedAsync(1, 2, 3);
        await Deadline.Until(
            () => crew.Retained(1).Length > 0 && crew.Retained(1) == crew.Retained(2) && crew.Retained(2) == crew.Retained(3), "all to have the same values");
        Assert.Contains("state/b", crew.Retained(1), StringComparison.Ordinal);
        Assert.DoesNotContain("state/c", crew.Retained(1), StringComparison.Ordinal);
    }
}
