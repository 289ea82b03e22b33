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

    private MatchResult? _result;

    // A copy is made to be changed, so it must not take the result along.
    private NodeSubscriptions(NodeSubscriptions original)
    {
        Plain = original.Plain;
        Groups = original.Groups;
    }

    public bool IsEmpty => Plain.Length == 0 && Groups.Length == 0;

    /// <summary>The match of every topic that matches nothing else: made once, so that all of them share it. Threads that make it at once may keep either.</summary>
    public MatchResult Result => Volatile.Read(ref _result) ?? MakeResult();

    private MatchResult MakeResult()
    {
        var made = new MatchResult(Plain, Groups);
        Volatile.Write(ref _result, made);
        return made;
    }
}
