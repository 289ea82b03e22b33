using EdgeBroker.Core;

namespace EdgeBroker.Hosting;

/// <summary>
/// Gives memory back once a storm is over. The collector runs when memory is asked for, and an idle broker asks for none: what a thousand connects left behind
/// would stay for good. So, in a quiet second after much was allocated, one collection that compacts and returns pages to the system. And under a load that
/// allocates little, small collections before a large one falls due.
/// </summary>
internal sealed class ScheduledCollector(Broker broker)
{
    private const long WorthwhileBytes = 1024 * 1024;
    private const long EarlyBytes = 128 * 1024;
    private const long QuietPackets = 100;

    // The start goes on for a moment after the broker listens: timers, the first $SYS, code that runs once.
    private const int StartSeconds = 5;

    private int _seconds;
    private long _lastPackets;
    private long _lastCollectedBytes;
    private long _lastEarlyBytes;
    private int _lastCollections;
    private bool _released;

    /// <summary>Called once a second.</summary>
    public void Run()
    {
        if (_seconds <= StartSeconds && _seconds++ is 0 or StartSeconds) Release();
        long packets = broker.CountTraffic().PacketsReceived;
        bool quiet = packets - _lastPackets < QuietPackets;
        _lastPackets = packets;
        long allocated = GC.GetTotalAllocatedBytes();
        if (!quiet)
        {
            CollectEarly(allocated);
            return;
        }

        if (allocated - _lastCollectedBytes < WorthwhileBytes) return;
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        _lastCollectedBytes = allocated;
        Release();
    }

    private void Release()
    {
        StartupPages.Release();
        _released = true;
    }

    // A load that allocates little would fill the young generation in minutes, and then stand still for milliseconds: the more there is the longer, and longest
    // when the collector's code, which is among the pages given back, has to be fetched as well. One that allocates much is collected often enough without.
    private void CollectEarly(long allocated)
    {
        // Those of older generations count as well: each empties the youngest.
        int collections = GC.CollectionCount(0);
        if (collections != _lastCollections)
        {
            _lastEarlyBytes = allocated;
        }
        else if (_released || allocated - _lastEarlyBytes >= EarlyBytes)
        {
            // Forced: left to judge for itself the collector would wait until the generation is full, which is what takes milliseconds.
            GC.Collect(0, GCCollectionMode.Forced, blocking: true);
            _lastEarlyBytes = allocated;
            _released = false;
        }

        // Anew: the one just made is not to be taken for the runtime's own in the next second.
        _lastCollections = GC.CollectionCount(0);
    }
}
