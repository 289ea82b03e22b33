using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Retained;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Topics;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Receivers;

/// <summary>Takes the messages that match its subscriptions. Called on any thread; returns soon and never blocks.</summary>
/// <param name="id">Names it among all receivers of the broker.</param>
public abstract class Receiver(string id)
{
    /// <summary>Names it among all receivers of the broker: the client id of a session.</summary>
    public string Id { get; } = id;

    /// <summary>How fit it is to take a message now. A hint that may be out of date when it is used; reading it changes nothing.</summary>
    public abstract ReceiverReadiness Readiness { get; }

    /// <summary>Whether QoS 1 and 2 messages for it are kept on disk where the broker has a store.</summary>
    public virtual bool IsDurable => false;

    /// <summary>On whose account it is, with what it leaves; null: on nobody's.</summary>
    internal virtual Holder? Holder => null;

    /// <summary>Whether a message would take room in the store that only the end of its wait gives back. A hint, asked only while the store is full.</summary>
    /// <param name="qos">The QoS it would be delivered with.</param>
    internal virtual bool NeedsStoreRoom(QoS qos) => false;

    /// <summary>The subscription to exactly this filter in the receiver's own list, or null. The list decides, the tree follows.</summary>
    public abstract Subscription? FindSubscription(ReadOnlySpan<byte> filter);

    /// <summary>Notes a subscription in its own list; false when it has as many as it may, has ended, or the caller has no right to act for it.</summary>
    /// <param name="lease">Of a session, its connection's right.</param>
    /// <param name="subscription">The subscription.</param>
    /// <param name="existing">The subscription to the same filter there was before, or null.</param>
    /// <param name="completion">What the acknowledgement waits for; null: nothing.</param>
    internal virtual bool TrySubscribe(ConnectionLease lease, Subscription subscription, out Subscription? existing, out Completion? completion)
    {
        (existing, completion) = (null, null);
        return false;
    }

    /// <summary>Strikes a subscription from its own list; null when it was not there, or the caller has no right to act for it.</summary>
    /// <param name="lease">Of a session, its connection's right.</param>
    /// <param name="filter">The filter.</param>
    /// <param name="completion">What the acknowledgement waits for; null: nothing.</param>
    internal virtual Subscription? TryUnsubscribe(ConnectionLease lease, ReadOnlySpan<byte> filter, out Completion? completion)
    {
        completion = null;
        return null;
    }

    /// <summary>Notes that the retained messages of a filter are to be delivered; null: that none are, since it was subscribed anew.</summary>
    internal virtual void QueueRetained(ConnectionLease lease, RetainedWalk? walk, Subscription subscription)
    {
    }

    /// <summary>Takes a message.</summary>
    /// <param name="message">The message; borrowed, valid during the call.</param>
    /// <param name="subscription">The subscription of this receiver that it matched.</param>
    /// <param name="context">The publisher's context.</param>
    public abstract DeliveryOutcome Deliver(in Publication message, Subscription subscription, RoutingContext context);

    /// <summary>An exception has left it while it took a message: puts in order what may be half changed, and gives up the connection it delivers to.</summary>
    /// <param name="link">The connection, to be closed; null: there is none.</param>
    /// <param name="detachment">What follows from that.</param>
    internal virtual void Recover(out ISessionLink? link, out Detachment detachment)
    {
        link = null;
        detachment = default;
    }

    /// <summary>Whether it has this message: one that failed while it took it is not given it again then.</summary>
    internal virtual bool Holds(Message message) => false;

    /// <summary>Takes the messages of a segment at once; false, and nothing taken: they are to be delivered one by one.</summary>
    /// <param name="segment">The messages; borrowed, valid during the call.</param>
    /// <param name="subscription">The subscription of this receiver that they matched.</param>
    /// <param name="context">The publisher's context.</param>
    public virtual bool TryDeliver(in MessageSegment segment, Subscription subscription, RoutingContext context) => false;
}
