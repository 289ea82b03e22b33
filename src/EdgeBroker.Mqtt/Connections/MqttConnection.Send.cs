using System.Buffers;
using System.Buffers.Binary;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Routing;
using EdgeBroker.Protocol;

namespace EdgeBroker.Mqtt.Connections;

// What the session sends. Called under the gate, on any thread.
public sealed partial class MqttConnection
{
    // Beyond this a session keeps messages in its queue rather than in the output: enough to fill a socket for a while.
    private const int EnoughOutputBytes = 256 * 1024;

    // Longer packets are not copied from the shared encoding: the copy of the payload is what costs, not the head.
    private const int LargestSharedBytes = 8 * 1024;

    private OutboundAliases? _outboundAliases;

    /// <inheritdoc/>
    bool ISessionLink.HasRoom => Output.Length < Math.Min(EnoughOutputBytes, Options.MaxOutboundBytes);

    /// <inheritdoc/>
    void ISessionLink.RequestPumpWhenDrained() => _transport.WantsTurnWhenDrained = true;

    /// <inheritdoc/>
    SendOutcome ISessionLink.SendPublish(in OutgoingPublish publish, RoutingContext context, bool fanOut)
    {
        if (publish.QoS == QoS.AtMostOnce && Output.Length >= SurelyRoomBytes && !HasRoomForQoS0(0)) return SendOutcome.NoRoom;
        int length = _outboundAliases is not null ? WriteAliased(publish, _outboundAliases)
            : fanOut ? WriteShared(publish, context.FanOut)
            : WriteOwn(publish);
        if (length == 0) return SendOutcome.TooLarge;
        context.Counters.PacketsSent++;
        context.Counters.BytesSent += length;
        context.Counters.PublishesSent++;
        context.Counters.PublishBytesSent += publish.Payload.Length;
        _transport.RequestFlush();
        return SendOutcome.Sent;
    }

    /// <inheritdoc/>
    bool ISessionLink.TrySendBurst(PublishBurst burst, RoutingContext context)
    {
        ReadOnlySpan<byte> packets;
        int largestPacketBytes;
        if (_outboundAliases is null) packets = burst.Encoded(_rules.Version, out largestPacketBytes);
        else if (!TryEncode(burst, _outboundAliases, out packets, out largestPacketBytes)) return false;
        if ((uint)largestPacketBytes > _clientMaxPacketBytes || (Output.Length + packets.Length > SurelyRoomBytes && !HasRoomForQoS0(packets.Length)))
        {
            return false;
        }

        Output.Write(packets);
        context.Counters.PacketsSent += burst.Count;
        context.Counters.BytesSent += packets.Length;
        context.Counters.PublishesSent += burst.Count;
        context.Counters.PublishBytesSent += burst.PayloadBytes;
        _transport.RequestFlush();
        return true;
    }

    /// <inheritdoc/>
    void ISessionLink.SendPubrel(ushort packetId)
    {
        Sent(new AckPacket { Type = PacketType.Pubrel, PacketId = packetId }.Write(Output, _rules.Version));
    }

    /// <inheritdoc/>
    void ISessionLink.RequestPump() => _transport.RequestTurn();

    /// <summary>
    /// Writes the packet, with an alias instead of its topic if that is not 0; returns its length, 0 when it is larger than the client accepts.
    /// </summary>
    private int WriteOwn(in OutgoingPublish publish, ushort insteadOfTopic = 0)
    {
        bool fits = _clientMaxPacketBytes == NoLimit || (uint)publish.Length(_rules.Version, insteadOfTopic) <= _clientMaxPacketBytes;
        return fits ? publish.Write(Output, _rules.Version, insteadOfTopic) : 0;
    }

    private int WriteShared(in OutgoingPublish publish, FanOutEncodings encodings)
    {
        if (publish.Payload.Length > LargestSharedBytes) return WriteOwn(publish);
        ReadOnlySpan<byte> encoded = encodings.Get(publish, _rules.Version, out int packetIdAt);
        if ((uint)encoded.Length > _clientMaxPacketBytes) return 0;
        Span<byte> copy = Output.GetSpan(encoded.Length);
        encoded.CopyTo(copy);
        if (packetIdAt != 0)
        {
            copy[packetIdAt] = (byte)(publish.PacketId >> 8);
            copy[packetIdAt + 1] = (byte)publish.PacketId;
        }

        Output.Advance(encoded.Length);
        return encoded.Length;
    }

    /// <summary>The packets of a burst under this connection's aliases; false when a topic has none yet.</summary>
    private static bool TryEncode(PublishBurst burst, OutboundAliases aliases, out ReadOnlySpan<byte> packets, out int largestPacketBytes)
    {
        Span<byte> encoded = burst.EncodedWithAliases(out ReadOnlySpan<int> places, out largestPacketBytes);
        packets = encoded;
        for (int i = 0; i < places.Length; i++)
        {
            if (!aliases.TryFind(burst.TopicOf(i), out ushort alias)) return false;
            BinaryPrimitives.WriteUInt16BigEndian(encoded[places[i]..], alias);
        }

        return true;
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
        int introduced = (publish with { TopicAlias = 1 }).Length(_rules.Version);
        return (uint)introduced > _clientMaxPacketBytes ? WriteOwn(publish) : WriteOwn(publish with { TopicAlias = aliases.Assign(publish.Topic) });
    }
}
