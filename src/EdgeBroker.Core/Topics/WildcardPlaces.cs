namespace EdgeBroker.Core.Topics;

/// <summary>The places below a level of the subscription tree that match every topic. Once a level has had one, it keeps this.</summary>
internal sealed class WildcardPlaces
{
    /// <summary>Subscriptions whose filter ends with <c>#</c> here.</summary>
    public MatchResult? Multi;

    /// <summary>The <c>+</c>.</summary>
    public SubscriptionNode? Single;
}
