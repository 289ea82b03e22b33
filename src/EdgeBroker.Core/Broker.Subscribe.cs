using EdgeBroker.Core.Events;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Topics;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core;

// Filters come and go.
public sealed partial class Broker
{
    /// <summary>
    /// Subscribes a receiver to one filter, which <see cref="Ingress.Ingress.Subscribe"/> has judged, and owes it the retained messages its options ask for.
    /// </summary>
    /// <param name="receiver">The receiver.</param>
    /// <param name="lease">Of a session, its connection's right.</param>
    /// <param name="filter">The filter, shared or not.</param>
    /// <param name="options">The options granted.</param>
    /// <param name="identifier">Subscription identifier; 0: none.</param>
    /// <param name="completion">What the acknowledgement waits for.</param>
    /// <returns>The granted QoS, or why not.</returns>
    public ReasonCode Subscribe(
        Receiver receiver, ConnectionLease lease, ReadOnlySpan<byte> filter, SubscriptionOptions options, uint identifier, out Completion? completion)
    {
        var subscription = new Subscription(receiver, filter.ToArray(), options, identifier);
        if (!receiver.TrySubscribe(lease, subscription, out Subscription? existing, out completion)) return ReasonCode.QuotaExceeded;
        SyncTree(receiver, subscription.Filter);
        completion = Completion.Both(completion, Cluster.Subscribed(filter));
        if (!IsOwnCheck(receiver, filter))
        {
            Events.SubscriptionCreated(new SubscriptionCreatedEvent
            {
                ClientId = receiver.Id,
                UserName = (receiver as Session)?.UserName,
                Filter = filter,
                Granted = options.MaximumQoS,
                Replaced = existing is not null,
            });
        }

        // In the tree first: a value set from here on arrives as an ordinary message, one set before is met by the walk.
        if (WantsRetained(subscription, existing)) receiver.QueueRetained(lease, Retained.Walk(filter), subscription);
        return (ReasonCode)options.MaximumQoS;
    }

    /// <summary>Ends a subscription. Messages already begun or queued are still delivered [MQTT-3.10.4-3].</summary>
    /// <param name="receiver">The receiver.</param>
    /// <param name="lease">Of a session, its connection's right.</param>
    /// <param name="filter">The filter, shared or not.</param>
    /// <param name="completion">What the acknowledgement waits for.</param>
    /// <returns>Success, or 0x11 when there was none.</returns>
    public ReasonCode Unsubscribe(Receiver receiver, ConnectionLease lease, ReadOnlySpan<byte> filter, out Completion? completion)
    {
        if (receiver.TryUnsubscribe(lease, filter, out completion) is not { } removed) return ReasonCode.NoSubscriptionExisted;
        SyncTree(receiver, removed.Filter);
        if (IsOwnCheck(receiver, filter)) return ReasonCode.Success;
        Events.SubscriptionRemoved(new SubscriptionRemovedEvent { ClientId = receiver.Id, Filter = filter, Cause = SubscriptionEnd.Unsubscribed });
        return ReasonCode.Success;
    }

    // What the broker asks of itself under $SYS happens again and again, and is nobody's business; nor is what only notes a token.
    private static bool IsOwnCheck(Receiver receiver, ReadOnlySpan<byte> filter) =>
        receiver is LocalClient ? IsSys(filter) : filter.StartsWith(ReservedIds.ObservationToken);

    /// <summary>
    /// Makes the tree agree with the receiver's own list about one filter. While a session changes hands two connections may change the same filter at once;
    /// the list, which asks for the lease, decides, and whoever comes last to the tree has seen the list's last word.
    /// </summary>
    internal void SyncTree(Receiver receiver, byte[] filter)
    {
        Subscription? current = receiver.FindSubscription(filter);
        Subscription? written;
        do
        {
            written = current;
            if (written is null) Subscriptions.Remove(receiver, filter);
            else Subscriptions.Add(written);
            current = receiver.FindSubscription(filter);
        }
        while (!ReferenceEquals(current, written));
    }

    // A shared subscription gets no retained messages (4.8.2).
    private bool WantsRetained(Subscription subscription, Subscription? existing) => !subscription.IsShared && Retained.Count > 0
        && subscription.Options.RetainHandling switch
        {
            RetainHandling.SendOnSubscribe => true,
            RetainHandling.SendIfNew => existing is null,
            _ => false,
        };
}
