namespace EdgeBroker.Core.Limits;

/// <summary>
/// Which stage the memory in use calls for. A stage is left five points below where it was entered, so that it does not come and go with every message. Told by
/// one thread, raised and read by any.
/// </summary>
public sealed class MemoryPressure
{
    private const int HysteresisPercent = 5;

    private readonly Action<MemoryStage> _entered;
    private readonly Action<MemoryStage> _tell;
    private long _usedBytes;
    private long _limitBytes;
    private long _ownBytes;
    private volatile MemoryStage _stage;
    private MemoryStage _told;

    /// <param name="entered">Puts a stage in force; on any thread, perhaps under a lock.</param>
    /// <param name="tell">Tells of it; on the thread that calls <see cref="Update"/>.</param>
    internal MemoryPressure(Action<MemoryStage> entered, Action<MemoryStage> tell)
    {
        _entered = entered;
        _tell = tell;
    }

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

    /// <summary>Percent of the limit below which a stage is left.</summary>
    public static int LeavesAtPercent(MemoryStage stage) => EntersAtPercent(stage) - HysteresisPercent;

    /// <summary>Tells how much is in use.</summary>
    /// <param name="usedBytes">So much.</param>
    /// <param name="limitBytes">And so much there may be; 0: no limit.</param>
    public void Update(long usedBytes, long limitBytes)
    {
        Interlocked.Exchange(ref _usedBytes, usedBytes);
        Interlocked.Exchange(ref _limitBytes, limitBytes);
        MemoryStage next = limitBytes <= 0 ? MemoryStage.Normal : StageFor(usedBytes * 100.0 / limitBytes);
        if (next != _stage)
        {
            _stage = next;
            _entered(next);
        }

        if (next == _told) return;
        _told = next;
        _tell(next);
    }

    /// <summary>Bytes in use besides those that clients have made grow; told with each reading.</summary>
    public long OwnBytes
    {
        get => Interlocked.Read(ref _ownBytes);
        set => Interlocked.Exchange(ref _ownBytes, value);
    }

    /// <summary>
    /// Clients have made so much grow: enters a higher stage at once where that calls for one, without a lock and without telling. The next reading tells.
    /// </summary>
    internal void Raise(long accountedBytes)
    {
        long limitBytes = LimitBytes;
        if (limitBytes <= 0) return;
        MemoryStage next = StageFor((OwnBytes + accountedBytes) * 100.0 / limitBytes);
        if (next <= _stage) return;
        _stage = next;
        _entered(next);
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
