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

    /// <summary>Bytes of the whole packet.</summary>
    public int Length(ProtocolVersion version) => PacketWriter.PacketLength(HeadLength(PropertiesLength(version), version) + Payload.Length);

    /// <summary>Writes the packet and returns its length; the payload may be spread over several of the writer's buffers.</summary>
    public int Write(IBufferWriter<byte> output, ProtocolVersion version)
    {
        int propertiesLength = PropertiesLength(version);
        int headLength = HeadLength(propertiesLength, version);
        int bodyLength = headLength + Payload.Length;
        int packetLength = PacketWriter.PacketLength(bodyLength);
        // A short packet in one piece; a long payload is copied piecewise, so that no buffer of its whole size is needed.
        bool inOnePiece = packetLength <= 2048;
        Span<byte> span = output.GetSpan(inOnePiece ? packetLength : packetLength - Payload.Length);
        int written = WriteHead(span, version, propertiesLength, bodyLength);
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
    public int Write(Span<byte> destination, ProtocolVersion version)
    {
        int propertiesLength = PropertiesLength(version);
        int written = WriteHead(destination, version, propertiesLength, HeadLength(propertiesLength, version) + Payload.Length);
        Payload.CopyTo(destination[written..]);
        return written + Payload.Length;
    }

    private int WriteHead(Span<byte> span, ProtocolVersion version, int propertiesLength, int bodyLength)
    {
        var writer = new PacketWriter(span);
        writer.WriteFixedHeader((byte)(((int)PacketType.Publish << 4) | (Dup ? 8 : 0) | ((int)QoS << 1) | (Retain ? 1 : 0)), bodyLength);
        writer.WriteBinary(Topic);
        if (QoS != QoS.AtMostOnce) writer.WriteUInt16(PacketId);
        if (version == ProtocolVersion.V5) WriteProperties(ref writer, propertiesLength);
        return writer.Position;
    }

    private void WriteProperties(ref PacketWriter writer, int propertiesLength)
    {
        writer.WriteVariableByteInteger((uint)propertiesLength);
        if (propertiesLength == 0) return;
        if (ExpirySeconds is { } seconds)
        {
            writer.WriteByte((byte)PropertyId.MessageExpiryInterval);
            writer.WriteUInt32(seconds);
        }

        if (TopicAlias != 0)
        {
            writer.WriteByte((byte)PropertyId.TopicAlias);
            writer.WriteUInt16(TopicAlias);
        }

        writer.WriteBytes(ForwardedProperties);
        foreach (uint identifier in SubscriptionIdentifiers)
        {
            writer.WriteByte((byte)PropertyId.SubscriptionIdentifier);
            writer.WriteVariableByteInteger(identifier);
        }
    }

    private int PropertiesLength(ProtocolVersion version)
    {
        if (version != ProtocolVersion.V5) return 0;
        int length = ForwardedProperties.Length + (ExpirySeconds is null ? 0 : 5) + (TopicAlias == 0 ? 0 : 3);
        foreach (uint identifier in SubscriptionIdentifiers) length += 1 + VariableByteInteger.Length(identifier);
        return length;
    }

    private int HeadLength(int propertiesLength, ProtocolVersion version) =>
        2 + Topic.Length + (QoS == QoS.AtMostOnce ? 0 : 2)
        + (version == ProtocolVersion.V5 ? VariableByteInteger.Length((uint)propertiesLength) + propertiesLength : 0);
}
