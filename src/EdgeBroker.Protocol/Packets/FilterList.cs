using System.Buffers;

namespace EdgeBroker.Protocol;

/// <summary>What SUBSCRIBE and UNSUBSCRIBE have in common: packet id, properties, and at least one topic filter.</summary>
internal static class FilterList
{
    public static bool TryReadHead(
        scoped ref SpanReader reader, PacketType packet, ProtocolVersion version, out ushort packetId, out PropertyBlock properties, out ParseError error)
    {
        properties = default;
        error = ParseError.Truncated;
        if (!reader.TryReadUInt16(out packetId)) return false;
        error = ParseError.ZeroPacketId;
        if (packetId == 0) return false;
        if (version == ProtocolVersion.V5 && !PropertyBlock.TryRead(ref reader, packet, out properties, out error)) return false;
        error = ParseError.Protocol("the packet holds no topic filter");
        return !reader.IsAtEnd;
    }

    public static bool TryReadFilter(scoped ref SpanReader reader, out ReadOnlySpan<byte> filter, out ParseError error)
    {
        if (!reader.TryReadText(out filter, out error)) return false;
        error = ParseError.Malformed("a topic filter is empty or misplaces a wildcard or a share name");
        return TopicFilter.IsValid(filter);
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
