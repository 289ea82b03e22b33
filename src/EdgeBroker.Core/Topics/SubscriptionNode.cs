namespace EdgeBroker.Core.Topics;

/// <summary>One level of the subscription tree. Arrays are replaced, never changed in place, so that readers need no lock.</summary>
internal sealed class SubscriptionNode(byte[] text, int start, int length, SubscriptionNode? parent) : LevelNode<SubscriptionNode>(text, start, length, parent)
{
    /// <summary>Subscriptions whose filter ends here.</summary>
    public MatchResult? Own;

    /// <summary>Subscriptions whose filter goes on with a last <c>#</c>.</summary>
    public MatchResult? Multi;

    /// <summary>The <c>+</c> below this level.</summary>
    public SubscriptionNode? Single;

    public bool IsEmpty => Own is null && Multi is null && Single is null && Children.Count == 0;
}
