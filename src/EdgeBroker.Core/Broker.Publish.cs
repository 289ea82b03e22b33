using EdgeBroker.Core.Cluster;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Topics;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core;

/// <summary>What became of a publish.</summary>
/// <param name="Reason">Success, 0x10 when nobody subscribes, or 0x97 when a queue that must not overflow, or the store, is full.</param>
/// <param name="Completion">What the publisher's acknowledgement waits for.</param>
/// <param name="Cause">Why it was refused, and by which key; null: it was not.</param>
/// <param name="IsHeld">Whether nothing was done because the store cannot take it: it may be brought again, see <see cref="Broker.WhenStoreRecovers"/>.</param>
public readonly record struct PublishOutcome(ReasonCode Reason, Completion? Completion, string? Cause = null, bool IsHeld = false)
{
    /// <summary>Of one that is held: whether that is a matter of a moment, and nobody needs to be told.</summary>
    public bool IsBrief { get; init; }

    /// <summary>The limit that stands in the way; null: none does. Whoever brings the message counts it.</summary>
    public LimitKind? Limit { get; init; }
}

// One message to all who want it: match first, copy once.
public sealed partial class Broker
{
    private const string QueueIsFull = "the queue of a subscriber is full (mqtt.max_queued_messages, mqtt.max_queued_bytes)";

    /// <summary>Routes a message to every matching receiver and keeps it when it is retained.</summary>
    /// <param name="publication">The message; its topic is valid and permitted.</param>
    /// <param name="context">The caller's context.</param>
    /// <param name="batch">Where the message may wait for others, if it is one that may; null: it goes at once.</param>
    public PublishOutcome Publish(in Publication publication, RoutingContext context, MessageBatch? batch = null)
    {
        // What a message is given on its way makes another one of it: each of these steps hands that on to the next. Nearly all go straight through.
        if (Stamps is { } stamps && publication is { Retain: true, Stamp.IsNone: true } && !IsSys(publication.Topic))
        {
            return stamps.TryNext(out Stamp stamp)
                ? PublishStamped(publication with { Stamp = stamp, Owned = null }, context, batch)
                : new PublishOutcome(ReasonCode.QuotaExceeded, null, StampsAreUsedUp, IsHeld: publication.QoS != QoS.AtMostOnce);
        }

        return PublishStamped(publication, context, batch);
    }

    private PublishOutcome PublishStamped(in Publication publication, RoutingContext context, MessageBatch? batch) =>
        _ways.AreSeveral && Identify(publication, context) is { } identified
            ? PublishIdentified(publication with { Properties = identified, Packet = default, Owned = null }, context, batch)
            : PublishIdentified(publication, context, batch);

    private PublishOutcome PublishIdentified(in Publication publication, RoutingContext context, MessageBatch? batch)
    {
        if (FindObstacle(publication, context, out LimitKind? limit) is { } obstacle)
        {
            bool isBrief = ReferenceEquals(obstacle, StoreIsBusy);
            // QoS 0 is not worth waiting for longer than a moment.
            bool isHeld = isBrief || publication.QoS != QoS.AtMostOnce;
            if (!isHeld) context.Counters.CountDropped(DropReason.StoreFull);
            return new PublishOutcome(ReasonCode.QuotaExceeded, null, obstacle, isHeld) { IsBrief = isBrief, Limit = limit };
        }

        return Events.Wants(EventKinds.MessageFollowed) && publication.Passage is null && !IsSys(publication.Topic)
            && Events.Follow(publication) is { } passage
            ? PublishFollowed(publication with { Passage = passage, Owned = null }, passage, context)
            : Take(publication, context, batch);
    }

    /// <summary>A message that nothing stands against: it waits with others, or goes to its receivers now.</summary>
    private PublishOutcome Take(in Publication publication, RoutingContext context, MessageBatch? batch)
    {
        // Of one with a condition it is known only later whether it is published at all.
        bool isTold = Events.Wants(EventKinds.MessagePublished) && !IsSys(publication.Topic);
        if (isTold && publication.Condition is null) Events.MessagePublished(publication);
        if (batch is not null && publication.Passage is null && context.HasSubscribers && MessageBatch.MayHold(publication))
        {
            while (!batch.TryAdd(publication)) Deliver(batch, context);
            return new PublishOutcome(ReasonCode.Success, null);
        }

        // What waits came earlier.
        Deliver(context.Batch, context);
        PublishOutcome outcome;
        try
        {
            outcome = Route(publication, context);
            if (isTold && publication.Condition is { HasFailed: false }) Events.MessagePublished(publication);
        }
        catch
        {
            // Sessions that took it wait for what it leaves on disk.
            Abandon(publication, context);
            throw;
        }

        if (context.Isolated.Count > 0) ConcludeIsolated(context);
        return outcome;
    }

