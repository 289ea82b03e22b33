using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Retained;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Topics;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Sessions;

// Retained messages owed after SUBSCRIBE. They are taken from the tree as the client has room for them, slice by slice, and never queued as a whole.
public sealed partial class Session
{
    // Messages of one slice; a filter without any counts as some. And how many are taken into the queue ahead of their time: live messages that come later stay
    // behind those.
    private const int RetainedSlice = 512;
    private const int FilterCost = 16;
    private const int RetainedQueueLimit = 64;

    /// <inheritdoc/>
    internal override void QueueRetained(ConnectionLease lease, RetainedWalk? walk, Subscription subscription)
    {
        lock (SyncRoot.Alone())
        {
            if (!Holds(lease)) return;
            _retained.Remove(subscription.Filter);
            if (walk is null) return;
            _retained.Add(new RetainedDelivery(walk, subscription));
            _link!.RequestPump();
        }
    }

    /// <summary>Sends a slice of the retained messages owed. Called by the connection's own thread, once an iteration of its loop.</summary>
    internal DeliveryOutcome PumpRetained(ConnectionLease lease, RoutingContext context, long nowMs)
    {
        int dropped = 0;
        bool isDone = true;
        for (int left = RetainedSlice; isDone && left > 0; left -= FilterCost)
        {
            if (TakeRetained(lease) is not { } delivery) break;
            isDone = false;
            try
            {
                isDone = SendRetained(lease, delivery, context, nowMs, ref left, ref dropped);
            }
            finally
            {
                PutBackRetained(lease, delivery, isDone);
            }
        }

        return new DeliveryOutcome(DeliveryResult.Sent, dropped, DropReason.TooLargeForClient);
    }

    private RetainedDelivery? TakeRetained(ConnectionLease lease)
    {
        lock (SyncRoot.Alone()) return Holds(lease) ? _retained.Take() : null;
    }

    private void PutBackRetained(ConnectionLease lease, RetainedDelivery delivery, bool isDone)
    {
        lock (SyncRoot.Alone())
        {
            _retained.PutBack(delivery, isDone);
            // A connection that took the session over meanwhile has been asked already and found this delivery under way.
            if (_retained.HasMore && (isDone || delivery.Pending is null || !Holds(lease))) _link?.RequestPump();
        }
    }

    /// <summary>
    /// Sends what there is room for and <paramref name="left"/> allows; returns whether that was all. The walk takes the tree's lock, so it goes on outside the
    /// session's; nobody else has it meanwhile.
    /// </summary>
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

    /// <summary>False when there is no room yet: acknowledgements or the socket bring the next try.</summary>
    private bool TrySendRetained(ConnectionLease lease, RetainedDelivery delivery, RoutingContext context, long nowMs, ref int dropped)
    {
        Message message = delivery.Pending!;
        if (IsWithheld(message.Topic)) return true;
        QoS qos = Lower(message.QoS, delivery.Subscription.Options.MaximumQoS);
        bool isSent;
        lock (SyncRoot.Alone())
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
                AccountQueues();
                return true;
            }

            DeliveryOutcome outcome = SendAtMostOnce(publication, retain: true, delivery.Subscription.Identifiers, context, fanOut: false);
            dropped += outcome.Dropped;
            isSent = outcome.Result == DeliveryResult.Sent;
        }

        if (isSent) TellDelivered(new QueuedMessage { Message = message, QoS = QoS.AtMostOnce });
        return true;
    }

    /// <summary>Whether a retained message, which can wait where it is, drives nothing out of the queue.</summary>
    private bool HasRoomToQueueRetained(Message message)
    {
        SyncRoot.MustBeHeld();
        QueuePolicy policy = Policy;
        return _queue.Count < Math.Min(RetainedQueueLimit, policy.MaxMessages)
            && HasRoom(policy, message.SizeBytes)
            && !(IsStored && Journal.Condition == JournalCondition.Full);
    }
}
