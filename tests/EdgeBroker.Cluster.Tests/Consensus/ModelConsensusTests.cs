using EdgeBroker.Cluster.Consensus;
using EdgeBroker.Cluster.State;
using EdgeBroker.Cluster.Tests.State;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Cluster.Tests.Consensus;

/// <summary>The simulation's model keeps the contract, and can do what the simulation asks of it besides.</summary>
public sealed class ModelConsensusTests : ConsensusContract
{
    private protected override Task<IVoters> BeginAsync() => Task.FromResult<IVoters>(new Voters(seed: 7));

    [Fact]
    public void A_leader_cut_off_agrees_on_nothing_and_another_one_does()
    {
        var cluster = new ModelCluster(3, new FakeTimeProvider(), seed: 1);
        cluster.Prefer(1);
        cluster.Cut(1, 2, isCut: true);
        cluster.Cut(1, 3, isCut: true);
        ValueTask<Applied> lost = cluster.Members[1].ProposeAsync(CommandCodec.Write(Commands.Up(1)), 2, CancellationToken.None);
        cluster.Step();
        Assert.True(lost.IsFaulted);
        Assert.Null(cluster.Members[1].Leader);
        Assert.NotNull(cluster.Members[2].Leader);
        Assert.NotEqual((byte)1, cluster.Members[2].Leader);
        Assert.Throws<ConsensusException>(() => { _ = cluster.Members[1].ProposeAsync(CommandCodec.Write(Commands.Up(1)), 2, CancellationToken.None); });
    }

    [Fact]
    public void A_slow_member_is_as_far_behind_as_it_is_told_to_be()
    {
        var cluster = new ModelCluster(3, new FakeTimeProvider(), seed: 1);
        cluster.Prefer(1);
        cluster.Members[3].Lag = 4;
        for (int i = 1; i <= 10; i++) _ = cluster.Members[1].ProposeAsync(CommandCodec.Write(Commands.Up(1, incarnation: i)), 2, CancellationToken.None);
        for (int i = 0; i < 30; i++) cluster.Step();
        Assert.Equal((10L, 10L, 6L), (cluster.Members[1].AppliedIndex, cluster.Members[2].AppliedIndex, cluster.Members[3].AppliedIndex));
    }

    [Fact]
    public void A_proposal_waits_as_long_as_it_is_told_to()
    {
        var cluster = new ModelCluster(3, new FakeTimeProvider(), seed: 1) { Delay = 5 };
        cluster.Prefer(1);
        ValueTask<Applied> proposal = cluster.Members[1].ProposeAsync(CommandCodec.Write(Commands.Up(1)), 2, CancellationToken.None);
        for (int i = 0; i < 5; i++) cluster.Step();
        Assert.False(proposal.IsCompleted);
        cluster.Step();
        Assert.True(proposal.IsCompletedSuccessfully);
    }

    [Fact]
    public void After_a_lost_tail_indices_come_again_and_grants_go_on_from_what_nodes_name()
    {
        var cluster = new ModelCluster(3, new FakeTimeProvider(), seed: 1);
        cluster.Prefer(1);
        Send(cluster, Commands.Up(1), Commands.Up(2), Commands.Up(3), new NodeDown(2, 1));
        long before = Send(cluster, Commands.Claim(1, 1, 2, 1, Commands.Session("press7"))).Claims[0].Grant;
        cluster.LoseTail(2);
        cluster.Prefer(1);
        // Its session row still has the grant of an entry that never was.
        Send(cluster, Commands.Up(1, incarnation: 2, highestGrant: before), new NodeDown(2, 1));
        long after = Send(cluster, Commands.Claim(3, 1, 2, 1, Commands.Session("press7"))).Claims[0].Grant;
        Assert.True(after > before, $"{after} after {before}");
    }

    [Fact]
    public void What_nobody_knows_the_end_of_is_agreed_on_at_times_and_at_times_not()
    {
        int agreed = 0;
        for (int seed = 0; seed < 200; seed++)
        {
            var cluster = new ModelCluster(3, new FakeTimeProvider(), seed) { Delay = 2 };
            cluster.Prefer(1);
            ValueTask<Applied> proposal = cluster.Members[1].ProposeAsync(CommandCodec.Write(Commands.Up(1)), 2, CancellationToken.None);
            cluster.Step();
            cluster.Resign(1);
            Assert.True(proposal.IsFaulted);
            for (int i = 0; i < 20; i++) cluster.Step();
            if (cluster.CommitIndex == 1) agreed++;
        }

        Assert.InRange(agreed, 60, 140);
    }

    private static Applied Send(ModelCluster cluster, params ClusterCommand[] commands)
    {
        Applied? last = null;
        foreach (ClusterCommand command in commands)
        {
            ValueTask<Applied> proposal = cluster.Members[1].ProposeAsync(CommandCodec.Write(command), 2, CancellationToken.None);
            for (int i = 0; i < 20 && !proposal.IsCompleted; i++) cluster.Step();
            Assert.True(proposal.IsCompletedSuccessfully);
            last = proposal.AsTask().GetAwaiter().GetResult();
        }

        return last!;
    }

    private sealed class Voters : IVoters
    {
        private readonly ModelCluster _cluster;
        private readonly Dictionary<byte, ToldEntries> _told = [];

        public Voters(int seed)
        {
            _cluster = new ModelCluster(3, new FakeTimeProvider(), seed);
            foreach (byte node in _cluster.Members.Keys) Observe(node);
            _cluster.Step();
        }

        public IEnumerable<byte> Running => _cluster.Members.Where(one => one.Value.IsRunning).Select(one => one.Key);

        public IConsensus this[byte node] => _cluster.Members[node];

        public IReadOnlyList<string> Told(byte node) => _told[node].All;

        public Task StopAsync(byte node)
        {
            _cluster.Run(node, isRunning: false);
            return Task.CompletedTask;
        }

        public Task StartAsync(byte node)
        {
            Observe(node);
            _cluster.Run(node, isRunning: true);
            return Task.CompletedTask;
        }

        public Task UntilAsync(Func<bool> holds, string what)
        {
            for (int i = 0; i < 10_000; i++)
            {
                if (holds()) return Task.CompletedTask;
                _cluster.Step();
            }

            throw new TimeoutException($"10,000 steps, and no {what}");
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        private void Observe(byte node) => _cluster.Members[node].Observer = _told[node] = new ToldEntries();
    }
}
