using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Routing;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Sessions;

// What waits, how much of it may, and what happens beyond.
public sealed partial class Session
{
    // Topics read back in one go, for a queue that keeps the latest message of each.
    private const int TopicsPerRead = 256;

    private QueuePolicy Policy => _rules?.Policy ?? _environment.QueuePolicy;

    private bool KeepsQoS0 => _rules?.Policy is { KeepsQoS0: true };

    private bool TellsWait => _rules?.Policy is { TellsWait: true };

    /// <summary>Drops what has waited too long or expired on disk, and lets publishers go on whom a changed limit does not hold any more.</summary>
    internal DeliveryOutcome SweepQueue(long nowMs)
    {
        Deferred deferred;
        int dropped;
        lock (SyncRoot.Alone())
        {
            if (HasEnded || ReferenceEquals(_queue, MessageQueue.None)) return DeliveryOutcome.Ignored;
            dropped = DropAged(SecondsOf(nowMs));
            if (_store.Session is { } stored)
            {
                foreach (SpilledDelivery expired in _queue.TakeExpired(nowMs))
                {
                    Journal.Append(new StoredDelivery(stored, expired.Position, expired.MessageId));
                    dropped++;
                }
            }

            deferred = TakeDeferred();
        }

        deferred.Complete();
        return new DeliveryOutcome(DeliveryResult.Ignored, dropped, DropReason.Expired);
    }

    /// <summary>Where the session stands among the users of the store, which guard it.</summary>
    internal ref StoreUse StoreUse => ref _queue.StoreUse;

    /// <summary>Bytes of what waits on disk and may be dropped there; a hint when it is read without the lock.</summary>
    internal long DroppableStoreBytes => IsStored && Policy.DropsQueued ? _queue.SizeBytes : 0;

    /// <summary>The session uses more or less of the store than before. Without the lock.</summary>
    internal void UpdateStoreUse() => _environment.StoreUsers.Update(this);

    /// <inheritdoc/>
    internal override bool NeedsStoreRoom(QoS qos)
    {
        if (qos == QoS.AtMostOnce || !OutlivesConnection) return false;
        lock (SyncRoot.Alone()) return IsStored && MayWaitInFullStore(Policy, qos) && (qos == QoS.ExactlyOnce || !CanSendAtOnce);
    }

    /// <summary>Drops the oldest messages for a full store, if the policy allows it.</summary>
    /// <param name="bytes">Bytes that are wanted.</param>
    /// <param name="atMost">Messages that may go.</param>
    /// <param name="freed">Bytes that were freed.</param>
    /// <returns>How many messages were dropped.</returns>
    internal int DropForStore(long bytes, int atMost, out long freed)
    {
        Deferred deferred;
        int dropped = 0;
        lock (SyncRoot.Alone())
        {
            long before = DroppableStoreBytes;
            for (; dropped < atMost && DroppableStoreBytes > Math.Max(0, before - bytes); dropped++) DropOldest();
            freed = before - DroppableStoreBytes;
            deferred = TakeDeferred();
        }

        deferred.Complete();
        return dropped;
    }

    private void SetPolicy(QueuePolicy? policy)
    {
        SyncRoot.MustBeHeld();
        _rules = SessionRules.Of(policy, _rules?.Judge, MoveChanged);
        if (!ReferenceEquals(_queue, MessageQueue.None)) _queue.KeepLatest(Policy.Overflow == QueueOverflow.KeepLatestPerTopic);
    }

    private static int SecondsOf(long nowMs) => (int)(nowMs / 1000);

    private DeliveryOutcome Enqueue(ref QueuedMessage delivery, PublishRecord? record, RoutingContext context)
    {
        SyncRoot.MustBeHeld();
        QueuePolicy policy = Policy;
        if (ReferenceEquals(_queue, MessageQueue.None)) _queue = new MessageQueue(Ledger);
        _queue.KeepLatest(policy.Overflow == QueueOverflow.KeepLatestPerTopic);
        delivery.QueuedAtSeconds = SecondsOf(context.NowMs(_environment.Clock));
        delivery.HasWaited = true;
        DeliveryOutcome outcome = MakeRoom(delivery, policy, out bool isHeld);
        if (outcome.Result != DeliveryResult.Queued) return outcome;
        // The order knows accepted messages only.
        delivery.Position = _window.NextPosition();
        delivery.Message!.Hold(Ledger, MemoryKind.Queues);
        Store(ref delivery, record);
        _queue.Enqueue(delivery);
        if (isHeld) context.Await(_queue.Held.Add(delivery.SizeBytes));
        if (_link is { HasRoom: false }) _link.RequestPumpWhenDrained();
        return outcome;
    }

