using EdgeBroker.Core.Limits;

namespace EdgeBroker.Memory;

/// <summary>Tells the limits how much memory is in use; called several times a second by one thread.</summary>
/// <param name="limits">Whom to tell.</param>
/// <param name="gauge">Where it is read.</param>
/// <param name="collect">Collects garbage and returns memory to the system.</param>
/// <param name="time">The clock.</param>
internal sealed class MemoryWatch(BrokerLimits limits, MemoryGauge gauge, Action collect, TimeProvider time)
{
    /// <summary>Time between two readings: a fast link fills some tens of megabytes meanwhile.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);

    // A collection of everything stops all threads for its length: so often at most, and for no more than a twentieth of the time. But as long as it is put
    // off, clients are refused for garbage; where a busy machine makes it slow, that would be longer than they wait.
    private static readonly TimeSpan BetweenCollections = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(2);
    private const int PauseFactor = 20;

    // In a container the runtime keeps the heap below the container's limit, and fails when it cannot.
    private readonly long _heapLimitBytes = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
    private long? _lastCollection;
    private TimeSpan _nextCollectionAfter;

    // What the process has without clients: code, stacks, tables.
    private long? _ownBytes;

    /// <summary>
    /// Reads, and collects garbage where memory seems short, or was and is not yet enough again: what nobody holds any more is no reason to refuse anybody, or
    /// to go on refusing.
    /// </summary>
    public void Run()
    {
        MemoryLimit limit = limits.Current.MaxMemory;
        if (limit == MemoryLimit.None)
        {
            limits.Ledger.LimitBytes = long.MaxValue;
            limits.Memory.Update(0, 0);
            return;
        }

        MemoryReading reading = Read(limit);
        if ((IsShort(reading) || limits.Memory.Stage != MemoryStage.Normal) && MayCollect())
        {
            Collect();
            reading = Read(limit);
        }

        limits.Memory.Update(reading.UsedBytes, reading.LimitBytes);
    }

    // What clients have made grow counts before it is resident, too: a buffer that was made is not touched at once.
    private MemoryReading Read(MemoryLimit limit)
    {
        MemoryReading process = gauge.Read(limit);
        long accountedBytes = limits.Ledger.TotalBytes;
        _ownBytes ??= Math.Max(0, process.UsedBytes - accountedBytes);
        limits.Memory.OwnBytes = _ownBytes.Value;
        var accounted = new MemoryReading(_ownBytes.Value + accountedBytes, process.LimitBytes);
        limits.Ledger.LimitBytes = process.LimitBytes == 0
            ? long.MaxValue
            : Math.Max(0, (process.LimitBytes / 100 * MemoryPressure.EntersAtPercent(MemoryStage.Dropping)) - _ownBytes.Value);
        return MemoryReading.Tighter(MemoryReading.Tighter(process, accounted), new MemoryReading(GC.GetTotalMemory(false), _heapLimitBytes));
    }

    private static bool IsShort(MemoryReading reading) =>
        reading.LimitBytes > 0 && reading.UsedBytes * 100.0 / reading.LimitBytes >= MemoryPressure.EntersAtPercent(MemoryStage.Refusing);

    private void Collect()
    {
        long begin = time.GetTimestamp();
        collect();
        _lastCollection = time.GetTimestamp();
        long wait = Math.Clamp(time.GetElapsedTime(begin).Ticks * PauseFactor, BetweenCollections.Ticks, LongestWait.Ticks);
        _nextCollectionAfter = TimeSpan.FromTicks(wait);
    }

    private bool MayCollect() => _lastCollection is not { } last || time.GetElapsedTime(last) >= _nextCollectionAfter;
}
