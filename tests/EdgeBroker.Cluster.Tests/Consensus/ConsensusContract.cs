using EdgeBroker.Cluster.Consensus;
using EdgeBroker.Cluster.State;
using EdgeBroker.Cluster.Tests.State;
using EdgeBroker.Testing;

namespace EdgeBroker.Cluster.Tests.Consensus;

/// <summary>What every <see cref="IConsensus"/> owes: the real one and the simulation's model are held to the same.</summary>
public abstract class ConsensusContract
{
    private protected abstract Task<IVoters> BeginAsync();

    [Fact]
    public async Task Whoever_proposes_all_come_to_the_same()
    {
        await using IVoters voters = await BeginAsync();
        for (byte node = 1; node <= 3; node++)
        {
            Applied applied = await ProposeAsync(voters, node, Commands.Up(node));
            Assert.Equal((CommandOutcome.Done, FormerState.None), (applied.Outcome, applied.Former));
            // Read your own writes: it is applied where it was proposed.
            Assert.True(voters[node].AppliedIndex >= applied.Index);
            Assert.NotNull(voters[node].View.Find(node));
        }

        await AllHaveAsync(voters, node => voters[node].View.Find(3) is not null);
        Assert.All(voters.Running, node => Assert.Equal(voters[1].View.Members, voters[node].View.Members));
        string[] first = [.. voters.Told(1)];
        Assert.Equal(3, first.Length);
        Assert.All(voters.Running, node => Assert.Equal(first, voters.Told(node)));
    }

    [Fact]
    public async Task Of_two_claims_at_once_one_is_granted()
    {
        await using IVoters voters = await BeginAsync();
        for (byte node = 1; node <= 3; node++) await ProposeAsync(voters, node, Commands.Up(node));
        await ProposeAsync(voters, 1, new NodeDown(2, 1));
        for (int i = 0; i < 5; i++)
        {
            Task<Applied> one = ProposeAsync(voters, 1, Commands.Claim(1, 1, 2, 1, Commands.Session($"press{i}", stamp: 1)));
            Task<Applied> other = ProposeAsync(voters, 3, Commands.Claim(3, 1, 2, 1, Commands.Session($"press{i}", stamp: 2)));
            ClaimAnswer[] answers = [(await one).Claims[0], (await other).Claims[0]];
            ClaimAnswer granted = Assert.Single(answers, answer => answer.IsGranted);
            Assert.Equal(granted with { IsGranted = false }, Assert.Single(answers, answer => !answer.IsGranted));
        }
    }

    [Fact]
    public async Task After_a_barrier_a_member_has_what_another_one_had()
    {
        await using IVoters voters = await BeginAsync();
        for (int i = 1; i <= 10; i++)
        {
            Applied applied = await ProposeAsync(voters, 1, Commands.Up(1, incarnation: i));
            for (byte node = 1; node <= 3; node++)
            {
                await BarrierAsync(voters, node);
                Assert.True(voters[node].AppliedIndex >= applied.Index);
                Assert.True(voters[node].View.IsUp(1, i));
            }
        }
    }

    [Fact]
    public async Task Without_a_majority_nothing_is_agreed_on_and_with_one_all_goes_on()
    {
        await using IVoters voters = await BeginAsync();
        await ProposeAsync(voters, 1, Commands.Up(1));
        await voters.StopAsync(2);
        // Two of three are enough.
        await ProposeAsync(voters, 3, Commands.Up(3));
        await AllHaveAsync(voters, node => voters[node].View.Find(3) is not null);
        await voters.StopAsync(3);
        await voters.UntilAsync(() => voters[1].Leader is null, "the last member to lose its leader");
        TimeSpan since = voters[1].SinceMajority;
        ClusterView before = voters[1].View;
        ConsensusException refused = await Assert.ThrowsAsync<ConsensusException>(() => TryAsync(voters, 1, Commands.Up(1, incarnation: 2)));
        Assert.False(refused.IsUncertain);
        await Assert.ThrowsAsync<ConsensusException>(() => voters[1].BarrierAsync(CancellationToken.None).AsTask());
        await voters.UntilAsync(() => voters[1].SinceMajority > since + TimeSpan.FromMilliseconds(300), "the last contact with a majority to get older");
        Assert.Equal(before.Members, voters[1].View.Members);
        await voters.StartAsync(3);
        Applied applied = await ProposeAsync(voters, 1, Commands.Up(1, incarnation: 2));
        Assert.Equal(CommandOutcome.Done, applied.Outcome);
        await voters.UntilAsync(() => voters[1].SinceMajority < TimeSpan.FromSeconds(2), "contact with a majority");
        await voters.StartAsync(2);
        await AllHaveAsync(voters, node => voters[node].View.IsUp(1, 2));
    }

