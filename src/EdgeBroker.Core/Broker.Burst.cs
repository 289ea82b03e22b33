using System.Buffers;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Topics;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core;

// QoS 0 messages received together go to their subscribers together.
public sealed partial class Broker
{
    // A long message is worth its own way: copying it costs more than finding its subscribers. Payload and properties count.
    private const int LargestHeldBackBytes = 4 * 1024;

    /// <summary>From here to <see cref="EndReceive"/> QoS 0 messages may wait for those behind them.</summary>
    public static void BeginReceive(RoutingContext context) => context.OpenBurst();

    /// <summary>No further message may wait. What does is delivered here, or by the context's owner when it calls <see cref="FlushBurst"/>.</summary>
    public void EndReceive(RoutingContext context)
    {
        context.Burst.IsOpen = false;
        if (!context.WaitsForOwner) FlushBurst(context);
    }

    /// <summary>Delivers what waits. Whatever comes next then cannot overtake it.</summary>
    public void FlushBurst(RoutingContext context)
    {
        if (context.Burst.Waiting == 0) return;
        try
        {
            DeliverBurst(context);
        }
        finally
        {
            context.Receivers.Clear();
            context.Burst.Clear();
        }

        if (context.Isolated.Count > 0) ConcludeIsolated(context);
    }

    private void DeliverBurst(RoutingContext context)
    {
        PublishBurst burst = context.Burst;
        context.MatchBurst();
        while (burst.NextRun() is { } match)
        {
            bool alone = burst.IsOneRun || match.Groups.Length > 0;
            if (!alone && context.Receivers.TryAdd(burst.RunNumber, match.Plain, burst.Publisher)) continue;
            int run = burst.RunNumber;
            DeliverToReceivers(burst, context);
            burst.Select(run);
            if (alone || !context.Receivers.TryAdd(run, match.Plain, burst.Publisher)) DeliverRun(burst, match, context);
        }

        DeliverToReceivers(burst, context);
    }

    /// <summary>Keeps a message for the end of the burst; false when it has to go now.</summary>
    private bool TryHoldBack(in Publication publication, RoutingContext context)
    {
        PublishBurst burst = context.Burst;
        if (!burst.IsOpen || publication.QoS != QoS.AtMostOnce || publication.Retain || !context.HasSubscribers
            || publication.Payload.Length + publication.Properties.Length > LargestHeldBackBytes)
        {
            return false;
        }

        if (!burst.Accepts(publication)) FlushBurst(context);
        burst.Add(publication);
        return true;
    }

    /// <summary>Delivers the current run to all its subscribers.</summary>
    private void DeliverRun(PublishBurst burst, MatchResult match, RoutingContext context)
    {
        foreach (Subscription subscription in match.Plain)
        {
            if (subscription.For(burst.Publisher) is not { } own) continue;
            if (own.Identifiers is not null || !TryDeliverBurst(own.Receiver, burst, context)) DeliverSingly(burst, own, context);
        }

        if (match.Groups.Length > 0) DeliverToGroups(burst, match, context);
    }

    /// <summary>Delivers all runs collected, session by session.</summary>
    private void DeliverToReceivers(PublishBurst burst, RoutingContext context)
    {
        BurstReceivers receivers = context.Receivers;
        for (int i = 0; i < receivers.Count; i++)
        {
            Receiver receiver = receivers.Get(i, out int delivery);
            while (DeliverBurst(receiver, burst, receivers, ref delivery, context) is { } left) DeliverSingly(burst, left, context);
        }

        receivers.Clear();
    }

    private Subscription? DeliverBurst(Receiver receiver, PublishBurst burst, BurstReceivers receivers, ref int delivery, RoutingContext context)
    {
        try
        {
            return receiver.DeliverBurst(burst, receivers, ref delivery, context);
        }
        catch (Exception exception)
        {
            Isolate(receiver, exception, context);
            return null;
        }
    }

    private bool TryDeliverBurst(Receiver receiver, PublishBurst burst, RoutingContext context)
    {
        try
        {
            return receiver.TryDeliverBurst(burst, context);
        }
        catch (Exception exception)
        {
            Isolate(receiver, exception, context);
            return true;
        }
    }

    /// <summary>Hands each message of the run to one member of each group.</summary>
    private void DeliverToGroups(PublishBurst burst, MatchResult match, RoutingContext context)
    {
        context.HasSeveralReceivers = false;
        byte[] scratch = ArrayPool<byte>.Shared.Rent(LargestHeldBackBytes);
        for (int position = 0; burst.TryRead(ref position, scratch, context.Properties, out Publication publication);)
        {
            foreach (SharedGroup group in match.Groups) DeliverToOne(group, publication, context, except: null);
            context.End();
        }

        ArrayPool<byte>.Shared.Return(scratch);
    }

    /// <summary>For a subscriber that needs each message in a form of its own, or has no room for all.</summary>
    private void DeliverSingly(PublishBurst burst, Subscription subscription, RoutingContext context)
    {
        context.HasSeveralReceivers = false;
        byte[] scratch = ArrayPool<byte>.Shared.Rent(LargestHeldBackBytes);
        for (int position = 0; burst.TryRead(ref position, scratch, context.Properties, out Publication publication);)
        {
            CountDropped(subscription.Receiver, DeliverTo(subscription, publication, context), context);
            context.End();
        }

        ArrayPool<byte>.Shared.Return(scratch);
    }
}
