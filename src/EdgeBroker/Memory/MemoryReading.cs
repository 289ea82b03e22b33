namespace EdgeBroker.Memory;

/// <summary>How much memory is in use, of how much there may be.</summary>
/// <param name="UsedBytes">In use.</param>
/// <param name="LimitBytes">There may be; 0: no limit.</param>
internal readonly record struct MemoryReading(long UsedBytes, long LimitBytes)
{
    /// <summary>Whichever is nearer to its limit.</summary>
    public static MemoryReading Tighter(MemoryReading one, MemoryReading other)
    {
        if (one.LimitBytes == 0) return other;
        if (other.LimitBytes == 0) return one;
        return (double)one.UsedBytes / one.LimitBytes >= (double)other.UsedBytes / other.LimitBytes ? one : other;
    }
}
