using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Ports;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Sessions;

// The end of a session, and what it leaves to others.
public sealed partial class Session
{
    /// <summary>Ends the session for good; null when it has ended before, or, asked by time, when a connection has come meanwhile.</summary>
    internal SessionEnding? End(bool onlyIfDetached) => End(onlyIfDetached, connection: null, out _);

    /// <summary>The same, while it has a certain connection, or had it last.</summary>
    /// <param name="onlyIfDetached">Whether a connection keeps it.</param>
    /// <param name="connection">The number of the connection that is meant; null: any.</param>
    /// <param name="isOther">Whether it has another one.</param>
    internal SessionEnding? End(bool onlyIfDetached, string? connection, out bool isOther)
    {
        lock (SyncRoot.Alone())
        {
            isOther = !HasEnded && connection is not null && connection != NumberOf(_lifetime.Generation);
            if (HasEnded || isOther || (onlyIfDetached && _link is not null)) return null;
            return EndLocked();
        }
    }

    /// <summary>Ends it since its client comes again and begins anew; null when it has ended before.</summary>
    internal SessionEnding? GiveWay()
    {
        lock (SyncRoot.Alone())
        {
            if (HasEnded) return null;
            bool isBack = _lifetime.AwaitsReturn;
            SessionEnding ending = EndLocked();
            return isBack ? ending with { Will = null } : ending;
        }
    }

    /// <summary>Another member of the group has the message: this session is done with it.</summary>
    internal void Forget(OrphanedMessage orphan)
    {
        Deferred deferred;
        lock (SyncRoot.Alone())
        {
            _store.Remove(Journal, new QueuedMessage { Stored = orphan.Stored });
            deferred = TakeDeferred();
        }

        deferred.Complete();
    }

    private SessionEnding EndLocked()
    {
        SyncRoot.MustBeHeld();
        // One that no connection has had yet was never accounted.
        if (!_lifetime.IsNew) Ledger.Release(MemoryKind.Sessions, MemoryBytes);
        Will? will = _lifetime.End();
        ReleaseWill(will);
        PassToNobody();
        ISessionLink? link = _link;
        Volatile.Write(ref _link, null);
        _retained.End();
        List<OrphanedMessage> orphans = [];
        int dropped = 0;
        RemoveSuperseded(all: true);
        List<SpilledDelivery> spilled = _queue.TakeSpilled();
        // A QoS 2 message whose delivery has begun goes to no other member [MQTT-4.8.2-5].
        foreach (QueuedMessage open in _window.ToList()) GatherOrphan(open, begun: true, orphans, spilled, ref dropped);
        while (_queue.Count > 0) GatherOrphan(_queue.Dequeue(_store.Session), begun: false, orphans, spilled, ref dropped);
        dropped += spilled.Count(one => (one.Options & DeliveryOptions.IsShared) == 0);
        var ending = new SessionEnding(link, will, _subscriptions.TakeAll(), orphans, dropped, _store.Close(), spilled, TakeDeferred());
        // Matches of topics that nobody publishes to any more may refer to the session for long: not to its messages.
        _window = new SendWindow();
        return ending;
    }

    private void GatherOrphan(in QueuedMessage open, bool begun, List<OrphanedMessage> orphans, List<SpilledDelivery> spilled, ref int dropped)
    {
        SyncRoot.MustBeHeld();
        if (open is { Message: null, State: DeliveryState.Queued, IsLost: false })
        {
            spilled.Add(MessageQueue.ToSpilled(open));
            return;
        }

        if (open is { Message: not null, SharedFilter: not null } && !(begun && open.QoS == QoS.ExactlyOnce))
        {
            open.Message.Release(Ledger);
            orphans.Add(new OrphanedMessage(open.Message, open.SharedFilter, open.Stored));
            return;
        }

        if (open.Message is not null || open.State == DeliveryState.Published) dropped++;
        Finish(open);
    }
}
