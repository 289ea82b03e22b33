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
    // What the client's Receive Maximum leaves; below 0 when more exchanges were only to be released than it allows.
    private int _sendQuota;

    // Places of the in-flight window that this connection has not seen yet; they go out again before anything new.
    private int _resendPlace;

    /// <inheritdoc/>
    public override DeliveryOutcome Deliver(in Publication message, Subscription subscription, RoutingContext context)
    {
        QoS qos = Lower(message.QoS, subscription.Options.MaximumQoS);
        bool retain = message.Retain && subscription.Options.RetainAsPublished;
        bool fanOut = context.HasSeveralReceivers && subscription.Identifiers is null;
        if (qos == QoS.AtMostOnce)
        {
            lock (Gate) return DeliverAtMostOnce(message, retain, subscription.Identifiers, context, fanOut);
        }

        byte[]? sharedFilter = subscription.IsShared ? subscription.Filter : null;
        long nowMs = message.ExpirySeconds is null ? 0 : context.NowMs(_environment.Clock);
        // Copied outside the gate where it is known that it will be needed: a payload may be large.
        if (OutlivesConnection || sharedFilter is not null) context.Own(message, nowMs);
        DeliveryOutcome outcome;
        PublishRecord? elided;
        lock (Gate)
        {
            if (_ended || (_link is null && !IsKept)) return DeliveryOutcome.Ignored;
            // What was sent at once is needed again only by a session that outlives the connection, or by the group that gets it back.
            bool mayBeNeeded = IsKept || sharedFilter is not null || !CanSendAtOnce;
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
            elided = TakeElided();
        }

        CompleteElided(elided);
        return outcome;
    }

    /// <inheritdoc/>
    internal override Subscription? DeliverBurst(PublishBurst burst, BurstReceivers receivers, ref int delivery, RoutingContext context)
    {
        lock (Gate)
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
        lock (Gate) return _link is null || _link.TrySendBurst(burst, context);
    }

    /// <summary>Sends what now has room: first what the previous connection left open, then the queue.</summary>
    /// <returns>Messages dropped because they had expired or are too large for the client.</returns>
    internal DeliveryOutcome Pump(ConnectionLease lease, RoutingContext context)
    {
        DeliveryOutcome outcome = DeliveryOutcome.Ignored;
        PublishRecord? elided;
        lock (Gate)
        {
            if (Holds(lease)) outcome = PumpUnderGate(context, _environment.Clock.NowMs);
            elided = TakeElided();
        }

        CompleteElided(elided);
        return outcome;
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
        bool atOnce = CanSendAtOnce;
        delivery.Position = ++_lastPosition;
        // What must be on disk before it is seen waits in the queue for that.
        if (!atOnce || (delivery.QoS == QoS.ExactlyOnce && IsStored)) return Enqueue(ref delivery, record);
        Store(ref delivery, record);
        return SendNew(delivery, publication, context, fanOut) == SendOutcome.TooLarge
            ? DeliveryOutcome.DroppedFor(DropReason.TooLargeForClient)
            : DeliveryOutcome.Sent;
    }

    private bool CanSendAtOnce =>
        _link is { HasRoom: true } && _sendQuota > 0 && _queue.Count == 0 && _resendPlace >= _inflight.Span && _inflight.HasRoomFor(_lastPosition + 1);

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
                // The order knows accepted messages only.
                _lastPosition = delivery.Position - 1;
                bool isTold = limits.QueueOverflow == QueueOverflow.Reject || full;
                return new DeliveryOutcome(isTold ? DeliveryResult.Refused : DeliveryResult.Dropped, dropped + 1, reason);
            }

            Forget(_queue.Dequeue(_stored));
            dropped++;
            // A full store gives room message by message: one goes, one comes.
            full = false;
        }

        if (ReferenceEquals(_queue, MessageQueue.None)) _queue = new MessageQueue();
        Store(ref delivery, record);
        _queue.Enqueue(delivery);
        if (_link is { HasRoom: false }) _link.RequestPumpWhenDrained();
        return new DeliveryOutcome(DeliveryResult.Queued, dropped, reason);
    }

    private DeliveryOutcome PumpUnderGate(RoutingContext context, long nowMs)
    {
        int dropped = 0;
        var reason = DropReason.Expired;
        SendReleased();
        while (_link!.HasRoom && _resendPlace < _inflight.Span)
        {
            int place = _resendPlace++;
            if (Resend(place, context)) continue;
            _resendPlace = place;
            return new DeliveryOutcome(DeliveryResult.Sent, dropped, reason);
        }

        while (_queue.Count > 0 && _sendQuota > 0 && _link.HasRoom && _queue.IsHeadLoaded)
        {
            ref QueuedMessage head = ref _queue.Peek();
            // Seen before it is on disk, it could be seen twice.
            if (!_inflight.HasRoomFor(head.Position) || (head.QoS == QoS.ExactlyOnce && head.Stored is { IsCommittedWithRecord: false })) break;
            QueuedMessage next = _queue.Dequeue(_stored);
            if (next.IsLost || next.Message!.IsExpired(nowMs))
            {
                // Its delivery had not begun [MQTT-3.3.2-5].
                Forget(next);
                dropped++;
                if (next.IsLost) reason = DropReason.StoreDamaged;
            }
            else if (SendNew(next, Publication.Of(next.Message, nowMs), context, fanOut: false) == SendOutcome.TooLarge)
            {
                dropped++;
                reason = DropReason.TooLargeForClient;
            }
        }

        if (!_link.HasRoom && (_queue.Count > 0 || _resendPlace < _inflight.Span)) _link.RequestPumpWhenDrained();
        if (_queue.Count > 0) ReadAhead();
        return new DeliveryOutcome(DeliveryResult.Sent, dropped, reason);
    }

    private SendOutcome SendNew(in QueuedMessage delivery, in Publication publication, RoutingContext context, bool fanOut)
    {
        if (ReferenceEquals(_inflight, InflightWindow.None)) _inflight = new InflightWindow();
        int place = _inflight.Add(delivery with { State = DeliveryState.Published }, out _);
        SendOutcome outcome = Send(delivery, publication, _inflight.IdAt(place), delivery.MayBeSent, context, fanOut);
        if (outcome == SendOutcome.TooLarge)
        {
            // Dropped as if it had been sent [MQTT-3.1.2-25].
            Forget(delivery);
            CloseInflight(place);
        }
        else
        {
            _sendQuota--;
            if (delivery.Position > _sentPosition) _sentPosition = delivery.Position;
        }

        _resendPlace = _inflight.Span;
        return outcome;
    }

    /// <summary>Sends what stands at a place again: PUBLISH with DUP, or PUBREL [MQTT-4.4.0-1]. False when the client's Receive Maximum has no room.</summary>
    private bool Resend(int place, RoutingContext context)
    {
        ref QueuedMessage open = ref _inflight.At(place);
        ushort packetId = _inflight.IdAt(place);
        if (open.State is DeliveryState.Released or DeliveryState.Releasing)
        {
            // Needs no room, but its PUBLISH is not answered yet and counts [MQTT-3.3.4-9].
            _sendQuota--;
            if (open.State == DeliveryState.Released) _link!.SendPubrel(packetId);
        }

        if (open.State != DeliveryState.Published) return true;
        if (_sendQuota <= 0) return false;
        // A message begun is finished even when it has expired since [MQTT-4.3.3-7]; one the new connection cannot take is dropped.
        if (Send(open, Publication.Of(open.Message!, _environment.Clock.NowMs), packetId, dup: true, context, fanOut: false) == SendOutcome.TooLarge)
        {
            Forget(open);
            CloseInflight(place);
        }
        else
        {
            _sendQuota--;
        }

        return true;
    }

    private SendOutcome Send(
        in QueuedMessage delivery, in Publication publication, ushort packetId, bool dup, RoutingContext context, bool fanOut)
    {
        // Built in its place: a local variable would be copied to it.
        return _link!.SendPublish(
            new OutgoingPublish
            {
                Topic = publication.Topic,
                Payload = publication.Payload,
                ForwardedProperties = publication.Properties,
                ExpirySeconds = publication.ExpirySeconds,
                SubscriptionIdentifiers = delivery.SubscriptionIdentifiers,
                QoS = delivery.QoS,
                Retain = delivery.Retain,
                Dup = dup,
                PacketId = packetId,
            },
            context,
            fanOut);
    }

    private void CloseInflight(int place)
    {
        int before = _inflight.Span;
        _inflight.Remove(place);
        _resendPlace = Math.Max(0, _resendPlace - (before - _inflight.Span));
    }
}
