using System.Buffers;

namespace EdgeBroker.Protocol;

/// <summary>
/// PUBLISH to be written (3.3). Properties that travel unchanged are given as encoded bytes; expiry, alias and subscription identifiers, which belong to
/// one delivery, are given beside them. In 3.1.1 no property is written.
/// </summary>
public readonly ref struct OutgoingPublish
{
    /// <summary>The topic name, UTF-8; empty when <see cref="TopicAlias"/> stands for it.</summary>
    public ReadOnlySpan<byte> Topic { get; init; }

    /// <summary>The application message.</summary>
    public ReadOnlySpan<byte> Payload { get; init; }

    /// <summary>Encoded properties that go along unchanged.</summary>
    public ReadOnlySpan<byte> ForwardedProperties { get; init; }

    /// <summary>Message expiry interval in seconds; null: the message does not expire.</summary>
    public uint? ExpirySeconds { get; init; }

    /// <summary>Topic alias; 0: none.</summary>
    public ushort TopicAlias { get; init; }

    /// <summary>Identifiers of the subscriptions that caused the delivery.</summary>
    public ReadOnlySpan<uint> SubscriptionIdentifiers { get; init; }

    /// <summary>The QoS.</summary>
    public QoS QoS { get; init; }

    /// <summary>RETAIN.</summary>
    public bool Retain { get; init; }

    /// <summary>DUP: this packet is a re-send.</summary>
    public bool Dup { get; init; }

    /// <summary>The packet identifier; not written at QoS 0.</summary>
    public ushort PacketId { get; init; }

    /// <summary>Bytes of the whole packet; <see cref="int.MaxValue"/>: more than a packet can have.</summary>
    /// <param name="version">The receiver's version.</param>
    /// <param name="insteadOfTopic">An alias that stands for the topic; 0: the topic is written.</param>
    public int Length(ProtocolVersion version, ushort insteadOfTopic = 0)
    {
        long bodyLength = (long)SizesFor(version, insteadOfTopic).Head + Payload.Length;
        return bodyLength > VariableByteInteger.MaxValue ? int.MaxValue : PacketWriter.PacketLength((int)bodyLength);
    }

    /// <summary>Where the packet identifier stands in the packet, above QoS 0.</summary>
    public int PacketIdAt(ProtocolVersion version)
    {
        int remaining = SizesFor(version, 0).Head + Payload.Length;
        return PacketWriter.PacketLength(remaining) - remaining + sizeof(ushort) + Topic.Length;
    }

    /// <summary>Writes the packet and returns its length; the payload may be spread over several of the writer's buffers.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="version">The receiver's version.</param>
    /// <param name="insteadOfTopic">An alias that stands for the topic; 0: the topic is written.</param>
    public int Write(IBufferWriter<byte> output, ProtocolVersion version, ushort insteadOfTopic = 0)
    {
        Sizes sizes = SizesFor(version, insteadOfTopic);
        int packetLength = PacketWriter.PacketLength(sizes.Head + Payload.Length);
        // A short packet in one piece; a long payload is copied piecewise, so that no buffer of its whole size is needed.
        bool inOnePiece = packetLength <= 2048;
        Span<byte> span = output.GetSpan(inOnePiece ? packetLength : packetLength - Payload.Length);
        int written = WriteHead(span, version, insteadOfTopic, sizes);
        if (inOnePiece)
        {
            Payload.CopyTo(span[written..]);
            output.Advance(packetLength);
            return packetLength;
        }

        output.Advance(written);
        output.Write(Payload);
        return packetLength;
    }

    /// <summary>Writes the packet into <paramref name="destination"/>, which holds at least <see cref="Length"/> bytes, and returns its length.</summary>
    public int Write(Span<byte> destination, ProtocolVersion version, ushort insteadOfTopic = 0)
    {
        int written = WriteHead(destination, version, insteadOfTopic, SizesFor(version, insteadOfTopic));
        Payload.CopyTo(destination[written..]);
        return written + Payload.Length;
    }

    private int WriteHead(Span<byte> span, ProtocolVersion version, ushort insteadOfTopic, Sizes sizes)
    {
        var writer = new PacketWriter(span);
        writer.WriteFixedHeader((byte)(((int)PacketType.Publish << 4) | (Dup ? 8 : 0) | ((int)QoS << 1) | (Retain ? 1 : 0)), sizes.Head + Payload.Length);
        if (insteadOfTopic == 0) writer.WriteBinary(Topic);
        else writer.WriteUInt16(0);
        if (QoS != QoS.AtMostOnce) writer.WriteUInt16(PacketId);
        if (version == ProtocolVersion.V5) WriteProperties(ref writer, sizes.Properties, insteadOfTopic == 0 ? TopicAlias : insteadOfTopic);
        return writer.Position;
    }

    private void WriteProperties(ref PacketWriter writer, int length, ushort alias)
    {
        writer.WriteVariableByteInteger((uint)length);
        if (length == 0) return;
        if (ExpirySeconds is { } seconds)
        {
            writer.WriteByte((byte)PropertyId.MessageExpiryInterval);
            writer.WriteUInt32(seconds);
        }

        if (alias != 0)
        {
            writer.WriteByte((byte)PropertyId.TopicAlias);
            writer.WriteUInt16(alias);
        }

        writer.WriteBytes(ForwardedProperties);
        foreach (uint identifier in SubscriptionIdentifiers)
        {
            writer.WriteByte((byte)PropertyId.SubscriptionIdentifier);
            writer.WriteVariableByteInteger(identifier);
        }
    }

    private Sizes SizesFor(ProtocolVersion version, ushort insteadOfTopic)
    {
        int head = 2 + (insteadOfTopic == 0 ? Topic.Length : 0) + (QoS == QoS.AtMostOnce ? 0 : 2);
        if (version != ProtocolVersion.V5) return new Sizes(0, head);
        int properties = ForwardedProperties.Length + (ExpirySeconds is null ? 0 : 5) + ((TopicAlias | insteadOfTopic) == 0 ? 0 : 3);
        foreach (uint identifier in SubscriptionIdentifiers) properties += 1 + VariableByteInteger.Length(identifier);
        return new Sizes(properties, head + VariableByteInteger.Length((uint)properties) + properties);
    }

    /// <summary>Bytes of the properties, and of all between fixed header and payload.</summary>
    private readonly record struct Sizes(int Properties, int Head);
}
