namespace EdgeBroker.Core.Topics;

/// <summary>One level of the subscription tree. Arrays are replaced, never changed in place, so that readers need no lock.</summary>
internal sealed class SubscriptionNode(byte[] level, int hash, SubscriptionNode? parent) : LevelNode<SubscriptionNode>(level, hash, parent)
{
    /// <summary>Subscriptions whose filter ends here.</summary>
    public NodeSubscriptions? Own;

    /// <summary>Subscriptions whose filter goes on with a last <c>#</c>.</summary>
    public NodeSubscriptions? Multi;

    /// <summary>The <c>+</c> below this level.</summary>
    public SubscriptionNode? Single;

    public bool IsEmpty => Own is null && Multi is null && Single is null && Children.Count == 0;
}

/// <summary>The subscriptions at one place of the tree: each session's own, and the shared groups. Immutable.</summary>
internal sealed record NodeSubscriptions(Subscription[] Plain, SharedGroup[] Groups)
{
    public static readonly NodeSubscriptions None = new([], []);

    public bool IsEmpty => Plain.Length == 0 && Groups.Length == 0;
}