    [Fact]
    public async Task A_leader_that_stops_or_resigns_is_followed_by_another()
    {
        await using IVoters voters = await BeginAsync();
        await ProposeAsync(voters, 1, Commands.Up(1));
        byte first = voters[1].Leader!.Value;
        await voters[first].ResignAsync(CancellationToken.None);
        await ProposeAsync(voters, 2, Commands.Up(2));
        await voters.UntilAsync(() => voters.Running.All(node => voters[node].Leader is not null), "a leader that all know");
        byte second = voters[2].Leader!.Value;
        await voters.StopAsync(second);
        byte other = voters.Running.First();
        await ProposeAsync(voters, other, Commands.Up(3));
        Assert.NotEqual(second, voters[other].Leader);
        await voters.StartAsync(second);
        await AllHaveAsync(voters, node => voters[node].View.Members.Count == 3);
    }

    [Fact]
    public async Task A_member_that_was_away_catches_up_in_order()
    {
        await using IVoters voters = await BeginAsync();
        byte leader = await LeaderAsync(voters);
        byte away = voters.Running.First(node => node != leader);
        await voters.StopAsync(away);
        for (int i = 1; i <= 30; i++) await ProposeAsync(voters, leader, Commands.Up(1, incarnation: i));
        await voters.StartAsync(away);
        await voters.UntilAsync(() => voters[away].View.IsUp(1, 30), "the member to catch up");
        Assert.Equal(30, voters.Told(away).Count);
        Assert.Equal(voters.Told(leader), voters.Told(away));
    }

    /// <summary>Proposes until it is agreed on: while a leader is being elected nobody can be asked.</summary>
    private protected static async Task<Applied> ProposeAsync(IVoters voters, byte node, ClusterCommand command)
    {
        while (true)
        {
            try
            {
                return await TryAsync(voters, node, command);
            }
            catch (ConsensusException)
            {
                await voters.UntilAsync(() => voters[node].Leader is not null, $"a leader, as node {node} sees it");
            }
        }
    }

    private protected static async Task<byte> LeaderAsync(IVoters voters)
    {
        await voters.UntilAsync(() => voters.Running.All(node => voters[node].Leader is { } leader && leader == voters[1].Leader), "one leader that all know");
        return voters[1].Leader!.Value;
    }

    private static async Task<Applied> TryAsync(IVoters voters, byte node, ClusterCommand command)
    {
        using var giveUp = new CancellationTokenSource(Deadline.Timeout);
        Task<Applied> proposal = voters[node].ProposeAsync(CommandCodec.Write(command), 2, giveUp.Token).AsTask();
        await voters.UntilAsync(() => proposal.IsCompleted, $"an answer to {command.GetType().Name} on node {node}");
        return await proposal;
    }

    private static async Task BarrierAsync(IVoters voters, byte node)
    {
        Task barrier = voters[node].BarrierAsync(CancellationToken.None).AsTask();
        await voters.UntilAsync(() => barrier.IsCompleted, $"the barrier of node {node}");
        await barrier;
    }

    private static Task AllHaveAsync(IVoters voters, Func<byte, bool> holds) => voters.UntilAsync(() => voters.Running.All(holds), "all members to have it");
}
