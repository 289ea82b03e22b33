using EdgeBroker.Core.Cluster;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Topics;

/// <summary>The interest of another node in a filter, or in several that a topic matches; immutable.</summary>
/// <param name="peer">The node.</param>
/// <param name="filter">The filter; of several, one of them.</param>
/// <param name="interest">What its subscribers want.</param>
public sealed class PeerInterest(PeerOutbox peer, byte[] filter, Interest interest) : Subscription(
    peer, filter,
    new SubscriptionOptions((interest & Interest.Acknowledged) != 0 ? QoS.ExactlyOnce : QoS.AtMostOnce, retainAsPublished: true), 0)
{
    private Subscription? _firstLane;
    private Subscription? _secondLane;

    /// <summary>What its subscribers want.</summary>
    public Interest Interest { get; } = interest;

    /// <summary>Of a shared filter: what a lane takes messages by that are for one member of the group.</summary>
    internal Subscription Addressed(PeerLane lane)
    {
        ref Subscription? place = ref lane.Number == 1 ? ref _firstLane : ref _secondLane;
        return place ??= new Subscription(lane.Session, Filter, lane.Subscription.Options, 0);
    }

    /// <summary>One with the effect of both, which are the same node's.</summary>
    internal PeerInterest With(PeerInterest other) =>
        (Interest | other.Interest) == Interest ? this : new PeerInterest((PeerOutbox)Receiver, Filter, Interest | other.Interest);
}
