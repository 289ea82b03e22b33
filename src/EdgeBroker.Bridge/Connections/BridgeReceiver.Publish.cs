using EdgeBroker.Bridge.Routes;
using EdgeBroker.Client;
using EdgeBroker.Core;
using EdgeBroker.Core.Ingress;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Protocol;

namespace EdgeBroker.Bridge.Connections;

// Messages of the other broker.
internal sealed partial class BridgeReceiver
{
    private bool TryTakePublish(in Frame frame)
    {
        if (!PublishPacket.TryParse(frame, Version, out PublishPacket packet, out ParseError error)) throw MqttException.Violation(error);
        if (packet.Topic.IsEmpty) throw MqttException.Violation(ReasonCode.TopicAliasInvalid, "a topic alias, although none was allowed");
        if (_isPassingOver && packet.QoS != QoS.AtMostOnce) return true;
        // Also of QoS 0: order is kept, and what waits is bounded.
        if (_acks.IsFull(out _waiting)) return false;
        if (packet.QoS == QoS.ExactlyOnce && !BeginExactlyOnce(packet)) return true;
        if (FindReasonToIgnore(packet, out RoutedTopic? routed))
        {
            Ignore(packet);
            return true;
        }

        PublishVerdict verdict = Publish(packet, routed!);
        if (verdict.Decision == PublishDecision.Retry)
        {
            if (packet.QoS == QoS.ExactlyOnce) _lease.Session.CancelExactlyOnce(_lease, packet.PacketId);
            return PassesOver(packet, verdict);
        }

        _heldSinceMs = null;
        Conclude(packet, verdict);
        return true;
    }

    private bool BeginExactlyOnce(in PublishPacket packet)
    {
        int limit = _bridge.Options.Connection.ReceiveMaximum + _bridge.Options.Connection.ReceiveMaximumTolerance;
        switch (_lease.Session.TryBeginExactlyOnce(_lease, packet.PacketId, packet.Dup, limit, out Completion? stored))
        {
            case AckOutcome.Done:
                return true;
            case AckOutcome.Repeated:
                _acks.Add(new InboundAck(stored, PacketType.Pubrec, packet.PacketId, ReasonCode.Success));
                return false;
            case AckOutcome.TooMany:
                throw MqttException.Violation(ReasonCode.ReceiveMaximumExceeded, "more messages are in flight than Receive Maximum allows");
            default:
                return false;
        }
    }

    /// <summary>Whether a message is none of ours: no route leads in, or it has been here before.</summary>
    private bool FindReasonToIgnore(in PublishPacket packet, out RoutedTopic? routed)
    {
        routed = _bridge.Routes.FindIn(packet.Topic, packet.Payload.Length);
        if (routed is null or { Excess: not null })
        {
            _bridge.Counters.CountUnwanted();
            return true;
        }

        bool isLoop = _bridge.Path.IsLoop(packet.Properties) || (_bridge.Echoes?.IsEcho(packet.Topic, packet.Payload, _broker.Clock.NowMs) ?? false);
        if (isLoop) _bridge.Counters.CountLoop();
        return isLoop;
    }

    /// <summary>Acknowledges a message of which nothing is kept.</summary>
    private void Ignore(in PublishPacket packet)
    {
        if (packet.QoS == QoS.AtLeastOnce) _acks.Add(new InboundAck(null, PacketType.Puback, packet.PacketId, ReasonCode.Success));
        if (packet.QoS == QoS.ExactlyOnce) _acks.Add(new InboundAck(null, PacketType.Pubrec, packet.PacketId, ReasonCode.Success));
    }

