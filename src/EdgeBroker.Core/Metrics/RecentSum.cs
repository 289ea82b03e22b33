namespace EdgeBroker.Core.Metrics;

/// <summary>A number that takes a walk over all sessions to find: whoever reads it gets one that is a few seconds old. Any thread.</summary>
internal sealed class RecentSum(Func<long> count, BrokerClock clock)
{
    private const long LongestMs = 5_000;

    private long _validUntilMs = long.MinValue;
    private long _sum;

    public long Read()
    {
        long nowMs = clock.NowMs;
        long validUntilMs = Volatile.Read(ref _validUntilMs);
        // Of several who find it old one counts, and the others take what there is.
        if (nowMs >= validUntilMs && Interlocked.CompareExchange(ref _validUntilMs, nowMs + LongestMs, validUntilMs) == validUntilMs)
        {
            Volatile.Write(ref _sum, count());
        }

        return Volatile.Read(ref _sum);
    }
}
