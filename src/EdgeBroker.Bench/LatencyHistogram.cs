using System.Numerics;

namespace EdgeBroker.Bench;

/// <summary>Durations in nanoseconds, in buckets less than 1 % wide up to 18 minutes.</summary>
internal sealed class LatencyHistogram
{
    private const int StepBits = 7;
    private const int Steps = 1 << StepBits;
    private const int HighestBit = 40;

    private readonly long[] _buckets = new long[Steps * (HighestBit - StepBits + 2)];

    /// <summary>Durations taken.</summary>
    public long Count { get; private set; }

    /// <summary>The longest, exactly; 0 without any.</summary>
    public long MaxNs { get; private set; }

    /// <summary>Takes a duration; a negative one counts as 0.</summary>
    public void Add(long ns)
    {
        ns = Math.Max(0, ns);
        _buckets[Math.Min(IndexOf(ns), _buckets.Length - 1)]++;
        Count++;
        MaxNs = Math.Max(MaxNs, ns);
    }

    /// <summary>A duration that the given part of all does not exceed: the upper edge of its bucket. 0 without any.</summary>
    /// <param name="part">From 0 to 1.</param>
    public long PercentileNs(double part)
    {
        long rank = Math.Max(1, (long)Math.Ceiling(part * Count));
        long seen = 0;
        for (int i = 0; i < _buckets.Length && Count > 0; i++)
        {
            seen += _buckets[i];
            if (seen >= rank) return Math.Min(UpperEdge(i), MaxNs);
        }

        return MaxNs;
    }

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        Array.Clear(_buckets);
        Count = MaxNs = 0;
    }

    // The first 256 values have a bucket each; from there on every doubling has 128.
    private static int IndexOf(long ns)
    {
        int shift = Math.Max(0, BitOperations.Log2((ulong)ns) - StepBits);
        return (shift * Steps) + (int)(ns >> shift);
    }

    private static long UpperEdge(int index)
    {
        int shift = Math.Max(0, (index / Steps) - 1);
        long step = index - ((long)shift * Steps);
        return ((step + 1) << shift) - 1;
    }
}
