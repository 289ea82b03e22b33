using EdgeBroker.Cluster.Liveness;
using EdgeBroker.Cluster.Tests.Simulation;
using EdgeBroker.Core.Cluster;

namespace EdgeBroker.Cluster.Tests.Liveness;

public sealed class ClusterClockTests
{
    private readonly MemoryDisk _disk = new();

    [Fact]
    public void No_stamp_is_given_before_the_bound_is_on_disk()
    {
        var journal = new MemoryJournal(_disk, Mutation.None);
        var clock = new ClusterClock(journal, 1, Stamp.None, 0);
        Assert.False(clock.TryNext(out _));
        journal.Commit(1);
        Assert.True(clock.TryNext(out Stamp first));
        Assert.True(clock.TryNext(out Stamp second));
        Assert.True(second.Value > first.Value);
        Assert.Equal(1, ClusterClock.NodeOf(first));
        Assert.True(first.Value < _disk.Bound.Value);
    }

    [Fact]
    public void A_start_goes_on_above_all_that_an_earlier_one_can_have_given()
    {
        var journal = new MemoryJournal(_disk, Mutation.None);
        var clock = new ClusterClock(journal, 1, Stamp.None, 0);
        journal.Commit(1);
        for (int minute = 0; minute < 60; minute++)
        {
            clock.Tick(minute * 60_000L);
            journal.Commit(1);
        }

        Assert.True(clock.TryNext(out Stamp last));
        // Its monotonic time begins anew, wherever the wall clock is.
        var later = new MemoryJournal(_disk, Mutation.None);
        var next = new ClusterClock(later, 1, _disk.Bound, 0);
        later.Commit(1);
        Assert.True(next.TryNext(out Stamp after));
        Assert.True(after.Value > last.Value);
    }

    [Fact]
    public void While_the_disk_hangs_no_stamp_passes_the_bound()
    {
        var journal = new MemoryJournal(_disk, Mutation.None);
        var clock = new ClusterClock(journal, 1, Stamp.None, 0);
        journal.Commit(1);
        clock.Tick(11 * 60_000);
        Assert.False(clock.TryNext(out _));
        journal.Commit(int.MaxValue);
        Assert.True(clock.TryNext(out _));
    }

    [Fact]
    public void The_latest_clock_is_everybodys_but_one_that_cannot_be_right()
    {
        var journal = new MemoryJournal(_disk, Mutation.None);
        var clock = new ClusterClock(journal, 1, Stamp.None, 0);
        var ahead = new Stamp(1_000L << 40);
        Assert.True(clock.TryMerge(ahead, 0));
        journal.Commit(int.MaxValue);
        Assert.True(clock.TryNext(out Stamp next));
        Assert.True(next.Value > ahead.Value);
        Assert.False(clock.TryMerge(new Stamp(long.MaxValue), 0));
    }

    [Fact]
    public void Values_from_before_the_cluster_are_older_than_all_that_is_set_in_it()
    {
        var journal = new MemoryJournal(_disk, Mutation.None);
        var clock = new ClusterClock(journal, 1, Stamp.None, 0);
        Stamp old = clock.NextOld();
        journal.Commit(1);
        Assert.True(clock.TryNext(out Stamp now));
        Assert.True(old.Value > 0 && old.Value < now.Value);
    }
}
