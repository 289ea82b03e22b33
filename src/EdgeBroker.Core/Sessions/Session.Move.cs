using EdgeBroker.Core.Cluster;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Topics;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Sessions;

// A session moves to another node: it is copied there as a whole, and what comes meanwhile is gathered there by a shadow, which becomes the session.
public sealed partial class Session
{
    private Action? MoveChanged => _rules?.MoveChanged;

    /// <summary>
    /// It is to move: from here on what is in memory of its queue stays there, so that <see cref="TryExport"/> finds all of it. False: it cannot move, since it
    /// ends with its connection, is a member of shared groups, or has a queue of its own kind.
    /// </summary>
    /// <param name="changed">Called when <see cref="TryExport"/> is worth another call; on any thread, under a lock.</param>
    internal bool TryPin(Action changed)
    {
        lock (SyncRoot.Alone())
        {
            if (HasEnded || !OutlivesConnection || MoveChanged is not null || _rules?.Policy is not null) return false;
            if (Array.Exists(_subscriptions.ToArray(), one => one.IsShared)) return false;
            _rules = SessionRules.Of(_rules?.Policy, _rules?.Judge, changed);
            return true;
        }
    }

    /// <summary>It stays after all, or has moved.</summary>
    internal void Unpin()
    {
        lock (SyncRoot.Alone())
        {
            _rules = SessionRules.Of(_rules?.Policy, _rules?.Judge, moveChanged: null);
            if (_link is not null || HasEnded) return;
            _queue.Spill();
            _queue.Unload();
            AccountQueues();
        }
    }

    /// <summary>
    /// Copies the whole session, once nobody is connected, all of it is in memory, and what it has received is on disk: identifiers that are not might pass the
    /// repetition of a message off as known that a power cut took back. The session stays as it is.
    /// </summary>
    /// <param name="hasFailed">Whether it cannot be had any more.</param>
    /// <returns>The copy; null: not yet.</returns>
    internal SessionSnapshot? TryExport(out bool hasFailed)
    {
        lock (SyncRoot.Alone())
        {
            hasFailed = HasEnded || MoveChanged is null || !OutlivesConnection;
            if (hasFailed || _link is not null) return null;
            if (_received.Stored is { IsDone: false } stored)
            {
                stored.WhenDone(MoveChanged!);
                return null;
            }

            return _queue.IsReading || ReadAll() ? null : Export();
        }
    }

    /// <summary>Asks the disk for all that waits there; false: nothing does.</summary>
    private bool ReadAll()
    {
        SyncRoot.MustBeHeld();
        if (_store.Session is not { } stored) return false;
        List<SpilledDelivery> wanted = _queue.TakeUnloaded(int.MaxValue, stored);
        if (wanted.Count == 0) return false;
        Journal.Load(stored, wanted);
        return true;
    }

    private SessionSnapshot Export()
    {
        SyncRoot.MustBeHeld();
        long nowMs = _environment.Clock.NowMs;
        var snapshot = new SessionSnapshot(Id)
        {
            UserName = _lifetime.Owner,
            ExpirySeconds = _lifetime.ExpirySeconds,
            EndsInMs = Math.Max(0, _lifetime.ExpiresAtMs - nowMs),
            Will = _lifetime.Will is { } will ? will with { Author = null } : null,
            WillInMs = Math.Max(0, _lifetime.DueMs - nowMs),
            LastPosition = _window.LastPosition,
            SentPosition = _window.SentPosition,
        };
        foreach (Subscription one in _subscriptions.ToArray())
        {
            snapshot.Subscriptions.Add(new SnapshotSubscription(one.Filter, one.Options, one.Identifiers is [var identifier, ..] ? identifier : 0));
        }

        snapshot.ReceivedIds.AddRange(_received.ToArray());
        List<QueuedMessage> open = _window.ToList();
        _queue.CopyTo(open);
        foreach (QueuedMessage one in open.OrderBy(one => one.Position))
        {
            // What PUBREC came for is released there by the commit that brings it.
            if (one.State is DeliveryState.Releasing or DeliveryState.Released) snapshot.Released.Add(one.Position);
            else if (one.Message is not null) snapshot.Messages.Add(new(one.Position, one.QoS, one.Retain, one.SubscriptionIdentifiers, one.Message));
        }

        return snapshot;
    }

    /// <summary>A shadow of another node's session: it gathers in memory what comes by the session's filters until that is here itself.</summary>
    internal static Session OpenShadow(string clientId, IEnumerable<SnapshotSubscription> subscriptions, SessionEnvironment environment)
    {
        var shadow = new Session(clientId, environment);
        shadow._lifetime.BeginShadow();
        environment.Ledger.Account(MemoryKind.Sessions, shadow.MemoryBytes);
        foreach (SnapshotSubscription one in subscriptions) shadow.RestoreSubscription(one.For(shadow));
        return shadow;
    }

