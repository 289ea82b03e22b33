using EdgeBroker.Core.Limits;

namespace EdgeBroker.Storage.Journal;

/// <summary>
/// How many transactions may still begin before their window is over. Every one that is written takes its share, whatever began it. Once all is spent the
/// window is in force, until there is more than one again: the very rate of the window would otherwise end it at every other commit. The journal's thread
/// spends, any thread reads.
/// </summary>
/// <param name="rate">What comes in, and how much there is at most; null: there is no end of it.</param>
/// <param name="timestampFrequency">Timestamps a second.</param>
internal sealed class CommitBudget(RateLimit? rate, long timestampFrequency)
{
    private const long EnoughAgain = 2;

    private TokenBucket _bucket;
    private volatile bool _isSpent;

    /// <summary>Transactions left; null: there is no end of them. Any thread.</summary>
    public long? Left(long now) => rate is null ? null : _bucket.Left(rate, ToMs(now));

    /// <summary>Whether all is spent, and those who wait wait for the window. Any thread.</summary>
    public bool IsSpent(long now) => _isSpent && Left(now) < EnoughAgain;

    /// <summary>Whether a transaction may begin for somebody who waits.</summary>
    public bool HasRoom(long now)
    {
        if (rate is null) return true;
        _isSpent = _bucket.Left(rate, ToMs(now)) < (_isSpent ? EnoughAgain : 1);
        return !_isSpent;
    }

    /// <summary>The time from which one may, of a budget that is spent.</summary>
    public long RoomAt(long now)
    {
        if (rate is null) return now;
        double missing = (EnoughAgain - 1) * rate.Per.TotalMilliseconds / rate.Amount;
        return (_bucket.RoomAtMs(rate) + (long)Math.Ceiling(missing)) * (timestampFrequency / 1000);
    }

    /// <summary>A transaction is written.</summary>
    public void Spend(long now)
    {
        long nowMs = ToMs(now);
        // Those of the window leave no debt.
        if (rate is not null && _bucket.HasRoom(rate, nowMs)) _bucket.Take(rate, 1, nowMs);
    }

    private long ToMs(long now) => now / (timestampFrequency / 1000);
}
