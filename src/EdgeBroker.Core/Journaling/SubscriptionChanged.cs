using EdgeBroker.Core.Topics;

namespace EdgeBroker.Core.Journaling;

/// <summary>The session has this subscription, or none with this filter any more.</summary>
/// <param name="session">The session.</param>
/// <param name="filter">The filter, <c>$share/group/</c> included.</param>
/// <param name="subscription">The subscription, in place of one with the same filter; null: none.</param>
public sealed class SubscriptionChanged(StoredSession session, byte[] filter, Subscription? subscription) : JournalFact
{
    /// <summary>The session.</summary>
    public StoredSession Session { get; } = session;

    /// <summary>The filter.</summary>
    public byte[] Filter { get; } = filter;

    /// <summary>The subscription, or null.</summary>
    public Subscription? Subscription { get; } = subscription;
}
