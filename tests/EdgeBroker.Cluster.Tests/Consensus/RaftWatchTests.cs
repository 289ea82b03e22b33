using EdgeBroker.Cluster.Consensus;

namespace EdgeBroker.Cluster.Tests.Consensus;

/// <summary>When a member is told to begin anew or to resign, and when it is left alone.</summary>
public sealed class RaftWatchTests
{
    private static readonly RaftSight Well = new(default, HasLeader: true, IsLeader: false, SeesMajority: true, Applied: 10, LeaderCommit: 10, null, null);
    private readonly RaftWatch _watch = new(TimeSpan.FromMilliseconds(600));

    [Fact]
    public void A_member_that_is_always_a_little_behind_is_well()
    {
        for (int second = 0; second < 100; second++)
        {
            Assert.Equal(WatchOrder.None, Look(second, Well with { Applied = second * 50, LeaderCommit = (second * 50) + 40 }));
        }
    }

    [Fact]
    public void A_member_that_gets_no_further_for_ten_seconds_begins_anew()
    {
        RaftSight stuck = Well with { Applied = 5 };
        for (int second = 0; second <= 10; second++) Assert.Equal(WatchOrder.None, Look(second, stuck with { LeaderCommit = 10 + second }));
        Assert.Equal(WatchOrder.Restart, Look(11, stuck));
        // The new run gets its ten seconds too.
        for (int second = 12; second <= 22; second++) Assert.Equal(WatchOrder.None, Look(second, stuck));
        Assert.Equal(WatchOrder.Restart, Look(23, stuck));
    }

    [Fact]
    public void Without_a_leader_it_begins_anew_only_where_a_majority_is_to_be_seen()
    {
        RaftSight alone = Well with { HasLeader = false, SeesMajority = false };
        for (int second = 0; second < 60; second++) Assert.Equal(WatchOrder.None, Look(second, alone));
        for (int second = 60; second <= 66; second++) Assert.Equal(WatchOrder.None, Look(second, alone with { SeesMajority = true }));
        Assert.Equal(WatchOrder.Restart, Look(67, alone with { SeesMajority = true }));
    }

    [Fact]
    public void A_failed_log_is_opened_again_at_once_and_then_not_oftener_than_every_ten_seconds()
    {
        RaftSight failed = Well with { Fault = "disk full" };
        Assert.Equal(WatchOrder.Restart, Look(1, failed));
        for (int second = 2; second < 11; second++) Assert.Equal(WatchOrder.None, Look(second, failed));
        Assert.Equal(WatchOrder.Restart, Look(11, failed));
    }

    [Fact]
    public void Who_is_not_fit_to_lead_resigns_and_who_does_not_lead_is_left_alone()
    {
        Assert.Equal(WatchOrder.None, Look(1, Well with { Unfit = "its journal takes nothing" }));
        Assert.Equal(WatchOrder.Resign, Look(2, Well with { IsLeader = true, Unfit = "its journal takes nothing" }));
        Assert.Equal(WatchOrder.None, Look(3, Well with { IsLeader = true }));
    }

    [Fact]
    public void Election_time_outs_go_by_the_slowest_flush()
    {
        Assert.Equal(ElectionTimeouts.FastDisk, ElectionTimeouts.For(TimeSpan.FromMilliseconds(4.9)));
        Assert.Equal(ElectionTimeouts.SlowDisk, ElectionTimeouts.For(TimeSpan.FromMilliseconds(5)));
        using var directory = new Testing.TemporaryDirectory();
        ElectionTimeouts measured = ElectionTimeouts.Measure(directory.Path, TimeProvider.System, CancellationToken.None);
        Assert.Contains(measured, new[] { ElectionTimeouts.FastDisk, ElectionTimeouts.SlowDisk });
        Assert.Throws<OperationCanceledException>(() => ElectionTimeouts.Measure(directory.Path, TimeProvider.System, new CancellationToken(canceled: true)));
        Assert.Empty(Directory.GetFiles(directory.Path));
    }

    private WatchOrder Look(int second, RaftSight sight) => _watch.Look(sight with { Now = TimeSpan.FromSeconds(second) }, out _);
}
