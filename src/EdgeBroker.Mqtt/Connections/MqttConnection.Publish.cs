using EdgeBroker.Core.Ingress;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Protocol;
using EdgeBroker.Transport.Buffers;

namespace EdgeBroker.Mqtt.Connections;

// PUBLISH from the client (3.3).
public sealed partial class MqttConnection
{
    /// <summary>Takes a PUBLISH.</summary>
    /// <param name="frame">The packet.</param>
    /// <param name="verdict">What the limits say to it.</param>
    /// <returns>False: it cannot be taken yet and stays unread.</returns>
    private bool HandlePublish(in Frame frame, in LimitVerdict verdict)
    {
        if (!PublishPacket.TryParse(frame, _link.Version, Context.Properties, out PublishPacket packet, out ParseError error))
        {
            Fail(error.Reason, error.Explanation);
            return true;
        }

        if (!TryTake(packet, verdict)) return false;
        _link.CountMessageReceived();
        Context.Counters.PublishesReceivedBy[(int)packet.QoS]++;
        Context.Counters.PublishBytesReceived += packet.Payload.Length;
        return true;
    }

    private bool TryTake(in PublishPacket packet, in LimitVerdict admitted)
    {
        if (!ResolveTopic(packet, out ReadOnlySpan<byte> topic) || !KeepsToProtocol(packet)) return true;
        if (packet.QoS == QoS.ExactlyOnce && !BeginExactlyOnce(packet.PacketId, packet.Dup)) return true;
        PublishVerdict verdict = Judge(packet, topic, admitted);
        // A client that hears of a failure, or brings the message again, may use its identifier for it. 3.1.1 does not hear: its PUBREC is a plain one, and a
        // repetition must not reach other subscribers again.
        bool isFree = verdict.Decision is PublishDecision.Retry or PublishDecision.Disconnect || (Rules.AcksCarryReasons && verdict.Reason.IsError());
        if (packet.QoS == QoS.ExactlyOnce && isFree) Lease.Session.CancelExactlyOnce(Lease, packet.PacketId);
        switch (verdict.Decision)
        {
            case PublishDecision.Retry:
                AwaitStore();
                return false;
            case PublishDecision.Disconnect:
                Fail(verdict.Reason, verdict.Cause!);
                return true;
            default:
                // 3.1.1 is acknowledged as usual [MQTT-3.3.5-2].
                ReasonCode told = Rules.AcksCarryReasons ? verdict.Reason : ReasonCode.Success;
                // What the broker lacks is told, with the key that is full; what a rule says is for the log.
                string? explanation = told == ReasonCode.QuotaExceeded ? verdict.Cause : null;
                if (packet.QoS != QoS.AtMostOnce) Acknowledge(packet.QoS, packet.PacketId, told, verdict.Completion, explanation);
                return true;
        }
    }

    private PublishVerdict Judge(in PublishPacket packet, ReadOnlySpan<byte> topic, in LimitVerdict admitted)
    {
        PropertyBlock properties = packet.Properties;
        // The properties go on as they came but for alias and expiry, which nearly always stand before or behind the others.
        byte[]? rented = null;
        if (!properties.TryGetForwarded(out ReadOnlySpan<byte> forwarded))
        {
            rented = BytePool.Rent(properties.Bytes.Length);
            forwarded = rented.AsSpan(0, properties.CopyForwarded(rented));
        }

        bool mayGoUnchanged = packet.MayGoUnchanged && rented is null;
        PublishVerdict verdict = Broker.Ingress.Publish(
            new Publication
            {
                Topic = topic,
                Payload = packet.Payload,
                Properties = forwarded,
                QoS = packet.QoS,
                Retain = packet.Retain,
                ExpirySeconds = properties.Has(PropertyId.MessageExpiryInterval) ? properties.GetNumber(PropertyId.MessageExpiryInterval, 0) : null,
                Publisher = Lease.Session,
                ReceivedId = packet.QoS == QoS.ExactlyOnce ? packet.PacketId : (ushort)0,
                RefusalIsTold = Rules.AcksCarryReasons,
                IsText = properties.GetNumber(PropertyId.PayloadFormatIndicator, 0) == 1,
                Packet = mayGoUnchanged ? packet.Bytes : default,
                PacketVersion = mayGoUnchanged ? _link.Version : default,
            },
            _principal,
            Context,
            Context.Batch,
            admitted);
        if (rented is not null) BytePool.Return(rented);
        return verdict;
    }

    /// <summary>The topic the packet names, or its alias stands for; false when the connection has been failed.</summary>
    private bool ResolveTopic(in PublishPacket packet, out ReadOnlySpan<byte> topic)
    {
        topic = packet.Topic;
        ushort alias = packet.Properties.TopicAlias;
        if (alias == 0) return true;
        _extras ??= new Extras();
        InboundAliases aliases = _extras.Aliases ??= new InboundAliases(Options.TopicAliasMaximum, Broker.Limits.Ledger);
        if (!aliases.IsInRange(alias))
        {
            Fail(ReasonCode.TopicAliasInvalid, "a topic alias above the Topic Alias Maximum");
            return false;
        }

        if (!topic.IsEmpty)
        {
            if (!aliases.IsWithinBound(alias, topic))
            {
                Fail(ReasonCode.QuotaExceeded, "the topics behind its aliases are longer than 256 KB in all");
                return false;
            }

            if (!aliases.HasRoomFor(topic))
            {
                FailForMemory();
                return false;
            }

            aliases.Set(alias, topic);
            return true;
        }

        topic = aliases.Get(alias);
        if (!topic.IsEmpty) return true;
        Fail(ReasonCode.ProtocolError, "a topic alias that no topic was given to");
        return false;
    }

    /// <summary>Whether the client keeps to what only this protocol knows; false when the connection has been failed for it.</summary>
    private bool KeepsToProtocol(in PublishPacket packet)
    {
        if (packet.Properties.Has(PropertyId.SubscriptionIdentifier))
        {
            Fail(ReasonCode.ProtocolError, "a Subscription Identifier from a client");
            return false;
        }

        if (packet.QoS != QoS.AtLeastOnce || _acks.MayReceive(Lease.Session.ReceivedIdCount)) return true;
        Fail(ReasonCode.ReceiveMaximumExceeded, "more unacknowledged publishes than the Receive Maximum");
        return false;
    }

    /// <summary>Notes a QoS 2 identifier; false when the packet is a repetition, which has been answered, or too many.</summary>
    private bool BeginExactlyOnce(ushort packetId, bool isDup)
    {
        switch (Lease.Session.TryBeginExactlyOnce(Lease, packetId, isDup, _acks.ExactlyOnceLimit, out Completion? stored))
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
}
