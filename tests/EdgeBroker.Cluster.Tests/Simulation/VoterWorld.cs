using EdgeBroker.Cluster.State;

namespace EdgeBroker.Cluster.Tests.Simulation;

/// <summary>Three nodes that vote, and have met; what tests do with them step by step.</summary>
internal static class VoterWorld
{
    public static World Begin(WithoutQuorum withoutQuorum = WithoutQuorum.Refuse, int seed = 1, Mutation mutation = Mutation.None)
    {
        var world = new World(seed, 3, mutation, votes: true, withoutQuorum);
        world.Clients.Clear();
        world.Rivals.Clear();
        world.Settle();
        Assert.True(world.HasSettled);
        return world;
    }

    public static (MemberState State, long Incarnation) StateOf(this World world, SimNode node)
    {
        ClusterView view = world.Voters!.Members.Values.MaxBy(one => one.AppliedIndex)!.View;
        return view.Find(node.Number) is { } member ? (member.State, member.Incarnation) : default;
    }

    public static void Cut(this World world, SimNode one, SimNode other)
    {
        (SimNode low, SimNode high) = one.Number < other.Number ? (one, other) : (other, one);
        world.Network.Cut(low, high);
        world.Network.Sweep();
    }

    public static void PassUntil(this World world, Func<bool> holds)
    {
        for (int i = 0; i < 100 && !holds(); i++) world.PassSlowly(100);
        Assert.True(holds());
    }

    public static void PassSlowly(this World world, int milliseconds)
    {
        for (int passed = 0; passed < milliseconds; passed += 100)
        {
            world.Pass(100);
            world.Network.Sweep();
            foreach (SimNode low in world.Nodes)
            {
                foreach (SimNode high in world.Nodes.Where(high => high.Number > low.Number)) world.Network.Dial(low, high);
            }

            world.Exchange();
        }
    }

    public static void Exchange(this World world)
    {
        for (int i = 0; i < 3; i++)
        {
            foreach (SimNode node in world.Nodes.Where(one => one.IsUp))
            {
                node.Journal.Commit(int.MaxValue);
                node.RunIfAsked();
            }

            foreach (SimConnection connection in world.Network.Connections.ToArray()) connection.MoveAll();
        }
    }
}
