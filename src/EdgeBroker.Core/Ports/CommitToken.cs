namespace EdgeBroker.Core.Ports;

/// <summary>A point in a store's journal. What waits for it may go on when everything up to it is on disk.</summary>
/// <param name="Sequence">The journal's number; 0: nothing to wait for.</param>
public readonly record struct CommitToken(long Sequence)
{
    /// <summary>Nothing to wait for.</summary>
    public static readonly CommitToken None;

    /// <summary>Whether there is nothing to wait for.</summary>
    public bool IsNone => Sequence == 0;

    /// <summary>The later of two.</summary>
    public CommitToken And(CommitToken other) => other.Sequence > Sequence ? other : this;
}
