using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Routing;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Sessions;

// What waits goes out when there is room: first what an earlier connection left open, then the queue.
public sealed partial class Session
{
    // Messages of the queue's front that are in memory, or being read, while a client takes them.
    private const int ReadAheadMessages = 256;

    /// <summary>Sends what now has room: first what the previous connection left open, then the queue.</summary>
    /// <returns>Messages dropped because they had expired or are too large for the client.</returns>
    internal DeliveryOutcome Pump(ConnectionLease lease, RoutingContext context)
    {
        DeliveryOutcome outcome = DeliveryOutcome.Ignored;
        PublishRecord? coalesced;
        lock (SyncRoot)
        {
            if (Holds(lease)) outcome = PumpLocked(_link!, context, _environment.Clock.NowMs);
            coalesced = _store.TakeCoalesced();
        }

        SessionStore.Complete(coalesced);
        return outcome;
    }

    private DeliveryOutcome PumpLocked(ISessionLink link, RoutingContext context, long nowMs)
    {
        int dropped = 0;
        var reason = DropReason.Expired;
        while (_window.TryTakeReleased(out ushort packetId)) link.SendPubrel(packetId);
        while (link.HasRoom && _window.TryNextResend(out ushort packetId, out QueuedMessage open)) Resend(link, packetId, open, context, nowMs);
        while (!_window.HasResends && _queue.Count > 0 && link.HasRoom && _queue.IsHeadLoaded)
        {
            ref QueuedMessage head = ref _queue.Peek();
            // Seen before it is on disk, it could be seen twice.
            if (!_window.HasRoomFor(head.Position) || (head.QoS == QoS.ExactlyOnce && head.Stored is { IsCommittedWithRecord: false })) break;
            QueuedMessage next = _queue.Dequeue(_store.Session);
            if (next.IsLost || next.Message!.IsExpired(nowMs))
            {
                // Its delivery had not begun [MQTT-3.3.2-5].
                _store.Remove(Journal, next);
                dropped++;
                if (next.IsLost) reason = DropReason.StoreDamaged;
            }
            else if (!TrySendNew(next, Publication.Of(next.Message, nowMs), context, fanOut: false))
            {
                dropped++;
                reason = DropReason.TooLargeForClient;
            }
        }

        if (!link.HasRoom && (_queue.Count > 0 || _window.HasResends)) link.RequestPumpWhenDrained();
        if (_queue.Count > 0) ReadAhead();
        return new DeliveryOutcome(DeliveryResult.Sent, dropped, reason);
    }

    /// <summary>Begins to send a message; false when it is larger than the client takes, and is dropped.</summary>
    private bool TrySendNew(in QueuedMessage delivery, in Publication publication, RoutingContext context, bool fanOut)
    {
        ushort packetId = _window.Begin(delivery);
        if (Send(delivery, publication, packetId, delivery.MayBeSent, context, fanOut) != SendOutcome.TooLarge) return true;
        _store.Remove(Journal, _window.Drop(packetId));
        return false;
    }

    /// <summary>Sends what is in flight again, or its PUBREL. A message begun is finished even when it has expired since [MQTT-4.3.3-7].</summary>
    private void Resend(ISessionLink link, ushort packetId, in QueuedMessage open, RoutingContext context, long nowMs)
    {
        if (open.State == DeliveryState.Released) link.SendPubrel(packetId);
        if (open.State != DeliveryState.Published) return;
        SendOutcome outcome = Send(open, Publication.Of(open.Message!, nowMs), packetId, dup: true, context, fanOut: false);
        if (outcome == SendOutcome.TooLarge) _store.Remove(Journal, _window.Drop(packetId));
    }

    private SendOutcome Send(
        in QueuedMessage delivery, in Publication publication, ushort packetId, bool dup, RoutingContext context, bool fanOut)
    {
        // Built where it is passed: a local variable would be copied.
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

    /// <summary>Asks the disk for what the client will be sent soon.</summary>
    private void ReadAhead()
    {
        if (_store.Session is not { } stored || _queue.IsReadingOrAhead(ReadAheadMessages / 2)) return;
        List<SpilledDelivery> wanted = _queue.TakeUnloaded(ReadAheadMessages, stored);
        if (wanted.Count > 0) Journal.Load(stored, wanted);
    }
}
