using System.Buffers;
using System.Buffers.Binary;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Topics;
using EdgeBroker.Mqtt.Sending;
using EdgeBroker.Protocol;

namespace EdgeBroker.Mqtt.Connections;

// PUBLISH to the client (3.3).
internal sealed partial class MqttLink
{
    // Beyond this a session keeps messages in its queue rather than in the output: enough to fill a socket for a while.
    private const int EnoughOutputBytes = 256 * 1024;

    // Longer packets are not copied from the shared encoding: the copy of the payload is what costs, not the head.
    private const int LargestSharedBytes = 8 * 1024;

    // The least that mqtt.max_outbound_bytes can be set to: below it nothing has to be looked up.
    private const int SurelyRoomBytes = 4 * 1024;

    private OutboundAliases? _aliases;

    /// <inheritdoc/>
    public bool HasRoom => Output.Length < Math.Min(Math.Min(EnoughOutputBytes, Options.MaxOutboundBytes), Endpoint.Broker.Limits.MostOutputBytes);

    /// <inheritdoc/>
    public SendOutcome Send(in Delivery delivery, in Publication message, RoutingContext context)
    {
        Output.SyncRoot.MustBeHeld();
        if (delivery.QoS == QoS.AtMostOnce && Output.Length >= SurelyRoomBytes && !HasRoomForQoS0(0)) return SendOutcome.NoRoom;
        int length = Write(delivery, message, context);
        if (length == 0) return SendOutcome.TooLarge;
        CountSent(delivery.QoS, 1, length, message.Payload.Length, context);
        return SendOutcome.Sent;
    }

    /// <inheritdoc/>
    public bool TrySend(in MessageSegment segment, Subscription subscription, RoutingContext context)
    {
        Output.SyncRoot.MustBeHeld();
        if (subscription.Identifiers is not null && Version == ProtocolVersion.V5) return false;
        PublishEncoder encoder = PublishEncoder.Of(context);
        if (_aliases is not null) return TrySendAliased(segment, _aliases, encoder, context);
        ReadOnlySpan<byte> packets = encoder.Encode(segment, Version, out int largestPacketBytes);
        if (!Fits(packets.Length, largestPacketBytes)) return false;
        Output.Write(packets);
        CountSent(QoS.AtMostOnce, segment.Count, packets.Length, segment.PayloadBytes, context);
        return true;
    }

    /// <summary>Writes the messages of a segment under this connection's aliases; false when a topic has none yet.</summary>
    private bool TrySendAliased(in MessageSegment segment, OutboundAliases aliases, PublishEncoder encoder, RoutingContext context)
    {
        Span<byte> packets = encoder.EncodeWithAliasGaps(segment, out ReadOnlySpan<int> gaps, out int largestPacketBytes);
        // First: an alias that was looked for counts as used.
        if (!Fits(packets.Length, largestPacketBytes)) return false;
        for (int i = 0; i < gaps.Length; i++)
        {
            if (!aliases.TryFind(segment.TopicOf(i), out ushort alias)) return false;
            BinaryPrimitives.WriteUInt16BigEndian(packets[gaps[i]..], alias);
        }

        Output.Write(packets);
        CountSent(QoS.AtMostOnce, segment.Count, packets.Length, segment.PayloadBytes, context);
        return true;
    }

    private bool Fits(int bytes, int largestPacketBytes) =>
        (uint)largestPacketBytes <= MaxPacketBytes && (Output.Length + bytes <= SurelyRoomBytes || HasRoomForQoS0(bytes));

    private void CountSent(QoS qos, int packets, int bytes, long payloadBytes, RoutingContext context)
    {
        context.Counters.BytesSent += bytes;
        context.Counters.PublishesSentBy[(int)qos] += packets;
        context.Counters.PublishBytesSent += payloadBytes;
        _messagesSent += packets;
        _bytesSent += bytes;
        Transport.RequestFlush();
    }