    /// <summary>
    /// Makes the session of its shadow: what the snapshot has comes first, then what only the shadow has, told by stamps. In the journal the last fact decides:
    /// until then a start finds a session that has ended with its connection.
    /// </summary>
    /// <param name="snapshot">The session.</param>
    /// <param name="epoch">Under what this node owns it.</param>
    /// <param name="holder">On whose account it is; null: on nobody's.</param>
    /// <param name="committed">Done when all is on disk; null: nothing is kept there.</param>
    /// <returns>False: the shadow is over, or has other subscriptions.</returns>
    internal bool TryImport(SessionSnapshot snapshot, Epoch epoch, Holder? holder, out Completion? committed)
    {
        Deferred deferred;
        committed = null;
        lock (SyncRoot.Alone())
        {
            if (HasEnded || _store.Session is not null || !HasSubscriptionsOf(snapshot)) return false;
            List<QueuedMessage> gathered = [];
            while (_queue.Count > 0) gathered.Add(_queue.Dequeue(null));
            Ledger.Release(MemoryKind.Sessions, MemoryBytes);
            _lifetime.Import(snapshot, _environment.Clock.NowMs);
            Ledger.Account(MemoryKind.Sessions, MemoryBytes);
            Pass(holder, isNew: true);
            HoldWill(snapshot.Will);
            _window = new SendWindow();
            _window.Restore(snapshot.LastPosition, snapshot.SentPosition);
            _received.Restore(snapshot.ReceivedIds);
            if (Journal.IsDurable) BeginStored(snapshot);
            var stamps = new HashSet<Stamp>();
            foreach (long position in snapshot.Released) ImportReleased(position);
            foreach (SnapshotMessage one in snapshot.Messages)
            {
                stamps.Add(one.Message.Stamp);
                Import(one, mayBeSent: one.Position <= snapshot.SentPosition);
            }

            foreach (QueuedMessage one in gathered)
            {
                if (one.Message!.Stamp.IsNone || !stamps.Contains(one.Message.Stamp))
                {
                    Import(new(_window.NextPosition(), one.QoS, one.Retain, one.SubscriptionIdentifiers, one.Message), mayBeSent: false);
                }

                one.Message.Release(Ledger);
            }

            if (_store.Session is { } stored)
            {
                SessionSaved fact = _lifetime.ToFact(stored, isConnected: false, _window.SentPosition, policy: null, _holder, epoch);
                committed = Append(fact.AsAwaited());
            }

            deferred = TakeDeferred();
        }

        deferred.Complete();
        return true;
    }

    private bool HasSubscriptionsOf(SessionSnapshot snapshot)
    {
        SyncRoot.MustBeHeld();
        if (_subscriptions.Count != snapshot.Subscriptions.Count) return false;
        foreach (SnapshotSubscription one in snapshot.Subscriptions)
        {
            if (_subscriptions.Find(one.Filter) is not { } own || own.Options != one.Options) return false;
            if ((own.Identifiers is [var identifier, ..] ? identifier : 0) != one.Identifier) return false;
        }

        return true;
    }

    private void BeginStored(SessionSnapshot snapshot)
    {
        SyncRoot.MustBeHeld();
        StoredSession stored = Journal.Open(Id);
        _store.Open(stored, this);
        Append(SessionSaved.Unfinished(stored, snapshot.UserName));
        foreach (Subscription one in _subscriptions.ToArray()) Append(new SubscriptionChanged(stored, one.Filter, one));
        foreach (ushort id in snapshot.ReceivedIds)
        {
            var record = new PublishRecord(null);
            record.AddReceivedId(stored, id);
            Append(record);
            record.Seal();
        }
    }

    private void Import(in SnapshotMessage one, bool mayBeSent)
    {
        SyncRoot.MustBeHeld();
        if (ReferenceEquals(_queue, MessageQueue.None)) _queue = new MessageQueue(Ledger);
        var delivery = new QueuedMessage
        {
            Message = one.Message,
            SizeBytes = one.Message.SizeBytes,
            SubscriptionIdentifiers = one.Identifiers,
            QueuedAtSeconds = SecondsOf(_environment.Clock.NowMs),
            QoS = one.QoS,
            Retain = one.Retain,
            Position = one.Position,
            MayBeSent = mayBeSent,
            HasWaited = true,
            State = DeliveryState.Queued,
        };
        _queue.KeepLatest(Policy.Overflow == QueueOverflow.KeepLatestPerTopic);
        _queue.Supersede(one.Message.Topic);
        one.Message.Hold(Ledger, MemoryKind.Queues);
        if (_store.Session is not null) _store.Add(Journal, ref delivery, record: null, isAwaited: false);
        _queue.Enqueue(delivery);
    }

    private void ImportReleased(long position)
    {
        SyncRoot.MustBeHeld();
        var released = new QueuedMessage { Position = position, QoS = QoS.ExactlyOnce, State = DeliveryState.Released };
        if (_store.Session is not null)
        {
            // The client has the message; its place is on disk with an empty one.
            released.Message = new Message { Topic = "-"u8.ToArray(), Payload = [], QoS = QoS.ExactlyOnce };
            _store.Add(Journal, ref released, record: null, isAwaited: false);
            released.Message = null;
            Append(new DeliveryReleased(released.Stored!));
        }

        _window.Restore(released);
    }
}
