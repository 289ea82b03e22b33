using System.Globalization;

namespace EdgeBroker.Core.Limits;

/// <summary>So many in a time, and so many at once: a token bucket's measures.</summary>
/// <param name="Amount">How many in <paramref name="Per"/>; 1 or more.</param>
/// <param name="Per">The time.</param>
/// <param name="Burst">How many at once after a time of silence; 1 or more.</param>
public sealed record RateLimit(long Amount, TimeSpan Per, long Burst)
{
    // Ten years: more than any bucket has to hold, and sums of a few stay within a long.
    private const long LongestNs = 315_360_000L * 1_000_000_000;

    /// <summary>What becomes of the excess, where there is a choice.</summary>
    public ExceedAction OnExceed { get; init; }

    /// <summary>The rate as a person writes it.</summary>
    public string Text { get; init; } = string.Create(CultureInfo.InvariantCulture, $"{Amount} in {Per.TotalSeconds:0.###} s");

    /// <summary>Nanoseconds that one takes.</summary>
    internal double NsPerUnit => Per.TotalNanoseconds / Amount;

    /// <summary>Nanoseconds a bucket may be from full while it still has one.</summary>
    internal long ToleranceNs => Bounded((Burst - 1) * NsPerUnit);

    /// <summary>Nanoseconds that so many take.</summary>
    internal long CostNs(long units) => Bounded(units * NsPerUnit);

    private static long Bounded(double ns) => ns >= LongestNs ? LongestNs : (long)ns;
}
