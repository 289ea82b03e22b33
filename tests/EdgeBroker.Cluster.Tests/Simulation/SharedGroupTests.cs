using EdgeBroker.Core;
using EdgeBroker.Core.Messages;
using EdgeBroker.Protocol;

namespace EdgeBroker.Cluster.Tests.Simulation;

/// <summary>Shared subscriptions with members on several nodes.</summary>
public sealed class SharedGroupTests
{
    private const string Filter = "$share/g/t/#";

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Each_message_goes_to_one_member_on_whatever_node(int qos)
    {
        World world = Linked(3);
        SimClient second = Member("b", world.Nodes[1]), third = Member("c", world.Nodes[2]);
        Serve(world, second, third);
        for (int i = 0; i < 20; i++) Publish(world.Nodes[0], "m" + i, (QoS)qos);
        Serve(world, second, third);
        Assert.Equal(Names(20), Sorted(second, third));
        Assert.Equal(10, second.Received.Count);
        Assert.Equal(10, third.Received.Count);
        Assert.Equal([0, 10, 10], world.Nodes.Select(node => node.Mesh.Peers.Sum(peer => peer.Inbox.Taken)));
    }

    [Fact]
    public void A_member_on_the_publishers_node_comes_first()
    {
        World world = Linked(2);
        SimClient here = Member("a", world.Nodes[0]), there = Member("b", world.Nodes[1]);
        Serve(world, here, there);
        for (int i = 0; i < 5; i++)
        {
            Publish(world.Nodes[0], "m" + i, QoS.AtLeastOnce);
            Serve(world, here, there);
        }

        Assert.Equal(5, here.Received.Count);
        Assert.Empty(there.Received);
    }

    [Fact]
    public void A_member_that_is_away_gives_way_to_one_on_another_node_until_all_are_away()
    {
        World world = Linked(2);
        SimClient here = Member("a", world.Nodes[0]), there = Member("b", world.Nodes[1]);
        Serve(world, here, there);
        here.Disconnect();
        Serve(world, there);
        Publish(world.Nodes[0], "m1", QoS.AtLeastOnce);
        Serve(world, there);
        Assert.Equal(["m1"], there.Received);
        there.Disconnect();
        Serve(world);
        Publish(world.Nodes[0], "m2", QoS.AtLeastOnce);
        Serve(world);
        here.Connect();
        there.Connect();
        Serve(world, here, there);
        Assert.Equal(["m2"], here.Received);
        Assert.Equal(["m1"], there.Received);
    }

    [Fact]
    public void A_member_that_has_gone_while_its_message_was_under_way_leaves_it_to_another()
    {
        World world = Linked(3);
        SimClient second = Member("b", world.Nodes[1]), third = Member("c", world.Nodes[2]);
        Serve(world, second, third);
        for (int i = 0; i < 4; i++) Publish(world.Nodes[0], "m" + i, QoS.ExactlyOnce);
        world.Nodes[1].Broker.Kick("b", ReasonCode.AdministrativeAction, forget: true, publishWill: false);
        Serve(world, third);
        Assert.Empty(second.Received);
        Assert.Equal(Names(4), Sorted(third));
    }

    [Fact]
    public void What_is_for_a_member_on_a_node_that_ends_is_delivered_once_when_it_is_back()
    {
        World world = Linked(2);
        SimClient there = Member("b", world.Nodes[1]);
        Serve(world, there);
        for (int i = 0; i < 5; i++) Publish(world.Nodes[0], "m" + i, QoS.ExactlyOnce);
        world.Nodes[0].Journal.Commit(int.MaxValue);
        world.Nodes[1].Crash();
        for (int i = 5; i < 8; i++) Publish(world.Nodes[0], "m" + i, QoS.ExactlyOnce);
        world.Nodes[0].Journal.Commit(int.MaxValue);
        world.Nodes[1].Start();
        there.Connect();
        Serve(world, there);
        Assert.Equal(Names(8), Sorted(there));
    }

    [Fact]
    public void A_message_of_QoS_0_goes_to_one_as_well()
    {
        World world = Linked(2);
        SimClient there = Member("b", world.Nodes[1]);
        SimClient plain = new("p", world.Nodes[1], "t/#", QoS.AtLeastOnce);
        Serve(world, there, plain);
        Publish(world.Nodes[0], "m", QoS.AtMostOnce);
        Serve(world, there, plain);
        // For the group, and for who subscribes by itself.
        Assert.Equal(2, world.Nodes[1].Mesh.Peers.Sum(peer => peer.Inbox.Taken));
    }

    /// <summary>Nodes crash, links break and stall, members come and go: see <see cref="World"/>.</summary>
    [Fact]
    public void Whatever_happens_one_member_gets_what_was_acknowledged()
    {
        const int Seeds = 150;
        int owed = 0, elsewhere = 0;
        List<string> faults = [];
        for (int seed = 1; seed <= Seeds && faults.Count < 5; seed++)
        {
            var world = new World(seed, 3);
            world.Clients.Clear();
            world.Clients.AddRange(world.Nodes.Select(node => Member("member" + node.Number, node)));
            world.Run(400);
            if (!world.HasSettled) faults.Add($"seed {seed}: not everything has come to an end");
            Dictionary<string, int> counts = world.Clients.SelectMany(one => one.Received).CountBy(payload => payload).ToDictionary();
            foreach (Sent sent in world.Published.Where(one => one is { IsAcknowledged: true, IsOwedToGroup: true }))
            {
                owed++;
                int count = counts.GetValueOrDefault(sent.Payload);
                if (count == 0) faults.Add($"seed {seed}: {sent.Payload} was acknowledged, and nobody got it");
                if (count > 1 && sent.QoS == QoS.ExactlyOnce) faults.Add($"seed {seed}: {sent.Payload} came {count} times");
                elsewhere += world.Clients.Exists(one => one.Node != sent.Node && one.Received.Contains(sent.Payload)) ? 1 : 0;
            }
        }

        Assert.True(faults.Count == 0, string.Join("\n", faults));
        Assert.True(owed > 1_000 && elsewhere > 200, $"{owed} were owed, {elsewhere} went to another node");
    }

    private static SimClient Member(string id, SimNode node) => new(id, node, Filter, QoS.ExactlyOnce);

    private static IEnumerable<string> Names(int count) => Enumerable.Range(0, count).Select(i => "m" + i).Order(StringComparer.Ordinal);

    private static IEnumerable<string> Sorted(params SimClient[] clients) => clients.SelectMany(one => one.Received).Order(StringComparer.Ordinal);

    private static World Linked(int nodes)
    {
        var world = new World(3, nodes);
        world.Clients.Clear();
        world.Run(0);
        Assert.True(world.HasSettled);
        return world;
    }

    private static void Serve(World world, params SimClient[] clients)
    {
        world.Clients.Clear();
        world.Clients.AddRange(clients);
        world.Settle();
        Assert.True(world.HasSettled);
    }

    private static void Publish(SimNode node, string payload, QoS qos)
    {
        PublishOutcome outcome = node.Broker.Publish(
            new Publication { Topic = "t/1"u8, Payload = World.Bytes(payload), QoS = qos }, node.Context);
        Assert.False(outcome.Reason.IsError());
    }
}
