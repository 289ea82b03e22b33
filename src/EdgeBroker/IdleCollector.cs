using EdgeBroker.Core;

namespace EdgeBroker;

/// <summary>
/// Gives memory back once a storm is over. The collector runs when memory is asked for, and an idle broker asks for none: what a thousand connects left behind would stay
/// for good. So, in a quiet second after much was allocated, one collection that compacts and returns pages to the system.
/// </summary>
internal sealed class IdleCollector(Broker broker)
{
    private const long WorthwhileBytes = 1024 * 1024;
    private const long QuietPackets = 100;

    // The start goes on for a moment after the broker listens: timers, the first $SYS, code that runs once.
    private const int StartSeconds = 5;

    private int _seconds;
    private long _lastPackets;
    private long _lastCollectedBytes;
    private bool _released;

    /// <summary>Called once a second.</summary>
    public void Run()
    {
        if (_seconds <= StartSeconds && _seconds++ is 0 or StartSeconds) Release();
        long packets = broker.CountTraffic().PacketsReceived;
        bool quiet = packets - _lastPackets < QuietPackets;
        _lastPackets = packets;
        if (!quiet && _released) FetchCollector();
        long allocated = GC.GetTotalAllocatedBytes();
        if (!quiet || allocated - _lastCollectedBytes < WorthwhileBytes) return;
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        _lastCollectedBytes = allocated;
        Release();
    }

    private void Release()
    {
        StartupPages.Release();
        _released = true;
    }

    // The collector's code is among the pages given back. Where a load begins there is little to collect, and the time its pages take to come back does not add to that of a large heap;
    // at rest the same would keep two megabytes resident for nothing.
    private void FetchCollector()
    {
        GC.Collect(0, GCCollectionMode.Forced, blocking: true);
        _released = false;
    }
}
