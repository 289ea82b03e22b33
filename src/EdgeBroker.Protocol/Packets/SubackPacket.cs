using System.Buffers;
using System.Runtime.InteropServices;

namespace EdgeBroker.Protocol;

/// <summary>SUBACK and UNSUBACK (3.9, 3.11): the same packet identifier and a reason code for each filter, in order.</summary>
public readonly ref struct SubackPacket
{
    /// <summary>SUBACK or UNSUBACK.</summary>
    public PacketType Type { get; init; }

    /// <summary>The packet identifier of the request.</summary>
    public ushort PacketId { get; init; }

    /// <summary>Reason string and user properties.</summary>
    public PropertyBlock Properties { get; init; }

    /// <summary>A code for each filter, in 5.0's values; a 3.1.1 UNSUBACK has none, and a 3.1.1 SUBACK says every failure as 0x80.</summary>
    public ReadOnlySpan<ReasonCode> ReasonCodes { get; init; }

    /// <summary>Reads a SUBACK or UNSUBACK.</summary>
    public static bool TryParse(scoped in Frame frame, ProtocolVersion version, out SubackPacket packet, out ParseError error)
    {
        packet = default;
        error = default;
        var reader = new SpanReader(frame.Body);
        if (!reader.TryReadUInt16(out ushort packetId)) return ParseError.Truncated(out error);
        if (packetId == 0) return ParseError.ZeroPacketId(out error);
        PropertyBlock properties = default;
        if (version == ProtocolVersion.V5 && !PropertyBlock.TryRead(ref reader, frame.Type, out properties, out error)) return false;
        ReadOnlySpan<ReasonCode> codes = MemoryMarshal.Cast<byte, ReasonCode>(reader.Rest);
        if (!CodesAreValid(codes, frame.Type, version, out error)) return false;
        packet = new SubackPacket { Type = frame.Type, PacketId = packetId, Properties = properties, ReasonCodes = codes };
        return true;
    }

    /// <summary>Bytes of the whole packet.</summary>
    public int Length(ProtocolVersion version) => PacketWriter.PacketLength(BodyLength(version));

    /// <summary>Writes the packet.</summary>
    public void Write(IBufferWriter<byte> output, ProtocolVersion version)
    {
        PacketWriter writer = PacketWriter.Begin(output, (byte)((int)Type << 4), BodyLength(version));
        writer.WriteUInt16(PacketId);
        if (version == ProtocolVersion.V5) writer.WriteProperties(Properties);
        if (HasCodes(version))
        {
            foreach (ReasonCode code in ReasonCodes)
            {
                writer.WriteByte((byte)(version == ProtocolVersion.V311 && code.IsError() ? ReasonCode.UnspecifiedError : code));
            }
        }

        writer.End(output);
    }

    private static bool CodesAreValid(ReadOnlySpan<ReasonCode> codes, PacketType type, ProtocolVersion version, out ParseError error)
    {
        error = default;
        if (type == PacketType.Unsuback && version == ProtocolVersion.V311) return codes.IsEmpty || ParseError.TrailingBytes(out error);
        bool valid = !codes.IsEmpty;
        foreach (ReasonCode code in codes)
        {
            // 3.1.1 has one code for every failure; the others are reserved [MQTT-3.9.3-2] (3.1.1).
            valid &= code.IsAllowedIn(type) && (version != ProtocolVersion.V311 || code <= ReasonCode.UnspecifiedError);
        }

        return valid || ParseError.Protocol(out error, "there is no reason code, or one that does not belong in this packet");
    }

    private bool HasCodes(ProtocolVersion version) => Type == PacketType.Suback || version == ProtocolVersion.V5;

    private int BodyLength(ProtocolVersion version) =>
        2 + (version == ProtocolVersion.V5 ? Properties.EncodedLength : 0) + (HasCodes(version) ? ReasonCodes.Length : 0);
}
