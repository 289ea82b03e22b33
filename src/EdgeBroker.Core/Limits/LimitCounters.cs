namespace EdgeBroker.Core.Limits;

/// <summary>How often each limit did something. Counted from any thread; never reset.</summary>
public sealed class LimitCounters
{
    private static readonly int Kinds = Enum.GetValues<LimitKind>().Length;
    private static readonly int Actions = Enum.GetValues<LimitAction>().Length;

    private readonly long[] _counts = new long[Kinds * Actions];

    /// <summary>How often a limit did this.</summary>
    public long this[LimitKind limit, LimitAction action] => Interlocked.Read(ref _counts[Place(limit, action)]);

    internal void Count(LimitKind limit, LimitAction action) => Interlocked.Increment(ref _counts[Place(limit, action)]);

    private static int Place(LimitKind limit, LimitAction action) => ((int)limit * Actions) + (int)action;
}
