using System.Buffers;
using EdgeBroker.Core;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Protocol;

namespace EdgeBroker.Mqtt.Connections;

// PUBLISH from the client (3.3).
public sealed partial class MqttConnection
{
    private InboundAliases? _inboundAliases;

    private static ReadOnlySpan<byte> SysPrefix => "$SYS/"u8;

    /// <summary>Takes a PUBLISH.</summary>
    /// <param name="frame">The packet.</param>
    /// <param name="verdict">What the limits say to it.</param>
    /// <returns>False: it cannot be taken yet and stays unread.</returns>
    private bool HandlePublish(in Frame frame, in LimitVerdict verdict)
    {
        if (!PublishPacket.TryParse(frame, _rules.Version, _context.Properties, out PublishPacket packet, out ParseError error))
        {
            Fail(error.Reason, error.Explanation);
            return true;
        }

        if (!TryTake(packet, verdict)) return false;
        _context.Counters.PublishesReceived++;
        _context.Counters.PublishBytesReceived += packet.Payload.Length;
        return true;
    }

    private bool TryTake(in PublishPacket packet, in LimitVerdict verdict)
    {
        if (!ResolveTopic(packet, out ReadOnlySpan<byte> topic) || !IsWithinGrants(packet, topic)) return true;
        if (packet.QoS == QoS.ExactlyOnce && !BeginExactlyOnce(packet.PacketId, packet.Dup)) return true;
        if (verdict.Decision == LimitDecision.Drop)
        {
            DropByLimit(packet, verdict.Limit);
            return true;
        }

        ReasonCode refusal = Refusal(packet, topic);
        if (refusal != ReasonCode.Success)
        {
            RefusePublish(packet, topic, refusal);
            return true;
        }

        PublishOutcome outcome = Route(packet, topic);
        if (packet.QoS == QoS.AtMostOnce) return true;
        // 3.1.1 cannot say that one queue was full: its PUBREC is a plain one, and a repetition must not reach the other subscribers again.
        bool cancelled = outcome.StoreIsFailing || (_rules.AcksCarryReasons && outcome.Reason.IsError());
        if (packet.QoS == QoS.ExactlyOnce && cancelled) _lease.Session.CancelExactlyOnce(_lease, packet.PacketId);
        if (outcome.StoreIsFailing && !_rules.AcksCarryReasons)
        {
            AwaitStore();
            return false;
        }

        Acknowledge(packet.QoS, packet.PacketId, outcome.Reason, outcome.Completion);
        return true;
    }

    private PublishOutcome Route(in PublishPacket packet, ReadOnlySpan<byte> topic)
    {
        PropertyBlock properties = packet.Properties;
        // The properties go on as they came but for alias and expiry, which nearly always stand before or behind the others.
        byte[]? rented = null;
        if (!properties.TryGetForwarded(out ReadOnlySpan<byte> forwarded))
        {
            rented = ArrayPool<byte>.Shared.Rent(properties.Bytes.Length);
            forwarded = rented.AsSpan(0, properties.CopyForwarded(rented));
        }

        PublishOutcome outcome = Broker.Publish(
            new Publication
            {
                Topic = topic,
                Payload = packet.Payload,
                Properties = forwarded,
                QoS = packet.QoS,
                Retain = packet.Retain,
                ExpirySeconds = properties.Has(PropertyId.MessageExpiryInterval) ? properties.GetNumber(PropertyId.MessageExpiryInterval, 0) : null,
                Publisher = _lease.Session,
                ReceivedId = packet.QoS == QoS.ExactlyOnce ? packet.PacketId : (ushort)0,
                RefusalIsTold = _rules.AcksCarryReasons,
            },
            _context);
        if (rented is not null) ArrayPool<byte>.Shared.Return(rented);
        return outcome;
    }

    /// <summary>The topic the packet names, or its alias stands for; false when the connection has been failed.</summary>
    private bool ResolveTopic(in PublishPacket packet, out ReadOnlySpan<byte> topic)
    {
        topic = packet.Topic;
        ushort alias = packet.Properties.TopicAlias;
        if (alias == 0) return true;
        if (_inboundAliases is null || !_inboundAliases.IsInRange(alias))
        {
            Fail(ReasonCode.TopicAliasInvalid, "a topic alias above the Topic Alias Maximum");
            return false;
        }

        if (!topic.IsEmpty)
        {
            _inboundAliases.Set(alias, topic);
            return true;
        }

        topic = _inboundAliases.Get(alias);
        if (!topic.IsEmpty) return true;
        Fail(ReasonCode.ProtocolError, "a topic alias that no topic was given to");
        return false;
    }