    private PublishVerdict Publish(in PublishPacket packet, RoutedTopic routed)
    {
        PropertyBlock properties = packet.Properties;
        if (!properties.TryGetForwarded(out ReadOnlySpan<byte> forwarded))
        {
            byte[] copy = new byte[properties.Bytes.Length];
            forwarded = copy.AsSpan(0, properties.CopyForwarded(copy));
        }

        if (_remotePath is not null) forwarded = _remotePath.Append(forwarded);
        return _broker.Ingress.Publish(
            new Publication
            {
                Topic = routed.Topic,
                Payload = packet.Payload,
                Properties = forwarded,
                QoS = packet.QoS,
                Retain = packet.Retain && routed.Route.KeepsRetain,
                ExpirySeconds = properties.Has(PropertyId.MessageExpiryInterval) ? properties.GetNumber(PropertyId.MessageExpiryInterval, 0) : null,
                Publisher = _lease.Session,
                ReceivedId = packet.QoS == QoS.ExactlyOnce ? packet.PacketId : (ushort)0,
                RefusalIsTold = true,
                IsText = properties.GetNumber(PropertyId.PayloadFormatIndicator, 0) == 1,
            },
            _principal,
            _context);
    }

    private void Conclude(in PublishPacket packet, in PublishVerdict verdict)
    {
        _link.CountReceived();
        _context.Counters.PacketsReceivedBy[(int)PacketType.Publish]++;
        _context.Counters.PublishesReceivedBy[(int)packet.QoS]++;
        _context.Counters.PublishBytesReceived += packet.Payload.Length;
        bool isRefused = verdict.Reason.IsError();
        if (isRefused) _bridge.NoteNotPublished(verdict);
        else _bridge.Counters.CountReceived();
        // What cannot be published here never can: it is done with, and 5.0 is told so.
        if (packet.QoS == QoS.ExactlyOnce && isRefused) _lease.Session.CancelExactlyOnce(_lease, packet.PacketId);
        ReasonCode told = Version == ProtocolVersion.V5 ? verdict.Reason : ReasonCode.Success;
        if (packet.QoS == QoS.AtMostOnce) return;
        PacketType type = packet.QoS == QoS.AtLeastOnce ? PacketType.Puback : PacketType.Pubrec;
        if (!told.IsAllowedIn(type)) told = told.IsError() ? ReasonCode.UnspecifiedError : ReasonCode.Success;
        _acks.Add(new InboundAck(verdict.Completion, type, packet.PacketId, told));
    }

    /// <summary>
    /// The store does not take a message. It is waited for, but not for long: then this message and those after it are left unacknowledged, so that the other
    /// side's acknowledgements are read. It sends them again by the next connection, which is made when the store is well.
    /// </summary>
    private bool PassesOver(in PublishPacket packet, in PublishVerdict verdict)
    {
        long nowMs = _broker.Clock.NowMs;
        _heldSinceMs ??= nowMs;
        if (nowMs - _heldSinceMs < HoldTime.TotalMilliseconds)
        {
            AwaitStore();
            return false;
        }

        if (packet.QoS == QoS.AtMostOnce)
        {
            _heldSinceMs = null;
            _bridge.NoteNotPublished(verdict);
            return true;
        }

        _isPassingOver = true;
        BridgeLog.PassingOver(_bridge.Environment.Log, _bridge.Options.Name, verdict.Cause ?? Broker.StoreCannotBeWritten);
        LeaveWhenStoreIsWell(nowMs + (long)HoldTime.TotalMilliseconds);
        return true;
    }

    private void AwaitStore()
    {
        if (_storeTold is null or { Task.IsCompleted: true })
        {
            var told = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _storeTold = told;
            _broker.WhenStoreRecovers(_lease.Session.Id, () => told.TrySetResult());
        }

        _waiting = _storeTold;
    }

    private void LeaveWhenStoreIsWell(long notBeforeMs) => _broker.WhenStoreRecovers(_lease.Session.Id, () =>
    {
        if (_isOver) return;
        if (_broker.StoreHold.Condition == JournalCondition.Ready && _broker.Clock.NowMs >= notBeforeMs) _channel.Remote.Close();
        else LeaveWhenStoreIsWell(notBeforeMs);
    });
}
