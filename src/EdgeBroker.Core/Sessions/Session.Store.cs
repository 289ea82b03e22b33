using EdgeBroker.Core.Cluster;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Limits;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Sessions;

// The session and its journal: what it leaves on disk, what it waits for, what it reads back.
public sealed partial class Session : IStoredSessionOwner
{
    /// <summary>Whether what waits for the session waits on disk, too.</summary>
    private bool IsStored => _store.Session is not null && OutlivesConnection;

    /// <inheritdoc/>
    void IStoredSessionOwner.OnCommitted()
    {
        _environment.Loops.Begin();
        try
        {
            lock (SyncRoot.Alone())
            {
                if (HasEnded) return;
                if (MoveChanged is null) _queue.Spill();
                AccountQueues();
                // QoS 2 that may be sent now, PUBRELs that may be, messages that can be read back now.
                if (_queue.Count > 0 || _window.HasReleases) _link?.RequestPump();
            }
        }
        finally
        {
            _environment.Loops.End();
        }
    }

    /// <inheritdoc/>
    void IStoredSessionOwner.OnLoaded(IReadOnlyList<LoadedDelivery> deliveries)
    {
        _environment.Loops.Begin();
        try
        {
            Deferred deferred;
            lock (SyncRoot.Alone())
            {
                if (HasEnded) return;
                _queue.Fill(deliveries);
                MoveChanged?.Invoke();
                if (_link is not null) _link.RequestPump();
                else if (MoveChanged is null) _queue.Unload();
                deferred = TakeDeferred();
            }

            deferred.Complete();
        }
        finally
        {
            _environment.Loops.End();
        }
    }

    /// <summary>A session as it was before the process began.</summary>
    internal static Session Restore(RestoredSession restored, SessionEnvironment environment, Holder? holder)
    {
        var session = new Session(restored.Stored.ClientId, environment);
        session._store.Open(restored.Stored, session);
        session._lifetime.Restore(restored, environment.Clock.NowMs + (long)environment.Options.RestartWillDelay.TotalMilliseconds);
        session._window.Restore(restored);
        session._received.Restore(restored.ReceivedIds);
        session._rules = SessionRules.Of(restored.QueuePolicy, judge: null, moveChanged: null);
        restored.Sort();
        if (restored.Queue.Count > 0) session._queue = new MessageQueue(environment.Ledger, restored.Queue, restored.QueueBytes);
        environment.Ledger.Account(MemoryKind.Sessions, session.MemoryBytes);
        lock (session.SyncRoot.Alone())
        {
            session.Pass(holder, isNew: true);
            session.HoldWill(restored.Will);
            session.AccountQueues();
        }

        return session;
    }

    /// <summary>A subscription it had; when sessions are restored.</summary>
    internal void RestoreSubscription(Topics.Subscription subscription)
    {
        lock (SyncRoot.Alone())
        {
            _subscriptions.Set(subscription);
            _holder?.CountFilters(1);
        }
    }

    /// <summary>
    /// The message has reached everyone it is for: the identifier it was received under goes with it into one transaction. Neither order of two would do: an
    /// identifier alone passes the client's repetition off as known, and the message is lost; a message alone is repeated.
    /// </summary>
    internal void StoreReceived(ref PublishRecord? record, ushort packetId)
    {
        lock (SyncRoot.Alone())
        {
            if (HasEnded || !IsStored || !_received.Contains(packetId)) return;
            record ??= new PublishRecord(null);
            record.AddReceivedId(_store.Session!, packetId);
            _received.Store(record);
        }
    }

    /// <summary>Begins to be stored, or goes on, with a new connection or without one.</summary>
    private void SaveState(Epoch epoch = default)
    {
        SyncRoot.MustBeHeld();
        if (_store.Session is null)
        {
            // One that ends with its connection is there for its will: whoever watches is to hear that the client is gone after a power cut as well.
            if ((!OutlivesConnection && _lifetime.Will is null) || !Journal.IsDurable) return;
            _store.Open(Journal.Open(Id), this);
        }

        Journal.Append(_lifetime.ToFact(_store.Session!, isConnected: _link is not null, _window.SentPosition, _rules?.Policy, _holder, epoch));
    }

    /// <summary>Records on disk that a message waits for this session, where that is to outlive the process.</summary>
    private void Store(ref QueuedMessage delivery, PublishRecord? record)
    {
        SyncRoot.MustBeHeld();
        if (!IsStored) return;
        // A client that is there acknowledges QoS 1 at once, as a rule, which releases the publisher; QoS 2 it is to see when that is on disk. For a record of
        // the delivery alone no publisher waits.
        bool isThere = _link is not null;
        bool isAwaited = delivery.QoS == QoS.ExactlyOnce ? isThere || record is not null : !isThere && record is not null;
        _store.Add(Journal, ref delivery, record, isAwaited);
    }
}
