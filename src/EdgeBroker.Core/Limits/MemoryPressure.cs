namespace EdgeBroker.Core.Limits;

/// <summary>
/// Which stage the memory in use calls for. A stage is left five points below where it was entered, so that it does not come and go with every message. Told by
/// one thread, read by any.
/// </summary>
public sealed class MemoryPressure
{
    private const int HysteresisPercent = 5;

    private readonly Action<MemoryStage> _changed;
    private long _usedBytes;
    private long _limitBytes;
    private volatile MemoryStage _stage;

    internal MemoryPressure(Action<MemoryStage> changed) => _changed = changed;

    /// <summary>The stage.</summary>
    public MemoryStage Stage => _stage;

    /// <summary>Bytes in use, as last told.</summary>
    public long UsedBytes => Interlocked.Read(ref _usedBytes);

    /// <summary>Bytes there may be, as last told; 0: no limit.</summary>
    public long LimitBytes => Interlocked.Read(ref _limitBytes);

    /// <summary>Percent of the limit at which a stage begins.</summary>
    public static int EntersAtPercent(MemoryStage stage) => stage switch
    {
        MemoryStage.Refusing => 80,
        MemoryStage.Pausing => 88,
        MemoryStage.Dropping => 94,
        _ => 0,
    };

    /// <summary>Tells how much is in use.</summary>
    /// <param name="usedBytes">So much.</param>
    /// <param name="limitBytes">And so much there may be; 0: no limit.</param>
    public void Update(long usedBytes, long limitBytes)
    {
        Interlocked.Exchange(ref _usedBytes, usedBytes);
        Interlocked.Exchange(ref _limitBytes, limitBytes);
        MemoryStage next = limitBytes <= 0 ? MemoryStage.Normal : StageFor(usedBytes * 100.0 / limitBytes);
        if (next == _stage) return;
        _stage = next;
        _changed(next);
    }

    private MemoryStage StageFor(double percent)
    {
        for (MemoryStage stage = MemoryStage.Dropping; stage > MemoryStage.Normal; stage--)
        {
            int least = EntersAtPercent(stage) - (stage <= _stage ? HysteresisPercent : 0);
            if (percent >= least) return stage;
        }

        return MemoryStage.Normal;
    }
}
