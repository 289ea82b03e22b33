namespace EdgeBroker.Http.Api;

/// <summary>How queues grow: what has come between two looks at them. Nothing is sampled while nobody looks, so the first look knows nothing.</summary>
/// <param name="time">The clock.</param>
internal sealed class QueueGrowth(TimeProvider time)
{
    private const int Most = 5_000;
    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);

    private readonly Lock _lock = new();
    private readonly Dictionary<(string Kind, string Name), Look> _looks = [];

    /// <summary>A row with how its queue grows, as far as that is known, and how full it is.</summary>
    public QueueAnswer With(QueueAnswer row)
    {
        double? growth = GrowthOf(row);
        if (row.Bounds is not { } bounds) return row with { GrowthPerMinute = growth };
        double full = Math.Max((double)row.Messages / bounds.MaxMessages, (double)row.Bytes / bounds.MaxBytes);
        return row with
        {
            GrowthPerMinute = growth,
            FullPercent = Math.Round(100 * full, 1),
            FullInSeconds = growth > 0 && full > 0 ? (long)(60 * row.Messages * Math.Max(0, (1 / full) - 1) / growth) : null,
            OnFull = bounds.Overflow,
        };
    }

    private double? GrowthOf(QueueAnswer row)
    {
        long now = time.GetTimestamp();
        lock (_lock)
        {
            bool isKnown = _looks.TryGetValue((row.Kind, row.Name), out Look look);
            TimeSpan elapsed = isKnown ? time.GetElapsedTime(look.At, now) : default;
            if (isKnown && elapsed < Shortest) return look.Growth;
            double? growth = isKnown && elapsed <= Longest ? Math.Round((row.Messages - look.Messages) / elapsed.TotalMinutes, 1) : null;
            if (_looks.Count >= Most && !isKnown) _looks.Clear();
            _looks[(row.Kind, row.Name)] = new Look(now, row.Messages, growth);
            return growth;
        }
    }

    private readonly record struct Look(long At, long Messages, double? Growth);
}
