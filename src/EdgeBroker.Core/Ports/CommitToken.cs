using EdgeBroker.Core.Journaling;

namespace EdgeBroker.Core.Ports;

/// <summary>What an acknowledgement waits for: a fact that must be on disk first.</summary>
/// <param name="Fact">The fact; null: nothing to wait for.</param>
public readonly record struct CommitToken(JournalFact? Fact)
{
    /// <summary>Nothing to wait for.</summary>
    public static readonly CommitToken None;

    /// <summary>Whether there is nothing to wait for, or no longer.</summary>
    public bool IsCommitted => Fact is null || Fact.IsCommitted;

    /// <summary>This one, or the one before when this is nothing. Facts are committed in the order they were appended, so the later one implies the
    /// earlier.</summary>
    public CommitToken After(CommitToken earlier) => Fact is null ? earlier : this;

    /// <summary>Calls back once when committed; at once when it already is. The action must return soon.</summary>
    public void WhenCommitted(Action action)
    {
        if (Fact is null) action();
        else Fact.WhenCommitted(action);
    }
}