    /// <summary>Whether the client keeps to what CONNACK granted; false when the connection has been failed for it.</summary>
    private bool IsWithinGrants(in PublishPacket packet, ReadOnlySpan<byte> topic)
    {
        if ((int)packet.QoS > Options.MaxQos) Fail(ReasonCode.QoSNotSupported, "a publish above the Maximum QoS");
        else if (packet.Retain && !Options.RetainAvailable) Fail(ReasonCode.RetainNotSupported, "a retained publish, and Retain Available is 0");
        else if (packet.Properties.Has(PropertyId.SubscriptionIdentifier)) Fail(ReasonCode.ProtocolError, "a Subscription Identifier from a client");
        else if (HasTooManyLevels(topic)) Fail(ReasonCode.TopicNameInvalid, "a topic with more levels than mqtt.max_topic_levels");
        else if (packet.QoS == QoS.AtLeastOnce && !_acks.MayReceive(_lease.Session.ReceivedIdCount)) Fail(ReasonCode.ReceiveMaximumExceeded, "more unacknowledged publishes than the Receive Maximum");
        else return true;
        return false;
    }

    /// <summary>Notes a QoS 2 identifier; false when the packet is a repetition, which has been answered, or too many.</summary>
    private bool BeginExactlyOnce(ushort packetId, bool isDup)
    {
        switch (_lease.Session.TryBeginExactlyOnce(_lease, packetId, isDup, _acks.ExactlyOnceLimit, out Completion? stored))
        {
            case AckOutcome.Done:
                return true;
            case AckOutcome.Repeated:
                // The message is with us; only the answer may have been lost [MQTT-4.3.3-10].
                Acknowledge(QoS.ExactlyOnce, packetId, ReasonCode.Success, stored);
                return false;
            case AckOutcome.TooMany:
                Fail(ReasonCode.ReceiveMaximumExceeded, "more unacknowledged publishes than the Receive Maximum");
                return false;
            default:
                return false;
        }
    }

    private ReasonCode Refusal(in PublishPacket packet, ReadOnlySpan<byte> topic)
    {
        if (!MayPublish(topic, packet.QoS, packet.Retain)) return ReasonCode.NotAuthorized;
        return PayloadFormatIsTrue(packet.Properties, packet.Payload) ? ReasonCode.Success : ReasonCode.PayloadFormatInvalid;
    }

    /// <summary>Answers a publish that goes no further: 5.0 hears why, 3.1.1 is acknowledged as usual [MQTT-3.3.5-2].</summary>
    private void RefusePublish(in PublishPacket packet, ReadOnlySpan<byte> topic, ReasonCode reason)
    {
        bool denied = reason == ReasonCode.NotAuthorized;
        if (denied) Broker.Events.PublishRefused(_lease.Session.Id, topic, reason, WhyNotPublish(topic, packet.QoS, packet.Retain));
        else Broker.Events.PublishRefused(_lease.Session.Id, topic, reason);
        _context.Counters.PublishesDropped++;
        if (denied && !_rules.AcksCarryReasons && Options.DisconnectOnDeniedPublish)
        {
            if (packet.QoS == QoS.ExactlyOnce) _lease.Session.CancelExactlyOnce(_lease, packet.PacketId);
            Fail(reason, "a publish that is not permitted (auth.on_denied_publish_v311)");
            return;
        }

        if (packet.QoS == QoS.AtMostOnce) return;
        ReasonCode told = _rules.AcksCarryReasons ? reason : ReasonCode.Success;
        if (told.IsError() && packet.QoS == QoS.ExactlyOnce) _lease.Session.CancelExactlyOnce(_lease, packet.PacketId);
        Acknowledge(packet.QoS, packet.PacketId, told, null);
    }

    // $SYS is the broker's own, but for the place where mosquitto's bridges tell, by message and will, whether they are connected: refused, they could not
    // connect.
    private bool MayPublish(ReadOnlySpan<byte> topic, QoS qos, bool retain) =>
        (!topic.StartsWith(SysPrefix) || IsBridgeState(topic)) && _identity.Permissions.MayPublish(topic, qos, retain);

    private string WhyNotPublish(ReadOnlySpan<byte> topic, QoS qos, bool retain) => topic.StartsWith(SysPrefix) && !IsBridgeState(topic)
        ? "only the broker publishes under $SYS"
        : _identity.Permissions.JudgePublish(topic, qos, retain).Cause;

    private static bool IsBridgeState(ReadOnlySpan<byte> topic) =>
        topic.StartsWith("$SYS/broker/connection/"u8) && topic.EndsWith("/state"u8) && TopicName.CountLevels(topic) == 5;

    // A topic of n bytes has at most n + 1 levels, so short ones need no counting.
    private bool HasTooManyLevels(ReadOnlySpan<byte> topic) =>
        topic.Length >= Options.MaxTopicLevels && TopicName.CountLevels(topic) > Options.MaxTopicLevels;

    private static bool PayloadFormatIsTrue(PropertyBlock properties, ReadOnlySpan<byte> payload) =>
        properties.GetNumber(PropertyId.PayloadFormatIndicator, 0) == 0 || System.Text.Unicode.Utf8.IsValid(payload);
}
