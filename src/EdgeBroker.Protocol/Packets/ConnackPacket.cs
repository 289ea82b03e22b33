using System.Buffers;

namespace EdgeBroker.Protocol;

/// <summary>CONNACK (3.2). In 3.1.1 the reason code travels as a return code; a code without one cannot be written.</summary>
public readonly ref struct ConnackPacket
{
    /// <summary>Whether the server resumed a stored session.</summary>
    public bool SessionPresent { get; init; }

    /// <summary>The outcome, in 5.0's codes for both versions.</summary>
    public ReasonCode ReasonCode { get; init; }

    /// <summary>What the server grants (3.2.2.3); not written in 3.1.1.</summary>
    public PropertyBlock Properties { get; init; }

    /// <summary>Reads a CONNACK.</summary>
    public static bool TryParse(scoped in Frame frame, ProtocolVersion version, out ConnackPacket packet, out ParseError error)
    {
        packet = default;
        error = default;
        var reader = new SpanReader(frame.Body);
        if (!reader.TryReadByte(out byte flags) || !reader.TryReadByte(out byte code)) return ParseError.Truncated(out error);
        if ((flags & 0xFE) != 0) return ParseError.Malformed(out error, "reserved acknowledge flags are set");
        PropertyBlock properties = default;
        if (version == ProtocolVersion.V5 && !PropertyBlock.TryRead(ref reader, PacketType.Connack, out properties, out error)) return false;
        if (!reader.IsAtEnd) return ParseError.TrailingBytes(out error);
        ReasonCode reason = version == ProtocolVersion.V5 ? (ReasonCode)code : ReasonCodes.FromConnectReturnCode(code);
        if (!reason.IsAllowedIn(PacketType.Connack) || (reason != ReasonCode.Success && flags != 0))
        {
            return ParseError.Protocol(out error, "the reason code does not belong in CONNACK, or a refusal claims a session");
        }

        packet = new ConnackPacket { SessionPresent = flags == 1, ReasonCode = reason, Properties = properties };
        return true;
    }

    /// <summary>Bytes of the whole packet.</summary>
    public int Length(ProtocolVersion version) => PacketWriter.PacketLength(BodyLength(version));

    /// <summary>Writes the packet.</summary>
    /// <exception cref="InvalidOperationException">3.1.1 has no return code for <see cref="ReasonCode"/>.</exception>
    public void Write(IBufferWriter<byte> output, ProtocolVersion version)
    {
        byte code = version == ProtocolVersion.V5 ? (byte)ReasonCode
            : ReasonCode.ToConnectReturnCode() ?? throw new InvalidOperationException($"MQTT 3.1.1 has no return code for {ReasonCode}.");
        PacketWriter writer = PacketWriter.Begin(output, (int)PacketType.Connack << 4, BodyLength(version));
        writer.WriteByte(SessionPresent ? (byte)1 : (byte)0);
        writer.WriteByte(code);
        if (version == ProtocolVersion.V5) writer.WriteProperties(Properties);
        writer.End(output);
    }

    private int BodyLength(ProtocolVersion version) => 2 + (version == ProtocolVersion.V5 ? Properties.EncodedLength : 0);
}
