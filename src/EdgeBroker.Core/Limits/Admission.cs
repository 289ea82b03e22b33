namespace EdgeBroker.Core.Limits;

/// <summary>What the <see cref="ConnectionLimiter"/> says to a new connection.</summary>
/// <param name="Limit">The limit that keeps it out; null: it is in.</param>
/// <param name="MayHearWhy">Whether one that is kept out may stay until its CONNECT has been answered with a reason.</param>
public readonly record struct Admission(LimitKind? Limit, bool MayHearWhy)
{
    /// <summary>It is in.</summary>
    public static Admission Granted => default;
}
