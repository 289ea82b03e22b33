using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Security;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Topics;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core;

// Filters come and go.
public sealed partial class Broker
{
    /// <summary>Subscribes a session to one filter, whose form the codec has checked, and owes it the retained messages its options ask for.</summary>
    /// <param name="lease">The connection's right.</param>
    /// <param name="filter">The filter, shared or not.</param>
    /// <param name="options">The options asked for.</param>
    /// <param name="identifier">Subscription identifier; 0: none.</param>
    /// <param name="permissions">What the client may do.</param>
    /// <param name="completion">What SUBACK waits for.</param>
    /// <returns>The granted QoS, or why not.</returns>
    public ReasonCode Subscribe(
        ConnectionLease lease, ReadOnlySpan<byte> filter, SubscriptionOptions options, uint identifier, Permissions permissions, out Completion? completion)
    {
        completion = null;
        ReasonCode refusal = JudgeSubscribe(filter, permissions, ref options, out ReadOnlySpan<byte> topicFilter);
        if (refusal != ReasonCode.Success) return refusal;
        var subscription = new Subscription(lease.Session, filter.ToArray(), options, identifier);
        if (!lease.Session.TrySubscribe(lease, subscription, out Subscription? existing, out completion)) return ReasonCode.QuotaExceeded;
        Align(lease.Session, subscription.Filter);
        // In the tree first: a value set from here on arrives as an ordinary message, one set before is met by the walk.
        if (WantsRetained(subscription, existing)) lease.Session.QueueRetained(lease, Retained.Walk(topicFilter), subscription);
        return (ReasonCode)options.MaximumQoS;
    }

    /// <summary>Ends a subscription. Messages already begun or queued are still delivered [MQTT-3.10.4-3].</summary>
    /// <returns>Success, or 0x11 when there was none.</returns>
    public ReasonCode Unsubscribe(ConnectionLease lease, ReadOnlySpan<byte> filter, out Completion? completion)
    {
        if (lease.Session.TryUnsubscribe(lease, filter, out completion) is not { } removed) return ReasonCode.NoSubscriptionExisted;
        Align(lease.Session, removed.Filter);
        return ReasonCode.Success;
    }

    /// <summary>
    /// Makes the tree agree with the receiver's own list about one filter. While a session changes hands two connections may change the same filter at once;
    /// the list, which asks for the lease, decides, and whoever comes last to the tree has seen the list's last word.
    /// </summary>
    private void Align(Receiver receiver, byte[] filter)
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

    private ReasonCode JudgeSubscribe(
        ReadOnlySpan<byte> filter, Permissions permissions, ref SubscriptionOptions options, out ReadOnlySpan<byte> topicFilter)
    {
        if (!TopicFilter.TrySplitShared(filter, out _, out topicFilter)) topicFilter = filter;
        if (TopicName.CountLevels(topicFilter) > Options.MaxTopicLevels) return ReasonCode.TopicFilterInvalid;
        if (!permissions.MaySubscribe(topicFilter)) return ReasonCode.NotAuthorized;
        if (!Limits.Ledger.HasRoomFor(SubscriptionTree.SubscriptionBytes + filter.Length))
        {
            Limits.Count(LimitKind.MaxMemory, LimitAction.Refused);
            return ReasonCode.QuotaExceeded;
        }

        QoS most = permissions.MaximumQoS(topicFilter);
        if (options.MaximumQoS > most) options = new SubscriptionOptions(most, options.NoLocal, options.RetainAsPublished, options.RetainHandling);
        return ReasonCode.Success;
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
