using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Topics;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Sessions;

// Messages toward the client: at once where its window and its output have room, through the queue otherwise.
public sealed partial class Session
{
    private bool CanSendAtOnce => _link is { HasRoom: true } && _window.HasRoom && _queue.Count == 0;

    /// <inheritdoc/>
    public override DeliveryOutcome Deliver(in Publication message, Subscription subscription, RoutingContext context)
    {
        QoS qos = Lower(message.QoS, subscription.Options.MaximumQoS);
        bool retain = message.Retain && subscription.Options.RetainAsPublished;
        bool fanOut = context.HasSeveralReceivers && subscription.Identifiers is null;
        if (qos == QoS.AtMostOnce)
        {
            lock (SyncRoot) return DeliverAtMostOnce(message, retain, subscription.Identifiers, context, fanOut);
        }

        byte[]? sharedFilter = subscription.IsShared ? subscription.Filter : null;
        long nowMs = message.ExpirySeconds is null ? 0 : context.NowMs(_environment.Clock);
        // Copied outside the lock where it is known that it will be needed: a payload may be large.
        if (OutlivesConnection || sharedFilter is not null) context.Own(message, nowMs);
        DeliveryOutcome outcome;
        PublishRecord? coalesced;
        lock (SyncRoot)
        {
            if (_lifetime.HasEnded || (_link is null && !OutlivesConnection)) return DeliveryOutcome.Ignored;
            // What was sent at once is needed again only by a session that outlives the connection, or by the group that gets it back.
            bool mayBeNeeded = OutlivesConnection || sharedFilter is not null || !CanSendAtOnce;
            var delivery = new QueuedMessage
            {
                Message = mayBeNeeded ? context.Own(message, nowMs) : null,
                SizeBytes = message.SizeBytes,
                SubscriptionIdentifiers = subscription.Identifiers,
                SharedFilter = sharedFilter,
                QoS = qos,
                Retain = retain,
                State = DeliveryState.Queued,
            };
            outcome = DeliverAcknowledged(ref delivery, message, IsStored ? context.Record(delivery.Message!) : null, context, fanOut);
            coalesced = _store.TakeCoalesced();
        }

        SessionStore.Complete(coalesced);
        return outcome;
    }

    /// <inheritdoc/>
    internal override Subscription? DeliverBurst(PublishBurst burst, BurstReceivers receivers, ref int delivery, RoutingContext context)
    {
        lock (SyncRoot)
        {
            while (delivery >= 0)
            {
                Subscription subscription = receivers.Take(ref delivery, out int run);
                burst.Select(run);
                if (_link is not null && (subscription.Identifiers is not null || !_link.TrySendBurst(burst, context))) return subscription;
            }

            return null;
        }
    }

    /// <inheritdoc/>
    internal override bool TryDeliverBurst(PublishBurst burst, RoutingContext context)
    {
        lock (SyncRoot) return _link is null || _link.TrySendBurst(burst, context);
    }

    private DeliveryOutcome DeliverAtMostOnce(in Publication publication, bool retain, uint[]? identifiers, RoutingContext context, bool fanOut)
    {
        // QoS 0 is not kept for those who are away.
        if (_link is null) return DeliveryOutcome.Ignored;
        var delivery = new QueuedMessage { SubscriptionIdentifiers = identifiers, QoS = QoS.AtMostOnce, Retain = retain };
        return Send(delivery, publication, packetId: 0, dup: false, context, fanOut) switch
        {
            SendOutcome.Sent => DeliveryOutcome.Sent,
            SendOutcome.TooLarge => DeliveryOutcome.DroppedFor(DropReason.TooLargeForClient),
            _ => DeliveryOutcome.DroppedFor(DropReason.SlowClient),
        };
    }

    private DeliveryOutcome DeliverAcknowledged(
        ref QueuedMessage delivery, in Publication publication, PublishRecord? record, RoutingContext context, bool fanOut)
    {
        // What must be on disk before it is seen waits in the queue for that.
        if (!CanSendAtOnce || (delivery.QoS == QoS.ExactlyOnce && IsStored)) return Enqueue(ref delivery, record);
        delivery.Position = _window.NextPosition();
        Store(ref delivery, record);
        return TrySendNew(delivery, publication, context, fanOut) ? DeliveryOutcome.Sent : DeliveryOutcome.DroppedFor(DropReason.TooLargeForClient);
    }

    private DeliveryOutcome Enqueue(ref QueuedMessage delivery, PublishRecord? record)
    {
        MqttOptions limits = _environment.Options;
        int size = delivery.SizeBytes;
        int dropped = 0;
        bool full = IsStored && Journal.Condition == JournalCondition.Full;
        DropReason reason = full ? DropReason.StoreFull : DropReason.QueueFull;
        while (full || _queue.Count >= limits.MaxQueuedMessages || _queue.SizeBytes + size > limits.MaxQueuedBytes)
        {
            // One that fits no queue drives nothing out.
            if (limits.QueueOverflow != QueueOverflow.DropOldest || _queue.Count == 0 || size > limits.MaxQueuedBytes)
            {
                DeliveryResult result = limits.QueueOverflow == QueueOverflow.Reject || full ? DeliveryResult.Refused : DeliveryResult.Dropped;
                return new DeliveryOutcome(result, dropped + 1, reason);
            }

            _store.Remove(Journal, _queue.Dequeue(_store.Session));
            dropped++;
            // A full store gives room message by message: one goes, one comes.
            full = false;
        }

        if (ReferenceEquals(_queue, MessageQueue.None)) _queue = new MessageQueue();
        // The order knows accepted messages only.
        delivery.Position = _window.NextPosition();
        Store(ref delivery, record);
        _queue.Enqueue(delivery);
        if (_link is { HasRoom: false }) _link.RequestPumpWhenDrained();
        return new DeliveryOutcome(DeliveryResult.Queued, dropped, reason);
    }
}
