using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Topics;

namespace EdgeBroker.Core.Retained;

/// <summary>The retained messages of one filter on their way to a session.</summary>
internal sealed class RetainedDelivery(RetainedWalk walk, Subscription subscription)
{
    /// <summary>The messages.</summary>
    public readonly RetainedWalk Walk = walk;

    /// <summary>What they are owed for.</summary>
    public readonly Subscription Subscription = subscription;

    /// <summary>Taken from the walk and not yet sent.</summary>
    public Message? Pending;

    /// <summary>Whether its subscription was ended or made anew while a slice of it was being sent.</summary>
    public bool IsForgotten;
}
