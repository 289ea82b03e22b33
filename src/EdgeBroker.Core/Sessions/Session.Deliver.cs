using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Limits;
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
        if (_rules?.Policy?.Filter is { } filter && !filter.Takes(message)) return DeliveryOutcome.Ignored;
        if (IsWithheld(message.Topic)) return DeliveryOutcome.Ignored;
        QoS qos = Lower(message.QoS, subscription.Options.MaximumQoS);
        bool retain = message.Retain && subscription.Options.RetainAsPublished;
        bool fanOut = context.HasSeveralReceivers && subscription.Identifiers is null;
        if (qos == QoS.AtMostOnce)
        {
            if (KeepsQoS0) return DeliverKept(message, subscription, retain, context, fanOut);
            lock (SyncRoot.Alone()) return SendAtMostOnce(message, retain, subscription.Identifiers, context, fanOut);
        }

        byte[]? sharedFilter = subscription.IsShared ? subscription.Filter : null;
        long nowMs = message.ExpirySeconds is null ? 0 : context.NowMs(_environment.Clock);
        // Copied outside the lock where it is known that it will be needed: a payload may be large.
        if (OutlivesConnection || sharedFilter is not null) context.Own(message, nowMs);
        DeliveryOutcome outcome;
        Deferred deferred;
        lock (SyncRoot.Alone())
        {
            if (HasEnded || (_link is null && !OutlivesConnection)) return DeliveryOutcome.Ignored;
            // What was sent at once is needed again only by a session that outlives the connection, by the group that gets it back, or by
            // whoever is told when the client has it.
            bool mayBeNeeded = OutlivesConnection || sharedFilter is not null || !CanSendAtOnce || _environment.Events.WantsDelivery(message.Passage);
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
            deferred = TakeDeferred();
        }

        deferred.Complete();
        return outcome;
    }

    /// <inheritdoc/>
    public override bool TryDeliver(in MessageSegment segment, Subscription subscription, RoutingContext context)
    {
        lock (SyncRoot.Alone())
        {
            if (_rules?.Policy?.Filter is not null || _rules?.Judge is not null) return false;
            if (_link is null) return !KeepsQoS0;
            // What waits already comes first.
            return !(KeepsQoS0 && _queue.Count > 0) && _link.TrySend(segment, subscription, context);
        }
    }

    /// <inheritdoc/>
    internal override bool Holds(Message message)
    {
        lock (SyncRoot.Alone()) return _window.Holds(message) || _queue.Holds(message);
    }

    /// <summary>QoS 0 for a session that keeps it: sent at once, or queued as other messages are.</summary>
    private DeliveryOutcome DeliverKept(in Publication message, Subscription subscription, bool retain, RoutingContext context, bool fanOut)
    {
        DeliveryOutcome outcome;
        Deferred deferred;
        lock (SyncRoot.Alone())
        {
            if (HasEnded || (_link is null && !OutlivesConnection)) return DeliveryOutcome.Ignored;
            if (_link is { HasRoom: true } && _queue.Count == 0) return SendAtMostOnce(message, retain, subscription.Identifiers, context, fanOut);
            var delivery = new QueuedMessage
            {
                Message = context.Own(message, context.NowMs(_environment.Clock)),
                SizeBytes = message.SizeBytes,
                SubscriptionIdentifiers = subscription.Identifiers,
                SharedFilter = subscription.IsShared ? subscription.Filter : null,
                QoS = QoS.AtMostOnce,
                Retain = retain,
                State = DeliveryState.Queued,
            };
            // A record of its own: nobody waits for it.
            outcome = Enqueue(ref delivery, record: null, context);
            deferred = TakeDeferred();
        }

        deferred.Complete();
        return outcome;
    }

    private DeliveryOutcome SendAtMostOnce(in Publication publication, bool retain, uint[]? identifiers, RoutingContext context, bool fanOut)
    {
        SyncRoot.MustBeHeld();
        if (_link is null) return DeliveryOutcome.Ignored;
        var delivery = new QueuedMessage { SubscriptionIdentifiers = identifiers, QoS = QoS.AtMostOnce, Retain = retain };
        if (TellsWait) delivery.QueuedAtSeconds = SecondsOf(_environment.Clock.NowMs);
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
        SyncRoot.MustBeHeld();
        // What must be on disk before it is seen waits in the queue for that.
        if (!CanSendAtOnce || (delivery.QoS == QoS.ExactlyOnce && IsStored)) return Enqueue(ref delivery, record, context);
        delivery.Position = _window.NextPosition();
        if (TellsWait) delivery.QueuedAtSeconds = SecondsOf(_environment.Clock.NowMs);
        delivery.Message?.Hold(Ledger, MemoryKind.Inflight);
        Store(ref delivery, record);
        return TrySendNew(delivery, publication, context, fanOut) ? DeliveryOutcome.Sent : DeliveryOutcome.DroppedFor(DropReason.TooLargeForClient);
    }
}
