using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Topics;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core;

// What outlives the process: restored at the start, kept in order while it runs.
public sealed partial class Broker
{
    // Sessions whose queues are looked after in one call.
    private const int SessionsPerSweep = 64;

    /// <summary>Takes over a session the store has kept. Before the first connection.</summary>
    public void Restore(RestoredSession restored)
    {
        if (restored.Stored.ClientId.StartsWith(ReservedIds.Node, StringComparison.Ordinal))
        {
            _restoredPeers.Add(restored);
            return;
        }

        Holder? holder = Limits.Holders.Use(restored.UserName is null ? restored.Holder : new HolderKey(restored.UserName, ClientNetwork.None));
        Session session = Session.Restore(restored, _environment, holder);
        holder?.Release();
        // One that is over ends when its time, which has come, is looked at; whoever uses its client id is another one.
        if (!restored.IsEnded) _sessions[session.Id] = session;
        foreach (RestoredSubscription one in restored.Subscriptions)
        {
            var subscription = new Subscription(session, one.Filter, one.Options, one.Identifier);
            session.RestoreSubscription(subscription);
            Subscriptions.Add(subscription);
        }

        _environment.StoreUsers.Update(session);
        _sessions.Deadlines.Set(session, session.RestoredDueMs);
    }

    /// <summary>Whether a message cannot be acknowledged without the store.</summary>
    private static bool NeedsStore(in Publication publication, RoutingContext context)
    {
        if (publication.Retain || (publication.ReceivedId != 0 && publication.Publisher is { IsDurable: true })) return true;
        MatchResult match = context.Begin(publication);
        context.End();
        foreach (Subscription subscription in match.Plain)
        {
            if (subscription.Options.MaximumQoS != QoS.AtMostOnce && subscription.Receiver.IsDurable) return true;
        }

        if (context.IsOfPeer) return false;
        foreach (PeerInterest peer in match.Peers)
        {
            if (peer.Options.MaximumQoS != QoS.AtMostOnce) return true;
        }

        return Array.Exists(match.Groups, NeedsStore);
    }

    private static bool NeedsStore(SharedGroup group) =>
        Array.Exists(group.Members, one => one.Options.MaximumQoS != QoS.AtMostOnce && one.Receiver.IsDurable)
        || Array.Exists(group.Peers, one => one.Options.MaximumQoS != QoS.AtMostOnce);

    /// <summary>Appends what a routed message leaves on disk. Its acknowledgement waits for the completion returned.</summary>
    private Completion? RecordPublish(in Publication publication, Completion? retained, RoutingContext context, ReasonCode reason)
    {
        PublishRecord? record = context.TakeRecord();
        Completion? room = context.TakeRoom();
        context.End();
        if (record is not null && context.Origin is { } origin)
        {
            record.AddOrigin(origin);
            // Seen by a receiver and not known any more after a power cut, it would come a second time.
            if (publication.QoS == QoS.ExactlyOnce) record.RequireCommit();
        }

        if (publication is { ReceivedId: not 0, Publisher: Session publisher } && !(publication.RefusalIsTold && reason.IsError()))
        {
            publisher.StoreReceived(ref record, publication.ReceivedId);
        }

        if (record is null) return Completion.Both(retained, room);
        // The value of its topic is in the journal before it: its own commit speaks for both.
        if (retained is not null) record.RequireCommit();
        Journal.Append(record);
        record.Seal();
        return Completion.Both(Completion.Both(retained, record), room);
    }

    private void MaintainStore(long nowMs)
    {
        _transfers.RunDue(_ownContext);
        // Whether the store can take more is told at once, not with the next update of $SYS.
        _sys?.PublishStoreState(_ownContext);
        _held.RunDue(nowMs);
    }

    /// <summary>Looks after the queues of some sessions, and goes on with others the next time.</summary>
    private void SweepQueues(long nowMs)
    {
        for (int i = 0; i < SessionsPerSweep && _sessions.NextOfSweep() is { } session; i++)
        {
            CountDropped(session, session.SweepQueue(nowMs), _ownContext);
        }
    }
}
