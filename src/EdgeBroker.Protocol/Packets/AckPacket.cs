using System.Buffers;

namespace EdgeBroker.Protocol;

/// <summary>PUBACK, PUBREC, PUBREL and PUBCOMP (3.4 to 3.7), which share one form.</summary>
public readonly ref struct AckPacket
{
    /// <summary>Which of the four.</summary>
    public PacketType Type { get; init; }

    /// <summary>The packet identifier of the PUBLISH it belongs to.</summary>
    public ushort PacketId { get; init; }

    /// <summary>The outcome; always success in 3.1.1.</summary>
    public ReasonCode ReasonCode { get; init; }

    /// <summary>Reason string and user properties.</summary>
    public PropertyBlock Properties { get; init; }

    /// <summary>Reads one of the four packets.</summary>
    public static bool TryParse(scoped in Frame frame, ProtocolVersion version, out AckPacket packet, out ParseError error)
    {
        packet = default;
        error = default;
        var reader = new SpanReader(frame.Body);
        if (!reader.TryReadUInt16(out ushort packetId)) return ParseError.Truncated(out error);
        if (packetId == 0) return ParseError.ZeroPacketId(out error);
        byte code = 0;
        PropertyBlock properties = default;
        if (version == ProtocolVersion.V5 && reader.TryReadByte(out code) && !reader.IsAtEnd
            && !PropertyBlock.TryRead(ref reader, frame.Type, out properties, out error))
        {
            return false;
        }

        if (!reader.IsAtEnd) return ParseError.TrailingBytes(out error);
        if (!((ReasonCode)code).IsAllowedIn(frame.Type)) return ParseError.Protocol(out error, "the reason code does not belong in this packet");
        packet = new AckPacket { Type = frame.Type, PacketId = packetId, ReasonCode = (ReasonCode)code, Properties = properties };
        return true;
    }

    /// <summary>Bytes of the whole packet.</summary>
    public int Length(ProtocolVersion version) => PacketWriter.PacketLength(BodyLength(version));

    /// <summary>
    /// Writes the packet in its shortest form, a success without properties having neither code nor property length (3.4.2.1), and returns its length.
    /// </summary>
    public int Write(IBufferWriter<byte> output, ProtocolVersion version)
    {
        int bodyLength = BodyLength(version);
        PacketWriter writer = PacketWriter.Begin(output, (byte)(((int)Type << 4) | (Type == PacketType.Pubrel ? 2 : 0)), bodyLength);
        writer.WriteUInt16(PacketId);
        if (bodyLength > 2) writer.WriteByte((byte)ReasonCode);
        if (bodyLength > 3) writer.WriteProperties(Properties);
        writer.End(output);
        return PacketWriter.PacketLength(bodyLength);
    }

    private int BodyLength(ProtocolVersion version)
    {
        if (version != ProtocolVersion.V5 || (ReasonCode == ReasonCode.Success && Properties.IsEmpty)) return 2;
        return Properties.IsEmpty ? 3 : 3 + Properties.EncodedLength;
    }
}
