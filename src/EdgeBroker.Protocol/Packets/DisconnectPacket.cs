using System.Buffers;

namespace EdgeBroker.Protocol;

/// <summary>DISCONNECT (3.14) and AUTH (3.15): a reason code and properties, both of which may be left out.</summary>
public readonly ref struct DisconnectPacket
{
    /// <summary>DISCONNECT or AUTH.</summary>
    public PacketType Type { get; init; }

    /// <summary>The reason; success when left out.</summary>
    public ReasonCode ReasonCode { get; init; }

    /// <summary>Session expiry, reason string, authentication data and the like.</summary>
    public PropertyBlock Properties { get; init; }

    /// <summary>Reads a DISCONNECT of either version, or an AUTH.</summary>
    public static bool TryParse(scoped in Frame frame, ProtocolVersion version, out DisconnectPacket packet, out ParseError error)
    {
        packet = default;
        error = default;
        if (version == ProtocolVersion.V311 && frame.Type == PacketType.Auth) return ParseError.Malformed(out error, "AUTH does not exist in MQTT 3.1.1");
        var reader = new SpanReader(frame.Body);
        byte code = 0;
        PropertyBlock properties = default;
        if (version == ProtocolVersion.V5 && reader.TryReadByte(out code) && !reader.IsAtEnd
            && !PropertyBlock.TryRead(ref reader, frame.Type, out properties, out error))
        {
            return false;
        }

        if (!reader.IsAtEnd) return ParseError.TrailingBytes(out error);
        if (!((ReasonCode)code).IsAllowedIn(frame.Type)) return ParseError.Protocol(out error, "the reason code does not belong in this packet");
        if (frame.Type == PacketType.Auth && !AuthNamesItsMethod((ReasonCode)code, properties))
        {
            return ParseError.Protocol(out error, "an AUTH names no authentication method");
        }

        packet = new DisconnectPacket { Type = frame.Type, ReasonCode = (ReasonCode)code, Properties = properties };
        return true;
    }

    /// <summary>Bytes of the whole packet.</summary>
    public int Length(ProtocolVersion version) => PacketWriter.PacketLength(BodyLength(version));

    /// <summary>Writes the packet in its shortest form.</summary>
    public void Write(IBufferWriter<byte> output, ProtocolVersion version)
    {
        int bodyLength = BodyLength(version);
        PacketWriter writer = PacketWriter.Begin(output, (byte)((int)Type << 4), bodyLength);
        if (bodyLength > 0) writer.WriteByte((byte)ReasonCode);
        if (bodyLength > 1) writer.WriteProperties(Properties);
        writer.End(output);
    }

    // Leaving the method out is a protocol error (3.15.2.2.2), except that success and nothing else may be said without a body (3.15.2.1).
    private static bool AuthNamesItsMethod(ReasonCode code, PropertyBlock properties) =>
        properties.Has(PropertyId.AuthenticationMethod) || (code == ReasonCode.Success && properties.IsEmpty);

    private int BodyLength(ProtocolVersion version)
    {
        if (version != ProtocolVersion.V5) return 0;
        if (!Properties.IsEmpty) return 1 + Properties.EncodedLength;
        return ReasonCode == ReasonCode.Success ? 0 : 1;
    }
}