    /// <summary>Whether QoS 0 may be added to what waits for the client.</summary>
    private bool HasRoomForQoS0(int bytes)
    {
        // One message more than the bound may be there, so that any can be sent.
        int most = bytes == 0 ? Output.Length + 1 : Output.Length + bytes;
        if (most > Options.MaxOutboundBytes) return false;
        BrokerLimits limits = Endpoint.Broker.Limits;
        if (most <= limits.MostQoS0OutputBytes) return true;
        // What does not fit as a whole is tried one by one, and counted then.
        if (bytes == 0) limits.Count(LimitKind.MaxMemory, LimitAction.Dropped);
        return false;
    }

    /// <summary>Writes the packet; returns its length, 0 when it is larger than the client accepts.</summary>
    private int Write(in Delivery delivery, in Publication message, RoutingContext context)
    {
        bool isSameForAll = _aliases is null && (delivery.SubscriptionIdentifiers is null || Version == ProtocolVersion.V311);
        if (isSameForAll && delivery is { QoS: QoS.AtMostOnce, Retain: false } && message.PacketVersion == Version) return WriteCopy(message.Packet);
        var publish = new OutgoingPublish
        {
            Topic = message.Topic,
            Payload = message.Payload,
            ForwardedProperties = message.Properties,
            ExpirySeconds = message.ExpirySeconds,
            SubscriptionIdentifiers = delivery.SubscriptionIdentifiers,
            QoS = delivery.QoS,
            Retain = delivery.Retain,
            Dup = delivery.Dup,
            PacketId = delivery.PacketId,
        };
        if (_aliases is not null) return WriteAliased(publish, _aliases);
        return isSameForAll && delivery.IsFanOut && publish.Payload.Length <= LargestSharedBytes
            ? WriteShared(publish, PublishEncoder.Of(context))
            : WriteOwn(publish);
    }

    private int WriteCopy(ReadOnlySpan<byte> packet)
    {
        if ((uint)packet.Length > MaxPacketBytes) return 0;
        Output.Write(packet);
        return packet.Length;
    }

    private int WriteShared(in OutgoingPublish publish, PublishEncoder encoder)
    {
        ReadOnlySpan<byte> encoded = encoder.Encode(publish, Version, out int packetIdAt);
        if ((uint)encoded.Length > MaxPacketBytes) return 0;
        Span<byte> copy = Output.GetSpan(encoded.Length);
        encoded.CopyTo(copy);
        if (packetIdAt != 0) BinaryPrimitives.WriteUInt16BigEndian(copy[packetIdAt..], publish.PacketId);
        Output.Advance(encoded.Length);
        return encoded.Length;
    }

    /// <summary>Writes the packet in a form of its own, with an alias instead of its topic if that is not 0.</summary>
    private int WriteOwn(in OutgoingPublish publish, ushort insteadOfTopic = 0)
    {
        bool fits = (uint)publish.Length(Version, insteadOfTopic) <= MaxPacketBytes;
        return fits ? publish.Write(Output, Version, insteadOfTopic) : 0;
    }

    private int WriteAliased(in OutgoingPublish publish, OutboundAliases aliases)
    {
        if (aliases.TryFind(publish.Topic, out ushort alias))
        {
            int length = WriteOwn(publish, insteadOfTopic: alias);
            // A topic of one or two bytes is shorter than its alias.
            return length == 0 ? WriteOwn(publish) : length;
        }

        // The packet that introduces an alias is three bytes longer; where that is too much, the topic goes without.
        int introduced = (publish with { TopicAlias = 1 }).Length(Version);
        // While memory is short no further topic is kept.
        bool isAssigned = (uint)introduced <= MaxPacketBytes && Endpoint.Broker.Limits.Ledger.HasRoomFor(publish.Topic.Length);
        return !isAssigned ? WriteOwn(publish) : WriteOwn(publish with { TopicAlias = aliases.Assign(publish.Topic) });
    }
}
