namespace EdgeBroker.Core.Topics;

/// <summary>Who gets a topic's messages: at most one subscription a session, and the shared groups. Immutable; holds for one version of the tree.</summary>
public sealed record MatchResult(Subscription[] Plain, SharedGroup[] Groups)
{
    /// <summary>Nobody.</summary>
    public static readonly MatchResult Nobody = new([], []);

    /// <summary>Whether the array of subscribers was made for this match alone, and is not the tree's own.</summary>
    internal bool IsMerged { get; init; }

    /// <summary>Whether anybody is there.</summary>
    public bool IsEmpty => Plain.Length == 0 && Groups.Length == 0;
}
