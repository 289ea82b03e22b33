using EdgeBroker.Core.Cluster;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Ports;

namespace EdgeBroker.Cluster.Liveness;

/// <summary>
/// The time of the cluster: milliseconds since its first node began, in steps of 1/8192, the most that any node has come to. It runs on monotonic time and is
/// merged by maximum, so no wall clock decides anything. No stamp above a bound that is on disk is given out, and a start begins at it: so none is given twice.
/// Stamps are given on any thread; the rest is the cluster's.
/// </summary>
internal sealed class ClusterClock : IStampSource
{
    private const int NodeBits = 8;
    private const int StepBits = 13;
    private const long AheadMs = 10 * 60 * 1000;

    // The first stamps of a start are for values that have none yet: those are older than all that is set from now on.
    private const long Reserved = 1L << 30;

    // A node that is so far ahead of all others is not right.
    private const long MostJumpMs = 400L * 24 * 60 * 60 * 1000;

    private readonly IJournal _journal;
    private readonly byte _node;
    private readonly long _firstOld;
    private long _last;
    private long _bound;
    private long _raisedTo;
    private long _nextOld;
    private long _startMs;
    private bool _hasMet;

    /// <param name="journal">Where the bound is kept.</param>
    /// <param name="node">This node's number.</param>
    /// <param name="bound">The bound that is on disk; none: there is none.</param>
    /// <param name="nowMs">Monotonic time.</param>
    public ClusterClock(IJournal journal, byte node, Stamp bound, long nowMs)
    {
        _journal = journal;
        _node = node;
        _bound = bound.Value >> NodeBits;
        _firstOld = _nextOld = _bound;
        _last = _bound + Reserved;
        _startMs = nowMs - (_last >> StepBits);
        // What is on disk says up to where stamps were given, and so allows none.
        Raise(nowMs);
    }

    /// <summary>The last time given out or seen.</summary>
    public Stamp Now => new((Volatile.Read(ref _last) << NodeBits) | _node);

    /// <summary>Whether stamps can be given out.</summary>
    public bool IsReady => Volatile.Read(ref _last) < Volatile.Read(ref _bound);

    /// <summary>Which node gave a stamp.</summary>
    public static int NodeOf(Stamp stamp) => (int)(stamp.Value & ((1 << NodeBits) - 1));

    /// <summary>A stamp that is a time before another one.</summary>
    public static Stamp Before(Stamp stamp, TimeSpan by) =>
        new(Math.Max(0, (stamp.Value >> NodeBits) - ((long)by.TotalMilliseconds << StepBits)) << NodeBits);

    /// <inheritdoc/>
    public bool TryNext(out Stamp stamp)
    {
        while (true)
        {
            long last = Volatile.Read(ref _last);
            if (last + 1 > Volatile.Read(ref _bound))
            {
                stamp = Stamp.None;
                return false;
            }

            if (Interlocked.CompareExchange(ref _last, last + 1, last) != last) continue;
            stamp = new Stamp(((last + 1) << NodeBits) | _node);
            return true;
        }
    }

    /// <summary>A stamp for a value from before this node was in a cluster: below all that this start gives out otherwise.</summary>
    public Stamp NextOld() => new((Math.Min(++_nextOld, _firstOld + Reserved) << NodeBits) | _node);

    /// <summary>Goes on to the present, and has the bound raised in time.</summary>
    public void Tick(long nowMs)
    {
        Advance((nowMs - _startMs) << StepBits);
        Raise(nowMs);
    }

    /// <summary>Takes over the time of another node where that is later.</summary>
    /// <param name="stamp">Its stamp.</param>
    /// <param name="nowMs">Monotonic time.</param>
    /// <returns>False: it is so much later that it cannot be right, and nothing is taken over. A node that has met nobody yet believes everybody.</returns>
    public bool TryMerge(Stamp stamp, long nowMs)
    {
        long time = stamp.Value >> NodeBits;
        long last = Volatile.Read(ref _last);
        if (_hasMet && time - last > MostJumpMs << StepBits) return false;
        _hasMet = true;
        if (time <= last) return true;
        Advance(time);
        _startMs = nowMs - (time >> StepBits);
        Raise(nowMs);
        return true;
    }

    private void Advance(long time)
    {
        long last = Volatile.Read(ref _last);
        while (time > last)
        {
            long seen = Interlocked.CompareExchange(ref _last, time, last);
            if (seen == last) return;
            last = seen;
        }
    }

    // Ten minutes ahead, when half of that is used: one write in five minutes.
    private void Raise(long nowMs)
    {
        long last = Volatile.Read(ref _last);
        if (_raisedTo - last > (AheadMs << StepBits) / 2) return;
        long to = _raisedTo = last + (AheadMs << StepBits);
        var fact = new StampBoundRaised(new Stamp(to << NodeBits));
        fact.WhenDone(() => AdvanceBound(to));
        if (_journal.IsDurable) _journal.Append(fact);
        else fact.Complete();
    }

    private void AdvanceBound(long to)
    {
        long bound = Volatile.Read(ref _bound);
        while (to > bound)
        {
            long seen = Interlocked.CompareExchange(ref _bound, to, bound);
            if (seen == bound) return;
            bound = seen;
        }
    }
}
