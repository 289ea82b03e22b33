using System.Collections.Concurrent;
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

// What outlives the process: restored at the start, kept in order while it runs.
public sealed partial class Broker
{
    // Sessions whose queues are looked after in one call.
    private const int SessionsPerSweep = 64;

    private readonly ConcurrentQueue<(SharedMessageTransfer Transfer, IReadOnlyList<LoadedDelivery> Loaded)> _handedOver = new();
    private readonly ConcurrentQueue<(string PublisherId, Action Action)> _waitingForStore = new();
    private IEnumerator<KeyValuePair<string, Session>>? _sweep;

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
        _deadlines.Set(session, session.RestoredDueMs);
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

        foreach (SharedGroup group in match.Groups)
        {
            foreach (Subscription subscription in group.Members)
            {
                if (subscription.Options.MaximumQoS != QoS.AtMostOnce && subscription.Receiver.IsDurable) return true;
            }
        }

        return false;
    }

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

    /// <summary>Has the store forget an ended session, as soon as another member has what of a shared subscription it left on disk.</summary>
    private void Delete(Session session, StoredSession stored, List<SpilledDelivery> spilled)
    {
        List<SpilledDelivery> shared = spilled.FindAll(one => (one.Options & DeliveryOptions.IsShared) != 0);
        if (shared.Count == 0)
        {
            stored.Owner = null;
            Journal.Append(new SessionDeleted(stored, spilled));
            return;
        }

        Journal.Append(new SessionEnded(stored));
        stored.Owner = new SharedMessageTransfer(this, session, stored, spilled, shared.Count);
        Journal.Load(stored, shared);
    }

    private void MaintainStore(long nowMs)
    {
        while (_handedOver.TryDequeue(out (SharedMessageTransfer Transfer, IReadOnlyList<LoadedDelivery> Loaded) part)) HandOver(part.Transfer, part.Loaded);
        if (Journal.IsDurable) AnnounceStore();
        RetryHeldPublishers(nowMs);
    }

    /// <summary>Looks after the queues of some sessions, and goes on with others the next time.</summary>
    private void SweepQueues(long nowMs)
    {
        _sweep ??= _sessions.GetEnumerator();
        for (int i = 0; i < SessionsPerSweep; i++)
        {
            if (!_sweep.MoveNext())
            {
                _sweep.Dispose();
                _sweep = null;
                return;
            }

            Session session = _sweep.Current.Value;
            CountDropped(session, session.SweepQueue(nowMs), _ownContext);
        }
    }

    private void HandOver(SharedMessageTransfer transfer, IReadOnlyList<LoadedDelivery> loaded)
    {
        foreach (LoadedDelivery one in loaded)
        {
            if (one is { Message: not null, SharedFilter: not null })
            {
                Reassign(new OrphanedMessage(one.Message, one.SharedFilter, null), transfer.From, _ownContext);
            }
            else
            {
                CountDropped(transfer.From, 1, DropReason.StoreDamaged, _ownContext);
            }
        }

        transfer.Awaited -= loaded.Count;
        if (transfer.Awaited > 0) return;
        transfer.Stored.Owner = null;
        Journal.Append(new SessionDeleted(transfer.Stored, transfer.Spilled));
    }

    /// <summary>The messages of shared subscriptions an ended session left on disk, on their way to other members.</summary>
    private sealed class SharedMessageTransfer(Broker broker, Session from, StoredSession stored, List<SpilledDelivery> spilled, int awaited)
        : IStoredSessionOwner
    {
        public Session From { get; } = from;

        public StoredSession Stored { get; } = stored;

        public List<SpilledDelivery> Spilled { get; } = spilled;

        public int Awaited { get; set; } = awaited;

        public void OnCommitted()
        {
        }

        public void OnLoaded(IReadOnlyList<LoadedDelivery> deliveries) => broker._handedOver.Enqueue((this, deliveries));
    }
}
