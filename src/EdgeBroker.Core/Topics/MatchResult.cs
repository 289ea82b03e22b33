namespace EdgeBroker.Core.Topics;

/// <summary>
/// Who gets messages: at most one subscription a receiver, and the shared groups. Immutable. A place in the tree has one, which is the match of the topics that
/// match nothing else, so that they share it; for others one is made.
/// </summary>
public record MatchResult(Subscription[] Plain, SharedGroup[] Groups)
{
    /// <summary>No receiver.</summary>
    public static readonly MatchResult Empty = new([], []);

    /// <summary>Other nodes with subscribers, each at most once. For messages that were published here.</summary>
    public PeerInterest[] Peers { get; init; } = [];

    /// <summary>Whether anybody is there.</summary>
    public bool IsEmpty => Plain.Length == 0 && Groups.Length == 0 && Peers.Length == 0;
}
