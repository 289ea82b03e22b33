using EdgeBroker.Cluster.State;
using EdgeBroker.Core.Ports;

namespace EdgeBroker.Cluster.Tests.Simulation;

/// <summary>Three nodes that vote: which of them are dead, and who has the sessions of those.</summary>
public sealed class VoterTests
{
    private const int Steps = 500;

    [Fact]
    public void Whoever_starts_is_up_by_a_number_of_its_own()
    {
        World world = VoterWorld.Begin();
        Assert.All(world.Nodes, node => Assert.Equal((MemberState.Up, 1), world.StateOf(node)));
        world.Nodes[2].Crash();
        world.Nodes[2].Start();
        world.Settle();
        Assert.Equal((MemberState.Up, 2), world.StateOf(world.Nodes[2]));
    }

    [Fact]
    public void A_node_that_a_majority_does_not_hear_is_down_until_it_comes_back()
    {
        World world = VoterWorld.Begin();
        world.Nodes[2].Crash();
        world.PassSlowly(4_000);
        Assert.Equal(MemberState.Up, world.StateOf(world.Nodes[2]).State);
        world.PassSlowly(3_000);
        Assert.Equal((MemberState.Down, 1), world.StateOf(world.Nodes[2]));
        world.Settle();
        Assert.Equal((MemberState.Up, 2), world.StateOf(world.Nodes[2]));
    }

    [Fact]
    public void A_node_that_one_other_hears_is_not_down()
    {
        World world = VoterWorld.Begin();
        byte leader = world.Voters!.Leader!.Value;
        SimNode[] others = [.. world.Nodes.Where(one => one.Number != leader)];
        // The leader does not hear it; whoever is asked beside the leader does.
        world.Cut(world.Nodes[leader - 1], others[0]);
        world.PassSlowly(12_000);
        Assert.Equal((MemberState.Up, 1), world.StateOf(others[0]));
    }

    [Fact]
    public void A_client_of_a_dead_node_is_let_in_elsewhere_and_stays_there_when_it_is_back()
    {
        World world = VoterWorld.Begin();
        SimSessionLink home = Enter(world, world.Nodes[2]);
        world.Settle();
        world.Nodes[2].Crash();
        // Its link is gone, but it is not dead yet: it may come back any moment.
        world.PassSlowly(200);
        Assert.Equal(ClaimOutcome.Unavailable, Ask(world, world.Nodes[0], 2_000));
        world.PassSlowly(6_000);
        var claim = new SimClaim("c", world.Nodes[0], isClean: false, isKept: true, sawHome: true, sawStarts: true);
        world.PassUntil(() => claim.IsAnswered);
        Assert.True(claim.TryEnter(out SimSessionLink? connection));
        Assert.False(connection.SessionPresent);
        Assert.False(home.IsThere);
        world.Exchange();
        // By now it is known as any other session.
        Assert.Equal(ClaimOutcome.Elsewhere, Ask(world, world.Nodes[1], 2_000));

        world.Settle();
        Assert.True(world.Nodes[0].Mesh.Sessions.Owns("c"));
        Assert.False(world.Nodes[2].Mesh.Sessions.Owns("c"));
        Assert.False(connection.IsClosed);
        Assert.Equal(1, world.Nodes[2].Mesh.Sessions.FrozenCount);
        world.PassUntil(() => world.StateOf(world.Nodes[2]) == (MemberState.Up, 2));
    }

    [Fact]
    public void Without_a_majority_nobody_inherits()
    {
        World world = VoterWorld.Begin();
        Enter(world, world.Nodes[2]);
        world.Settle();
        world.Nodes[1].Crash();
        world.Nodes[2].Crash();
        world.PassSlowly(12_000);
        Assert.Equal(ClaimOutcome.Unavailable, Ask(world, world.Nodes[0], 3_000));
    }

    [Fact]
    public void Without_a_majority_a_node_serves_all_the_same_when_it_is_told_to()
    {
        World world = VoterWorld.Begin(WithoutQuorum.Serve);
        Enter(world, world.Nodes[2]);
        world.Settle();
        world.Nodes[1].Crash();
        world.Nodes[2].Crash();
        world.PassSlowly(12_000);
        Assert.Equal(ClaimOutcome.Granted, Ask(world, world.Nodes[0], 3_000));
    }

    [Theory]
    [InlineData(WithoutQuorum.Refuse)]
    [InlineData(WithoutQuorum.Serve)]
    public void Nodes_that_vote_keep_what_a_mesh_promises(WithoutQuorum withoutQuorum)
    {
        List<string> failures = [];
        for (int seed = 1; seed <= 150; seed++)
        {
            List<string> faults = Judge.FindFaults(Run(seed, Mutation.None, withoutQuorum));
            if (faults.Count > 0) failures.Add($"seed {seed}: {string.Join("; ", faults.Take(3))}");
        }

        Assert.True(failures.Count == 0, string.Join("\n", failures.Take(5)));
    }

    [Fact]
    public void A_session_taken_without_the_voters_is_found()
    {
        const int Most = 2000;
        for (int seed = 1; seed <= Most; seed++)
        {
            List<string> faults = Judge.FindFaults(Run(seed, Mutation.GrantedByNobody, WithoutQuorum.Refuse));
            if (faults.Exists(fault => fault.StartsWith("heir", StringComparison.Ordinal))) return;
        }

        Assert.Fail($"it was not found by {Most} seeds");
    }

    private static World Run(int seed, Mutation mutation, WithoutQuorum withoutQuorum) =>
        new World(seed, seed % 4 == 0 ? 2 : 3, mutation, votes: true, withoutQuorum).Run(Steps);

    private static SimSessionLink Enter(World world, SimNode node)
    {
        var claim = new SimClaim("c", node, isClean: false, isKept: true, sawHome: true, sawStarts: true);
        world.PassUntil(() => claim.IsAnswered);
        Assert.True(claim.TryEnter(out SimSessionLink? connection));
        return connection;
    }

    // What a client hears; it goes again at once.
    private static ClaimOutcome Ask(World world, SimNode node, int milliseconds)
    {
        ValueTask<SessionClaim> claim = node.Broker.Cluster.ClaimAsync(new SessionRequest("c", CleanStart: false, IsKept: true, null), CancellationToken.None);
        Task<SessionClaim> answer = claim.AsTask();
        world.PassSlowly(milliseconds);
        Assert.True(answer.IsCompleted);
        if (answer.Result.Outcome == ClaimOutcome.Granted) node.Broker.Cluster.Release("c", answer.Result.Epoch);
        return answer.Result.Outcome;
    }
}