    /// <summary>A message whose way is told of. It waits for no others, since a batch is delivered without a look at one of it.</summary>
    private PublishOutcome PublishFollowed(in Publication publication, MessagePassage passage, RoutingContext context)
    {
        passage.TakenAt = Clock.Timestamp;
        PublishOutcome outcome = Take(publication, context, batch: null);
        ReasonCode reason = outcome.Reason;
        double routedMs = Clock.MillisecondsSince(passage.TakenAt);
        if (outcome.Completion is { IsDone: false } completion) completion.WhenDone(() => TellAcknowledged(passage, routedMs, true, reason));
        else TellAcknowledged(passage, routedMs, false, reason);
        return outcome;
    }

    private void TellAcknowledged(MessagePassage passage, double routedMs, bool hasWaited, ReasonCode reason) => Events.MessageAcknowledged(
        new AcknowledgedEvent(passage, routedMs, hasWaited ? Clock.MillisecondsSince(passage.TakenAt) : routedMs, hasWaited, reason));

    private PublishOutcome Route(in Publication publication, RoutingContext context)
    {
        Completion? retained = null;
        // Kept before it is matched, as a subscription is in the tree before its retained messages are looked for: who subscribes just now gets it
        // one way or the other.
        if (publication.Retain && Options.RetainAvailable)
        {
            retained = Retained.Set(publication, Clock.NowMs, out RetainedChange change);
            if (publication.Condition is { HasFailed: true })
            {
                const ReasonCode Failed = ReasonCode.ImplementationSpecificError;
                return new PublishOutcome(Failed, RecordPublish(publication, null, context, Failed));
            }

            TellRetained(publication, change);
        }

        MatchResult match = context.Begin(publication);
        if (match.IsEmpty)
        {
            if (!context.IsOfPeer && !IsSys(publication.Topic)) context.Counters.Unrouted++;
            return new PublishOutcome(ReasonCode.NoMatchingSubscribers, RecordPublish(publication, retained, context, ReasonCode.Success));
        }

        var reason = ReasonCode.Success;
        foreach (Subscription subscription in match.Plain)
        {
            // For most messages For() is one comparison; it matters only where a receiver hears itself.
            if (subscription.For(publication.Publisher) is not { } own) continue;
            DeliveryOutcome outcome = DeliverTo(own, publication, context);
            CountDropped(own.Receiver, outcome, context);
            if (outcome.Result == DeliveryResult.Refused) reason = ReasonCode.QuotaExceeded;
        }

        if (context.IsOfPeer) return new PublishOutcome(reason, RecordPublish(publication, retained, context, reason), reason.IsError() ? QueueIsFull : null);
        foreach (SharedGroup group in match.Groups)
        {
            if (DeliverToOne(group, publication, context, except: null).Result == DeliveryResult.Refused) reason = ReasonCode.QuotaExceeded;
        }

        foreach (PeerInterest peer in match.Peers) CountDropped(peer.Receiver, DeliverTo(peer, publication, context), context);
        return new PublishOutcome(reason, RecordPublish(publication, retained, context, reason), reason.IsError() ? QueueIsFull : null);
    }

    /// <summary>Sends what a session has room for: the rest of its last connection, its queue, retained messages owed.</summary>
    public void Pump(ConnectionLease lease, RoutingContext context)
    {
        CountDropped(lease.Session, lease.Session.Pump(lease, context), context);
        CountDropped(lease.Session, lease.Session.PumpRetained(lease, context, Clock.NowMs), context);
    }

    /// <summary>What goes on to several brokers gets an identity, by which the last of them knows that it came by several ways.</summary>
    private byte[]? Identify(in Publication publication, RoutingContext context) =>
        Ingress.CopyGuard is { } guard && context.HasSeveralWays(publication.Topic, _ways) ? guard.Identify(publication) : null;

    private void CountDropped(Receiver receiver, in DeliveryOutcome outcome, RoutingContext context)
    {
        if (outcome.Dropped > 0) CountDropped(receiver, outcome.Dropped, outcome.Reason, context);
    }

    internal void CountDropped(Receiver receiver, int count, DropReason reason, RoutingContext context)
    {
        if (count == 0) return;
        context.Counters.CountDropped(reason, count);
        (receiver as Session)?.CountDropped(count);
        Events.MessagesDropped(new DroppedEvent(receiver.Id, reason, count));
    }
}
