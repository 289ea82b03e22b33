using EdgeBroker.Core.Events;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Topics;

namespace EdgeBroker.Core;

// Messages to their receivers: those of a batch segment by segment, others one by one.
public sealed partial class Broker
{
    /// <summary>Delivers what waits. Called by the context's owner when all has been received, and before anything that must not overtake it.</summary>
    /// <param name="batch">The messages; null: none can wait.</param>
    /// <param name="context">The caller's context.</param>
    public void Deliver(MessageBatch? batch, RoutingContext context)
    {
        if (batch is null or { Count: 0 }) return;
        try
        {
            context.Match(batch);
            for (int start = 0; start < batch.Count;)
            {
                MessageSegment segment = batch.SegmentAt(start);
                Deliver(segment, context);
                start += segment.Count;
            }
        }
        finally
        {
            batch.Clear();
        }

        if (context.Isolated.Count > 0) ConcludeIsolated(context);
    }

    private void Deliver(in MessageSegment segment, RoutingContext context)
    {
        context.Forms?.Reset();
        MatchResult match = segment.Match;
        Receiver? publisher = segment.Publisher;
        // Told of one by one, and so delivered one by one.
        bool isTold = Events.Wants(EventKinds.MessageDelivered);
        foreach (Subscription subscription in match.Plain)
        {
            // For most messages For() is one comparison; it matters only where a receiver hears itself.
            if (subscription.For(publisher) is { } own && (isTold || !TryDeliver(segment, own, context))) DeliverSingly(segment, own, context);
        }

        if (context.IsOfPeer) return;
        if (match.IsEmpty) context.Counters.Unrouted += segment.Count;
        if (match.Groups.Length > 0) DeliverToGroups(segment, match, context);
        if (match.Peers.Length == 0) return;
        foreach (PeerInterest peer in match.Peers) TryDeliver(segment, peer, context);
    }

    private bool TryDeliver(in MessageSegment segment, Subscription to, RoutingContext context)
    {
        try
        {
            return to.Receiver.TryDeliver(segment, to, context);
        }
        catch (Exception exception)
        {
            Isolate(to.Receiver, exception, context);
            return true;
        }
    }

    /// <summary>For a receiver that needs each message in a form of its own, or has no room for all.</summary>
    private void DeliverSingly(in MessageSegment segment, Subscription to, RoutingContext context)
    {
        for (int i = 0; i < segment.Count; i++)
        {
            Publication message = segment[i];
            context.BeginOne(message);
            CountDropped(to.Receiver, DeliverTo(to, message, context), context);
            if (context.Owned is { } owned) segment.KeepOwned(i, owned);
            context.End();
        }
    }

    private void DeliverToGroups(in MessageSegment segment, MatchResult match, RoutingContext context)
    {
        for (int i = 0; i < segment.Count; i++)
        {
            Publication message = segment[i];
            context.BeginOne(message);
            foreach (SharedGroup group in match.Groups) DeliverToOne(group, message, context, except: null);
            context.End();
        }
    }

    /// <summary>Hands a message to one member of a shared group, or to another node for one there.</summary>
    private DeliveryOutcome DeliverToOne(SharedGroup group, in Publication message, RoutingContext context, Receiver? except, bool withPeers = true)
    {
        while (group.Next(message.QoS, except, withPeers) is { } member)
        {
            DeliveryOutcome outcome = DeliverTo(member, message, context);
            CountDropped(member.Receiver, outcome, context);
            // A receiver that ended since it was chosen is not chosen again.
            if (outcome.Result != DeliveryResult.Ignored || member.Receiver.Readiness != ReceiverReadiness.Gone) return outcome;
        }

        return DeliveryOutcome.Ignored;
    }
}
