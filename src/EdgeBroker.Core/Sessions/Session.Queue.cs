using EdgeBroker.Core.Journaling;
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

    private QueuePolicy Policy => _policy ?? _environment.QueuePolicy;

    private bool KeepsQoS0 => _policy is { KeepsQoS0: true };

    /// <summary>Drops what has waited too long or expired on disk, and lets publishers go on whom a changed limit does not hold any more.</summary>
    internal DeliveryOutcome SweepQueue(long nowMs)
    {
        Deferred deferred;
        int dropped;
        lock (SyncRoot)
        {
            if (_lifetime.HasEnded || ReferenceEquals(_queue, MessageQueue.None)) return DeliveryOutcome.Ignored;
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

    private void SetPolicy(QueuePolicy? policy)
    {
        _policy = policy;
        if (!ReferenceEquals(_queue, MessageQueue.None)) _queue.KeepLatest(Policy.Overflow == QueueOverflow.KeepLatestPerTopic);
    }

    private static int SecondsOf(long nowMs) => (int)(nowMs / 1000);

    private DeliveryOutcome Enqueue(ref QueuedMessage delivery, PublishRecord? record, RoutingContext context)
    {
        QueuePolicy policy = Policy;
        if (ReferenceEquals(_queue, MessageQueue.None)) _queue = new MessageQueue();
        _queue.KeepLatest(policy.Overflow == QueueOverflow.KeepLatestPerTopic);
        delivery.QueuedAtSeconds = SecondsOf(context.NowMs(_environment.Clock));
        DeliveryOutcome outcome = MakeRoom(delivery, policy, out bool isHeld);
        if (outcome.Result != DeliveryResult.Queued) return outcome;
        // The order knows accepted messages only.
        delivery.Position = _window.NextPosition();
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
        isHeld = false;
        // One that fits no queue drives nothing out.
        if (policy.DropsQueued && delivery.SizeBytes > MaxBytesOf(policy)) return DeliveryOutcome.DroppedFor(DropReason.QueueFull);
        int dropped = _queue.Supersede(delivery.Message!.Topic) ? 1 : 0;
        DropReason reason = DropReason.Superseded;
        if (!HasRoom(policy, delivery.SizeBytes) && DropAged(delivery.QueuedAtSeconds) is > 0 and int aged)
        {
            reason = DropReason.Expired;
            dropped += aged;
        }

        bool isFull = IsStored && Journal.Condition == JournalCondition.Full;
        while (isFull || !HasRoom(policy, delivery.SizeBytes))
        {
            isHeld = policy.Overflow == QueueOverflow.HoldPublishers && delivery.QoS != QoS.AtMostOnce;
            if (isHeld) break;
            reason = isFull ? DropReason.StoreFull : DropReason.QueueFull;
            dropped++;
            if (!policy.DropsQueued || _queue.Count == 0)
            {
                bool isTold = policy.Overflow == QueueOverflow.Reject || isFull;
                return new DeliveryOutcome(isTold ? DeliveryResult.Refused : DeliveryResult.Dropped, dropped, reason);
            }

            DropOldest();
            // A full store gives room message by message: one goes, one comes.
            isFull = false;
        }

        return new DeliveryOutcome(DeliveryResult.Queued, dropped, reason);
    }

    private bool HasRoom(QueuePolicy policy, int sizeBytes) =>
        _queue.Count < policy.MaxMessages && _queue.SizeBytes + sizeBytes <= MaxBytesOf(policy);

    private long MaxBytesOf(QueuePolicy policy) => IsStored ? Math.Min(policy.MaxBytes, policy.MaxStoreBytes ?? long.MaxValue) : policy.MaxBytes;

    private void DropOldest() => _store.Remove(Journal, _queue.Dequeue(_store.Session));

    /// <summary>Drops what has waited longer than the policy allows. Returns how many.</summary>
    private int DropAged(int nowSeconds)
    {
        if (Policy.MaxAge is not { } maxAge) return 0;
        int dropped = 0;
        for (; _queue.Count > 0 && nowSeconds - _queue.OldestQueuedAtSeconds > maxAge.TotalSeconds; dropped++) DropOldest();
        return dropped;
    }

    /// <summary>Takes what the last change leaves to be done when the lock is free.</summary>
    private Deferred TakeDeferred()
    {
        QueueRoom? rooms = null;
        if (!ReferenceEquals(_queue, MessageQueue.None))
        {
            RemoveSuperseded(all: false);
            ReadTopics();
            if (_queue.Held.Count > 0) rooms = ReleasePublishers();
        }

        return new Deferred(_store.TakeCoalesced(), rooms);
    }

    private void RemoveSuperseded(bool all)
    {
        if (_queue.TakeSuperseded(_store.Session, all) is not { } superseded) return;
        foreach (QueuedMessage one in superseded) _store.Remove(Journal, one);
    }

    /// <summary>Asks the disk for the next messages whose topics a queue that keeps the latest of each has to know.</summary>
    private void ReadTopics()
    {
        if (_store.Session is { } stored && _queue.TakeUnread(TopicsPerRead) is { Count: > 0 } unread) Journal.Load(stored, unread);
    }

    private QueueRoom? ReleasePublishers()
    {
        QueuePolicy policy = Policy;
        return policy.Overflow == QueueOverflow.HoldPublishers && !_lifetime.HasEnded
            ? _queue.Held.Release(_queue.Count, _queue.SizeBytes, policy.MaxMessages, MaxBytesOf(policy))
            : _queue.Held.ReleaseAll();
    }
}
