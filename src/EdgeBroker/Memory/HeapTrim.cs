using EdgeBroker.Core.Limits;

namespace EdgeBroker.Memory;

/// <summary>
/// Gives memory back that nobody uses any more: pages that only the start has touched, and the heap after clients have let go of most of what they held. The
/// collector runs when memory is asked for, and a broker that has become idle asks for none. It never runs because traffic is low: a collection stops all
/// threads, for longer the more they hold, so it has to be worth it and little may be left. After a start it mostly is not: where little has been
/// allocated yet, collecting takes more memory than it frees.
/// </summary>
/// <param name="ledger">Knows what clients hold.</param>
/// <param name="heapBytes">What the heap has allocated, garbage included.</param>
/// <param name="collect">Collects and returns memory to the system.</param>
/// <param name="releasePages">Gives back pages of the executable.</param>
internal sealed class HeapTrim(MemoryLedger ledger, Func<long> heapBytes, Action collect, Action releasePages)
{
    /// <summary>Time between two looks.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    // The start goes on for a moment after the broker listens: timers, the first $SYS, code that runs once.
    private const int StartLooks = 6;
    private const long LeastFallBytes = 4L << 20;
    private const long MostLeftBytes = 8L << 20;
    private const int LeastFallFactor = 4;

    private int _looks;
    private long _mostBytes;

    /// <summary>Called every <see cref="Interval"/>.</summary>
    public void Run()
    {
        long heldBytes = ledger.TotalBytes;
        _mostBytes = Math.Max(_mostBytes, heldBytes);
        bool hasFallen = _mostBytes - heldBytes >= LeastFallBytes && heldBytes <= Math.Min(MostLeftBytes, _mostBytes / LeastFallFactor);
        bool hasStarted = _looks < StartLooks && ++_looks == StartLooks && heldBytes <= MostLeftBytes;
        if (!hasFallen && !hasStarted) return;
        _mostBytes = heldBytes;
        if (hasFallen || heapBytes() >= LeastFallBytes) collect();
        // Behind it: the collector's own code is among them.
        releasePages();
    }
}
