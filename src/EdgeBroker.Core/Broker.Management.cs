using EdgeBroker.Core.Events;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Management;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Retained;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core;

// What is done to it from outside, on threads that serve no client.
public sealed partial class Broker
{
    /// <summary>Closes a client's connection, and ends its session if nothing is to be kept of it.</summary>
    /// <param name="clientId">The client id.</param>
    /// <param name="reason">What a 5.0 client hears.</param>
    /// <param name="forget">Whether its session ends as well.</param>
    /// <param name="publishWill">Of a session that ends: whether its will is published. One that stays has its will published as after any other end.</param>
    /// <param name="connection">The number of the connection that is meant; null: any.</param>
    public KickOutcome Kick(string clientId, ReasonCode reason, bool forget, bool publishWill, string? connection = null)
    {
        if (FindSession(clientId) is not { } session) return FindGatewayClient(clientId)?.Disconnect(connection) ?? KickOutcome.NotFound;
        using OwnCall call = BeginOwnCall();
        if (!forget)
        {
            return session.Close(reason, connection, out bool isOther) ? KickOutcome.Disconnected
                : isOther ? KickOutcome.ChangedMeanwhile : KickOutcome.NotConnected;
        }

        if (session.End(onlyIfDetached: false, connection, out bool hasChanged) is not { } ending)
        {
            return hasChanged ? KickOutcome.ChangedMeanwhile : KickOutcome.NotFound;
        }

        Finish(session, publishWill ? ending : ending with { Will = null }, call.Context, reason);
        return KickOutcome.Forgotten;
    }

    /// <summary>Drops what waits for a client; what is sent and not acknowledged stays.</summary>
    /// <param name="clientId">The client id.</param>
    /// <returns>How many messages; null: there is no such session.</returns>
    internal int? PurgeQueue(string clientId)
    {
        if (FindSession(clientId) is not { } session) return null;
        using OwnCall call = BeginOwnCall();
        int dropped = 0;
        // What comes meanwhile may stay, so this ends; nobody waits longer for the session's lock than a part of it takes.
        for (int rest = session.Backlog.Messages; rest > 0;)
        {
            int count = session.PurgeQueue(Math.Min(rest, MostDroppedAtOnce));
            if (count == 0) break;
            dropped += count;
            rest -= count;
        }

        CountDropped(session, dropped, DropReason.Purged, call.Context);
        return dropped;
    }

    /// <summary>Takes a subscription away from a client, who is not told: MQTT has no word for it.</summary>
    /// <param name="clientId">The client id.</param>
    /// <param name="filter">The filter, shared or not.</param>
    /// <param name="completion">What is to be on disk before it is gone for good; null: nothing.</param>
    /// <returns>Whether there was one; null: there is no such session.</returns>
    internal bool? RemoveSubscription(string clientId, byte[] filter, out Completion? completion)
    {
        completion = null;
        if (FindSession(clientId) is not { } session) return null;
        if (session.RemoveSubscription(filter, out completion) is not { } removed) return false;
        SyncTree(session, removed.Filter);
        Events.SubscriptionRemoved(new SubscriptionRemovedEvent { ClientId = clientId, Filter = filter, Cause = SubscriptionEnd.Administration });
        return true;
    }

    /// <summary>Deletes the retained message of a topic, and has subscribers hear of it as they do of a client's deletion: by an empty message.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="condition">What must hold of it; null: nothing.</param>
    /// <param name="completion">What is to be on disk before it is gone for good; null: nothing.</param>
    /// <returns>Whether there was one, and it is deleted.</returns>
    internal bool DeleteRetained(byte[] topic, RetainedCondition? condition, out Completion? completion)
    {
        QoS qos = Retained.Get(topic)?.QoS ?? QoS.AtMostOnce;
        completion = Retained.Delete(topic, condition, Clock.NowMs, out bool isFound);
        if (!isFound) return false;
        var deletion = new Publication { Topic = topic, QoS = qos, Retain = true, IsBrokersOwn = true };
        TellRetained(deletion, RetainedChange.Deleted);
        using OwnCall call = BeginOwnCall();
        PublishOutcome outcome = Publish(deletion, call.Context);
        completion = Completion.Both(completion, outcome.Completion);
        return true;
    }
}
