using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Ports;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Sessions;

// The session and its journal: what it leaves on disk, what it waits for, what it reads back.
public sealed partial class Session : IStoredSessionOwner
{
    // Messages of the queue's front that are in memory, or being read, while a client takes them.
    private const int ReadAheadMessages = 256;

    private StoredSession? _stored;

    // PUBRELs that wait for their DeliveryReleased, in order.
    private Queue<(DeliveryReleased Fact, ushort PacketId)>? _releasing;

    private PublishRecord? _elided;
    private long _sentPosition;

    private IJournal Journal => _environment.Journal;

    /// <summary>Whether what waits for the session waits on disk, too.</summary>
    private bool IsStored => _stored is not null && IsKept;

    /// <inheritdoc/>
    void IStoredSessionOwner.OnCommitted()
    {
        lock (Gate)
        {
            if (_ended) return;
            _queue.Spill();
            // QoS 2 that may be sent now, PUBRELs that may be, messages that can be read back now.
            if (_queue.Count > 0 || _releasing is not null) _link?.RequestPump();
        }
    }

    /// <inheritdoc/>
    void IStoredSessionOwner.OnLoaded(IReadOnlyList<LoadedDelivery> deliveries)
    {
        lock (Gate)
        {
            if (_ended) return;
            _queue.Fill(deliveries);
            if (_link is null) _queue.Unload();
            else _link.RequestPump();
        }
    }

    /// <summary>A session as it was before the process began.</summary>
    internal static Session Restore(RestoredSession restored, SessionEnvironment environment)
    {
        var session = new Session(restored.Stored.ClientId, environment)
        {
            _stored = restored.Stored,
            _generation = 1,
            _expirySeconds = restored.ExpirySeconds,
            _expiresAtMs = restored.EndsAtMs,
            _will = restored.Will,
            _willDueMs = restored.Will is null ? long.MaxValue : restored.WillAtMs,
            _lastPosition = restored.LastPosition,
            _sentPosition = restored.SentPosition,
            _owner = restored.UserName,
        };
        restored.Stored.Owner = session;
        foreach (ushort id in restored.ReceivedIds)
        {
            if (ReferenceEquals(session._receivedIds, PacketIdSet.None)) (session._receivedIds, session._restoredIds) = (new PacketIdSet(), new PacketIdSet());
            session._receivedIds.Add(id);
            session._restoredIds.Add(id);
        }

        foreach (StoredDelivery released in restored.Released)
        {
            if (ReferenceEquals(session._inflight, InflightWindow.None)) session._inflight = new InflightWindow();
            session._inflight.Add(
                new QueuedMessage { Stored = released, Position = released.Position, QoS = QoS.ExactlyOnce, State = DeliveryState.Released }, out _);
        }

        restored.Sort();
        if (restored.Queue.Count > 0) session._queue = new MessageQueue(restored.Queue, restored.QueueBytes);
        return session;
    }

    /// <summary>A subscription it had; when sessions are restored.</summary>
    internal void RestoreSubscription(Topics.Subscription subscription)
    {
        lock (Gate)
        {
            _subscriptions.Set(subscription);
        }
    }

    /// <summary>When the broker has to look at it, connected by nobody; when sessions are restored.</summary>
    internal long RestoredDueMs => Math.Min(_willDueMs, _expiresAtMs);

    /// <summary>
    /// The message has reached everyone it is for: the identifier it was received under goes with it into one transaction. Neither order of two would do: an
    /// identifier alone passes
    /// the client's repetition off as known, and the message is lost; a message alone is repeated.
    /// </summary>
    internal void StoreReceived(ref PublishRecord? record, ushort packetId)
    {
        lock (Gate)
        {
            if (_ended || !IsStored || !_receivedIds.Contains(packetId)) return;
            record ??= new PublishRecord(null);
            record.AddReceivedId(_stored!, packetId);
            _receivedCompletion = record;
        }
    }