    /// <summary>Makes room for a message as the policy says. Any other result than Queued: it is not to be queued.</summary>
    /// <param name="delivery">The message.</param>
    /// <param name="policy">The policy.</param>
    /// <param name="isHeld">Whether its publisher has to wait for room.</param>
    private DeliveryOutcome MakeRoom(in QueuedMessage delivery, QueuePolicy policy, out bool isHeld)
    {
        SyncRoot.MustBeHeld();
        isHeld = false;
        // Room was made for the others before the message was taken; who has chosen to lose the newest holds nobody for it.
        if (IsStored && Journal.Condition == JournalCondition.Full && !MayWaitInFullStore(policy, delivery.QoS))
        {
            return DeliveryOutcome.DroppedFor(DropReason.StoreFull);
        }

        // One that fits no queue drives nothing out.
        if (policy.DropsQueued && delivery.SizeBytes > MaxBytesOf(policy)) return DeliveryOutcome.DroppedFor(DropReason.QueueFull);
        int dropped = _queue.Supersede(delivery.Message!.Topic) ? 1 : 0;
        DropReason reason = DropReason.Superseded;
        if (!HasRoom(policy, delivery.SizeBytes) && DropAged(delivery.QueuedAtSeconds) is > 0 and int aged)
        {
            reason = DropReason.Expired;
            dropped += aged;
        }

        while (!HasRoom(policy, delivery.SizeBytes))
        {
            isHeld = policy.Overflow == QueueOverflow.HoldPublishers && delivery.QoS != QoS.AtMostOnce;
            if (isHeld) break;
            reason = DropReason.QueueFull;
            dropped++;
            if (!policy.DropsQueued)
            {
                return new DeliveryOutcome(policy.Overflow == QueueOverflow.Reject ? DeliveryResult.Refused : DeliveryResult.Dropped, dropped, reason);
            }

            DropOldest();
        }

        return new DeliveryOutcome(DeliveryResult.Queued, dropped, reason);
    }

    private bool HasRoom(QueuePolicy policy, int sizeBytes) =>
        _queue.Count < policy.MaxMessages && _queue.SizeBytes + sizeBytes <= MaxBytesOf(policy);

    private long MaxBytesOf(QueuePolicy policy)
    {
        if (!IsStored) return policy.MaxBytes;
        // One session of which nothing is dropped must not fill the store for all.
        return Math.Min(policy.MaxBytes, policy.MaxStoreBytes ?? (policy.DropsQueued ? long.MaxValue : Journal.MaxBytes / 2));
    }

    private static bool MayWaitInFullStore(QueuePolicy policy, QoS qos) => policy.Overflow != QueueOverflow.DropNewest && qos != QoS.AtMostOnce;

    private void DropOldest() => Finish(_queue.Dequeue(_store.Session));

    /// <summary>Drops what has waited longer than the policy allows. Returns how many.</summary>
    private int DropAged(int nowSeconds)
    {
        SyncRoot.MustBeHeld();
        if (Policy.MaxAge is not { } maxAge) return 0;
        int dropped = 0;
        for (; _queue.Count > 0 && nowSeconds - _queue.OldestQueuedAtSeconds > maxAge.TotalSeconds; dropped++) DropOldest();
        return dropped;
    }

    /// <summary>Takes what the last change leaves to be done when the lock is free.</summary>
    private Deferred TakeDeferred()
    {
        SyncRoot.MustBeHeld();
        if (ReferenceEquals(_queue, MessageQueue.None))
        {
            AccountQueues();
            return new Deferred(_store.TakeCoalesced(), Rooms: null);
        }

        RemoveSuperseded(all: false);
        ReadTopics();
        AccountQueues();
        QueueRoom? rooms = _queue.Held.Count > 0 ? ReleasePublishers() : null;
        int storeClass = _queue.StoreUse.Class;
        bool isMoving = HasEnded ? storeClass >= 0 : StoreUsers.IsMoving(DroppableStoreBytes, storeClass);
        return new Deferred(_store.TakeCoalesced(), rooms, isMoving ? this : null);
    }

    private void RemoveSuperseded(bool all)
    {
        SyncRoot.MustBeHeld();
        if (_queue.TakeSuperseded(_store.Session, all) is not { } superseded) return;
        foreach (QueuedMessage one in superseded) Finish(one);
    }

    /// <summary>Asks the disk for the next messages whose topics a queue that keeps the latest of each has to know.</summary>
    private void ReadTopics()
    {
        SyncRoot.MustBeHeld();
        if (_store.Session is { } stored && _queue.TakeUnread(TopicsPerRead) is { } unread) Journal.Load(stored, unread);
    }

    private QueueRoom? ReleasePublishers()
    {
        SyncRoot.MustBeHeld();
        QueuePolicy policy = Policy;
        return policy.Overflow == QueueOverflow.HoldPublishers && !HasEnded
            ? _queue.Held.Release(_queue.Count, _queue.SizeBytes, policy.MaxMessages, MaxBytesOf(policy))
            : _queue.Held.ReleaseAll();
    }
}
