using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Retained;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Topics;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Sessions;

// Retained messages owed after SUBSCRIBE. They are taken from the tree as the client has room for them, a slice a turn, and never queued as a whole.
public sealed partial class Session
{
    // Messages of one turn; a filter without any counts as some. And how many are taken into the queue ahead of their turn: live messages that come later stay
    // behind those.
    private const int RetainedSlice = 512;
    private const int FilterCost = 16;
    private const int RetainedQueueLimit = 64;

    private RetainedBacklog? _retained;
    private RetainedDelivery? _retainedNow;

    /// <summary>Notes that the retained messages of a filter are owed; null: that none are, since it was subscribed anew.</summary>
    internal void OweRetained(ConnectionLease lease, RetainedWalk? walk, Subscription subscription)
    {
        lock (Gate)
        {
            if (!Holds(lease)) return;
            DropRetained(subscription.Filter);
            if (walk is null) return;
            (_retained ??= new RetainedBacklog()).Add(new RetainedDelivery(walk, subscription));
            _link!.RequestPump();
        }
    }

    /// <summary>Sends a slice of the retained messages owed. Called by the connection's own thread, a turn at a time.</summary>
    internal DeliveryOutcome PumpRetained(ConnectionLease lease, RoutingContext context, long nowMs)
    {
        int dropped = 0;
        bool ended = true;
        for (int left = RetainedSlice; ended && left > 0; left -= FilterCost)
        {
            if (BeginRetained(lease) is not { } delivery) break;
            ended = SendRetained(lease, delivery, context, nowMs, ref left, ref dropped);
            EndRetained(lease, delivery, ended);
        }

        return new DeliveryOutcome(DeliveryResult.Sent, dropped, DropReason.TooLargeForClient);
    }

    /// <summary>Owes nothing more for a filter that was unsubscribed or subscribed anew; under the gate.</summary>
    private void DropRetained(byte[] filter)
    {
        if (_retainedNow is not null && _retainedNow.Subscription.Filter.AsSpan().SequenceEqual(filter)) _retainedNow.IsForgotten = true;
        if (_retained is null) return;
        _retained.Remove(filter);
        if (_retained.Count == 0) _retained = null;
    }

    private RetainedDelivery? BeginRetained(ConnectionLease lease)
    {
        lock (Gate)
        {
            if (!Holds(lease) || _retainedNow is not null || _retained is null || !_retained.TryTake(out _retainedNow)) return null;
            return _retainedNow;
        }
    }

    /// <summary>Sends what there is room for and <paramref name="left"/> allows; returns whether that was all. The walk locks the tree, so it steps outside the
    /// gate; nobody else has it meanwhile.</summary>
    private bool SendRetained(ConnectionLease lease, RetainedDelivery delivery, RoutingContext context, long nowMs, ref int left, ref int dropped)
    {
        for (; left > 0; left--)
        {
            if (delivery.Pending is null && !delivery.Walk.TryTake(out delivery.Pending)) return delivery.Walk.IsDone;
            if (!delivery.Pending.IsExpired(nowMs) && !TrySendRetained(lease, delivery, context, nowMs, ref dropped)) return false;
            delivery.Pending = null;
        }

        return false;
    }

    private void EndRetained(ConnectionLease lease, RetainedDelivery delivery, bool ended)
    {
        lock (Gate)
        {
            _retainedNow = null;
            // Back to the front: filters are served in the order they were subscribed.
            if (!ended && !delivery.IsForgotten) (_retained ??= new RetainedBacklog()).PutBack(delivery);
            if (_retained is { Count: 0 }) _retained = null;
            // A connection that took the session over meanwhile has had its turn already and found this delivery under way.
            else if (_retained is not null && (ended || delivery.Pending is null || !Holds(lease))) _link?.RequestPump();
        }
    }

    /// <summary>False when there is no room yet: acknowledgements or the socket bring the next try.</summary>
    private bool TrySendRetained(ConnectionLease lease, RetainedDelivery delivery, RoutingContext context, long nowMs, ref int dropped)
    {
        Message message = delivery.Pending!;
        QoS qos = Lower(message.QoS, delivery.Subscription.Options.MaximumQoS);
        lock (Gate)
        {
            if (!Holds(lease)) return false;
            if (!_link!.HasRoom)
            {
                _link.RequestPumpWhenDrained();
                return false;
            }

            Publication publication = Publication.Of(message, nowMs);
            if (qos != QoS.AtMostOnce)
            {
                if (!CanSendAtOnce && !HasRoomToQueueRetained(message)) return false;
                var open = new QueuedMessage
                {
                    Message = message,
                    SizeBytes = message.SizeBytes,
                    SubscriptionIdentifiers = delivery.Subscription.Identifiers,
                    QoS = qos,
                    Retain = true,
                    State = DeliveryState.Queued,
                };
                dropped += DeliverAcknowledged(ref open, publication, null, context, fanOut: false).Dropped;
                return true;
            }

            DeliveryOutcome outcome = DeliverAtMostOnce(publication, retain: true, delivery.Subscription.Identifiers, context, fanOut: false);
            dropped += outcome.Dropped;
            return true;
        }
    }

    /// <summary>Whether a retained message, which can wait where it is, drives nothing out of the queue.</summary>
    private bool HasRoomToQueueRetained(Message message)
    {
        MqttOptions limits = _environment.Options;
        return _queue.Count < Math.Min(RetainedQueueLimit, limits.MaxQueuedMessages)
            && _queue.SizeBytes + message.SizeBytes <= limits.MaxQueuedBytes
            && !(IsStored && Journal.Condition == JournalCondition.Full);
    }
}
