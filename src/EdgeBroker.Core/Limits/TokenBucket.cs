namespace EdgeBroker.Core.Limits;

/// <summary>
/// A token bucket in one number: the time at which it will be full again. Whoever asks brings the rate and the time. What takes more than there is leaves a
/// debt, so that something larger than the burst passes too, and is paid for by those behind it.
/// </summary>
public struct TokenBucket
{
    private const long NsPerMs = 1_000_000;

    private long _fullNs;

    /// <summary>When it is full, in nanoseconds of the clock it is used with.</summary>
    internal readonly long FullNs => _fullNs;

    /// <summary>Whether there is one to be had.</summary>
    public readonly bool HasRoom(RateLimit rate, long nowMs) => _fullNs - (nowMs * NsPerMs) <= rate.ToleranceNs;

    /// <summary>How many there are to be had; 0 or more.</summary>
    public readonly long Left(RateLimit rate, long nowMs)
    {
        double ns = rate.NsPerUnit;
        return Math.Max(0, (long)((rate.ToleranceNs + ns - Math.Max(0, _fullNs - (nowMs * NsPerMs))) / ns));
    }

    /// <summary>The time from which there is one, in milliseconds, rounded up.</summary>
    public readonly long RoomAtMs(RateLimit rate) => (_fullNs - rate.ToleranceNs + NsPerMs - 1) / NsPerMs;

    /// <summary>Takes some.</summary>
    /// <param name="rate">The rate.</param>
    /// <param name="units">How many.</param>
    /// <param name="nowMs">The time.</param>
    /// <param name="latenessMs">
    /// How late whoever takes was let on, through no fault of its own: what would have come in that time and did not fit into a full bucket is its due.
    /// </param>
    public void Take(RateLimit rate, long units, long nowMs, long latenessMs = 0) =>
        _fullNs = Math.Max(_fullNs, (nowMs - latenessMs) * NsPerMs) + rate.CostNs(units);
}
