using System.Buffers;

namespace EdgeBroker.Protocol;

/// <summary>What SUBSCRIBE and UNSUBSCRIBE have in common: packet id, properties, and at least one topic filter.</summary>
internal static class FilterList
{
    public static bool TryReadHead(
        scoped ref SpanReader reader, PacketType packet, ProtocolVersion version, out ushort packetId, out PropertyBlock properties, out ParseError error)
    {
        properties = default;
        error = default;
        if (!reader.TryReadUInt16(out packetId)) return ParseError.Truncated(out error);
        if (packetId == 0) return ParseError.ZeroPacketId(out error);
        if (version == ProtocolVersion.V5 && !PropertyBlock.TryRead(ref reader, packet, out properties, out error)) return false;
        return !reader.IsAtEnd || ParseError.Protocol(out error, "the packet holds no topic filter");
    }

    public static bool TryReadFilter(scoped ref SpanReader reader, out ReadOnlySpan<byte> filter, out ParseError error)
    {
        if (!reader.TryReadText(out filter, out error)) return false;
        return TopicFilter.IsValid(filter) || ParseError.Malformed(out error, "a topic filter is empty or misplaces a wildcard or a share name");
    }

    public static void Write(
        IBufferWriter<byte> output, PacketType packet, ushort packetId, PropertyBlock properties, ReadOnlySpan<byte> filters, ProtocolVersion version)
    {
        bool v5 = version == ProtocolVersion.V5;
        PacketWriter writer = PacketWriter.Begin(output, (byte)(((int)packet << 4) | 2), 2 + (v5 ? properties.EncodedLength : 0) + filters.Length);
        writer.WriteUInt16(packetId);
        if (v5) writer.WriteProperties(properties);
        writer.WriteBytes(filters);
        writer.End(output);
    }
}
