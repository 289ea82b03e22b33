namespace EdgeBroker.Core.Topics;

/// <summary>One level of the subscription tree. Arrays are replaced, never changed in place, so that readers need no lock.</summary>
internal sealed class SubscriptionNode(byte[] text, int start, int length, SubscriptionNode? parent) : LevelNode<SubscriptionNode>(text, start, length, parent)
{
    /// <summary>Subscriptions whose filter ends here.</summary>
    public MatchResult? Own;

    /// <summary>What begins with a wildcard below this level; most levels have nothing of it.</summary>
    public WildcardPlaces? Wildcards;

    public bool IsEmpty => Own is null && Children.Count == 0 && Wildcards is null or { Multi: null, Single: null };
}