    /// <summary>Drops what has expired among messages that are on disk only, a session at a time. Returns how many.</summary>
    internal int DropExpired(long nowMs)
    {
        PublishRecord? elided;
        int dropped = 0;
        lock (Gate)
        {
            if (_stored is null || _ended) return 0;
            foreach (SpilledDelivery expired in _queue.TakeExpired(nowMs))
            {
                Journal.Append(new StoredDelivery(_stored, expired.Position, expired.MessageId));
                dropped++;
            }

            elided = TakeElided();
        }

        CompleteElided(elided);
        return dropped;
    }

    /// <summary>Begins to be stored, or goes on, with a new connection or without one.</summary>
    private void SaveState()
    {
        if (_stored is null)
        {
            if (!IsKept || !Journal.IsDurable) return;
            _stored = Journal.Open(Id);
            _stored.Owner = this;
        }

        bool connected = _link is not null;
        Journal.Append(new SessionSaved(_stored)
        {
            ExpirySeconds = _expirySeconds,
            IsConnected = connected,
            EndsAtMs = connected ? SessionSaved.Never : _expiresAtMs,
            WillAtMs = connected || _will is null ? SessionSaved.Never : _willDueMs,
            SentPosition = connected ? SessionSaved.Never : _sentPosition,
            Will = _will,
            UserName = _owner,
        });
    }

    /// <summary>Notes on disk that a message waits for this session. Under the gate.</summary>
    /// <param name="delivery">The delivery; gets its journal's side.</param>
    /// <param name="record">The record of the publish it belongs to; null: it gets one of its own.</param>
    private void Store(ref QueuedMessage delivery, PublishRecord? record)
    {
        if (!IsStored) return;
        PublishRecord own = record ?? new PublishRecord(delivery.Message);
        delivery.Stored = own.Add(_stored!, delivery.Position, delivery.QoS, delivery.Retain, delivery.SubscriptionIdentifiers, delivery.SharedFilter);
        if (record is not null) return;
        Journal.Append(own);
        own.Seal();
    }

    /// <summary>A message is done with: acknowledged, expired or dropped. Under the gate.</summary>
    private void Forget(in QueuedMessage delivery)
    {
        if (delivery.Stored is not { } stored) return;
        if (stored.MarkDone(out bool isElided))
        {
            Journal.Append(stored);
        }
        else if (isElided && stored.Record!.CloseOne())
        {
            stored.Record.NextElided = _elided;
            _elided = stored.Record;
        }
    }

    private PublishRecord? TakeElided()
    {
        PublishRecord? elided = _elided;
        _elided = null;
        return elided;
    }

    /// <summary>Lets publishers go on whose messages everyone has acknowledged. Outside the gate, since it calls them.</summary>
    internal static void CompleteElided(PublishRecord? elided)
    {
        while (elided is not null)
        {
            PublishRecord? next = elided.NextElided;
            elided.NextElided = null;
            elided.Complete();
            elided = next;
        }
    }

    /// <summary>Asks the disk for what the client will be sent soon. Under the gate.</summary>
    private void ReadAhead()
    {
        if (_stored is null || _queue.IsReadingOrAhead(ReadAheadMessages / 2)) return;
        List<SpilledDelivery> wanted = _queue.TakeUnloaded(ReadAheadMessages, _stored);
        if (wanted.Count > 0) Journal.Load(_stored, wanted);
    }

    /// <summary>Sends the PUBRELs whose DeliveryReleased is on disk. Under the gate, with a connection.</summary>
    private void SendReleased()
    {
        while (_releasing is not null && _releasing.TryPeek(out (DeliveryReleased Fact, ushort PacketId) first) && first.Fact.IsDone)
        {
            _releasing.Dequeue();
            if (_releasing.Count == 0) _releasing = null;
            int place = _inflight.Find(first.PacketId);
            if (place < 0 || _inflight.At(place).State != DeliveryState.Releasing) continue;
            _inflight.At(place).State = DeliveryState.Released;
            if (place < _resendPlace) _link!.SendPubrel(first.PacketId);
        }
    }
}
