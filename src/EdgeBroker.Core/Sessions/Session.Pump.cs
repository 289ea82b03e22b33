using EdgeBroker.Core.Events;
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
        Deferred deferred;
        const EventKinds Told = EventKinds.MessageDelivered | EventKinds.MessageFollowed;
        List<QueuedMessage>? sent = KeepsQoS0 && _environment.Events.Wants(Told) ? [] : null;
        lock (SyncRoot.Alone())
        {
            if (Holds(lease)) outcome = PumpLocked(_link!, context, _environment.Clock.NowMs, sent);
            deferred = TakeDeferred();
        }

        deferred.Complete();
        if (sent is not null) sent.ForEach(message => TellDelivered(message));
        return outcome;
    }

    private DeliveryOutcome PumpLocked(ISessionLink link, RoutingContext context, long nowMs, List<QueuedMessage>? sent)
    {
        SyncRoot.MustBeHeld();
        while (_window.TryTakeReleased(out ushort packetId)) link.SendPubrel(packetId);
        while (link.HasRoom && _window.TryNextResend(out ushort packetId, out QueuedMessage open)) Resend(link, packetId, open, context, nowMs);
        int dropped = DropAged(SecondsOf(nowMs));
        var reason = DropReason.Expired;
        while (!_window.HasResends && _queue.Count > 0 && link.HasRoom && _queue.IsHeadLoaded && MaySend(_queue.Peek()))
        {
            // Taken out of the queue when it is in the window: in between nothing must be able to lose it.
            QueuedMessage next = _queue.Peek();
            if (!TrySendQueued(next, context, nowMs, ref reason)) dropped++;
            else if (next.QoS == QoS.AtMostOnce) sent?.Add(next);
            _queue.Dequeue(_store.Session);
        }

        if (!link.HasRoom && (_queue.Count > 0 || _window.HasResends)) link.RequestPumpWhenDrained();
        if (_queue.Count > 0) ReadAhead();
        return new DeliveryOutcome(DeliveryResult.Sent, dropped, reason);
    }

    private bool MaySend(in QueuedMessage head) => head.QoS switch
    {
        QoS.AtMostOnce => true,
        QoS.AtLeastOnce => _window.HasRoomFor(head.Position),
        // Seen before it is on disk, it could be seen twice.
        _ => _window.HasRoomFor(head.Position) && head.Stored is not { IsCommittedWithRecord: false },
    };

    /// <summary>Sends a message that waited; false when it is dropped instead.</summary>
    private bool TrySendQueued(in QueuedMessage next, RoutingContext context, long nowMs, ref DropReason reason)
    {
        SyncRoot.MustBeHeld();
        // The delivery of one that has expired had not begun [MQTT-3.3.2-5]; QoS 0 that may have been sent is not sent again [MQTT-4.3.1-1].
        if (next.IsLost) reason = DropReason.StoreDamaged;
        else if (next.Message!.IsExpired(nowMs)) reason = DropReason.Expired;
        // Queued under other rules, or before it was known under which.
        else if (IsWithheld(next.Message.Topic)) reason = DropReason.NotPermitted;
        else if (next is { QoS: QoS.AtMostOnce, MayBeSent: true }) reason = DropReason.MayBeSent;
        else if (next.QoS == QoS.AtMostOnce) return TrySendKept(next, context, nowMs, ref reason);
        else if (TrySendNew(next, Publication.Of(next.Message, nowMs), context, fanOut: false)) return true;
        else reason = DropReason.TooLargeForClient;
        // What is too large was done with as it left the window.
        if (reason != DropReason.TooLargeForClient) Finish(next);
        return false;
    }

    private bool TrySendKept(in QueuedMessage next, RoutingContext context, long nowMs, ref DropReason reason)
    {
        SyncRoot.MustBeHeld();
        _window.PassOver(next.Position);
        SendOutcome outcome = Send(next, Publication.Of(next.Message!, nowMs), packetId: 0, dup: false, context, fanOut: false);
        Finish(next);
        if (outcome == SendOutcome.Sent) return true;
        reason = outcome == SendOutcome.TooLarge ? DropReason.TooLargeForClient : DropReason.SlowClient;
        return false;
    }

    /// <summary>Begins to send a message; false when it is larger than the client takes, and is dropped.</summary>
    private bool TrySendNew(in QueuedMessage delivery, in Publication publication, RoutingContext context, bool fanOut)
    {
        SyncRoot.MustBeHeld();
        ushort packetId = _window.Begin(delivery);
        if (Send(delivery, publication, packetId, delivery.MayBeSent, context, fanOut) != SendOutcome.TooLarge) return true;
        Finish(_window.Drop(packetId));
        return false;
    }

    /// <summary>Sends what is in flight again, or its PUBREL. A message begun is finished even when it has expired since [MQTT-4.3.3-7].</summary>
    private void Resend(ISessionLink link, ushort packetId, in QueuedMessage open, RoutingContext context, long nowMs)
    {
        SyncRoot.MustBeHeld();
        if (open.State == DeliveryState.Released) link.SendPubrel(packetId);
        if (open.State != DeliveryState.Published) return;
        SendOutcome outcome = Send(open, Publication.Of(open.Message!, nowMs), packetId, dup: true, context, fanOut: false);
        if (outcome == SendOutcome.TooLarge) Finish(_window.Drop(packetId));
    }

    private SendOutcome Send(
        in QueuedMessage delivery, in Publication publication, ushort packetId, bool dup, RoutingContext context, bool fanOut) =>
        _link!.Send(
            new Delivery
            {
                QoS = delivery.QoS,
                Retain = delivery.Retain,
                Dup = dup,
                PacketId = packetId,
                Position = delivery.Position,
                SubscriptionIdentifiers = delivery.SubscriptionIdentifiers,
                IsFanOut = fanOut,
                SharedFilter = delivery.SharedFilter,
                WaitedSeconds = TellsWait ? Math.Max(0, SecondsOf(_environment.Clock.NowMs) - delivery.QueuedAtSeconds) : 0,
            },
            publication,
            context);

    /// <summary>Asks the disk for what the client will be sent soon.</summary>
    private void ReadAhead()
    {
        SyncRoot.MustBeHeld();
        if (_store.Session is not { } stored || _queue.IsReadingOrAhead(ReadAheadMessages / 2)) return;
        List<SpilledDelivery> wanted = _queue.TakeUnloaded(ReadAheadMessages, stored);
        if (wanted.Count > 0) Journal.Load(stored, wanted);
    }
}
