using EdgeBroker.Cluster.Liveness;
using EdgeBroker.Core;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Retained;

namespace EdgeBroker.Cluster.Retained;

/// <summary>
/// Gives values from before this node was in a mesh their stamps, once a start, and forgets tombstones that are old, once an hour; a bounded part each tick.
/// </summary>
/// <param name="broker">The broker.</param>
/// <param name="tombstones">How long a tombstone stays.</param>
internal sealed class RetainedCare(Broker broker, TimeSpan tombstones)
{
    private const int RowsPerTick = 1024;
    private const int SweepMs = 60 * 60 * 1000;

    private RetainedReader? _reader;
    private bool _hasStamped;
    private long _sweptMs;

    /// <summary>Does its part.</summary>
    public void Tick(ClusterClock clock, long nowMs)
    {
        if (_reader is null)
        {
            if (_hasStamped ? nowMs - _sweptMs < SweepMs : !clock.IsReady) return;
            _sweptMs = nowMs;
            _reader = broker.Retained.ReadSince(0);
        }

        for (int i = 0; i < RowsPerTick && _reader.TryTake(out Message? row); i++)
        {
            if (row.Stamp.IsNone) Stamp(row, clock);
            else if (row.IsTombstone && row.Stamp.Value < ClusterClock.Before(clock.Now, tombstones).Value) broker.Retained.Forget(row);
        }

        if (!_reader.IsDone) return;
        _reader.Dispose();
        _reader = null;
        _hasStamped = true;
    }

    // One that is set just now is newer than this stamp, and stays.
    private void Stamp(Message row, ClusterClock clock)
    {
        long nowMs = broker.Clock.NowMs;
        broker.Retained.Set(Publication.Of(row, nowMs) with { Stamp = clock.NextOld(), Owned = null }, nowMs, out _);
    }
}
