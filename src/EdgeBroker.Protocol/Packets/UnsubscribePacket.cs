using System.Buffers;

namespace EdgeBroker.Protocol;

/// <summary>UNSUBSCRIBE (3.10). The payload is checked whole on parsing and then walked in place.</summary>
public readonly ref struct UnsubscribePacket
{
    /// <summary>The packet identifier.</summary>
    public ushort PacketId { get; init; }

    /// <summary>User properties.</summary>
    public PropertyBlock Properties { get; init; }

    /// <summary>The encoded filters, a string each; <see cref="AppendFilter"/> makes them.</summary>
    public ReadOnlySpan<byte> Filters { get; init; }

    /// <summary>Number of filters; set by parsing.</summary>
    public int Count { get; private init; }

    /// <summary>Reads an UNSUBSCRIBE.</summary>
    public static bool TryParse(scoped in Frame frame, ProtocolVersion version, out UnsubscribePacket packet, out ParseError error)
    {
        packet = default;
        var reader = new SpanReader(frame.Body);
        if (!FilterList.TryReadHead(ref reader, PacketType.Unsubscribe, version, out ushort packetId, out PropertyBlock properties, out error)) return false;
        ReadOnlySpan<byte> filters = reader.Rest;
        int count = 0;
        while (!reader.IsAtEnd)
        {
            if (!FilterList.TryReadFilter(ref reader, out _, out error)) return false;
            count++;
        }

        packet = new UnsubscribePacket { PacketId = packetId, Properties = properties, Filters = filters, Count = count };
        return true;
    }

    /// <summary>Enumerates the filters.</summary>
    public Enumerator GetEnumerator() => new(Filters);

    /// <summary>Adds a filter to the payload of an UNSUBSCRIBE to be written.</summary>
    public static void AppendFilter(IBufferWriter<byte> filters, ReadOnlySpan<byte> filter)
    {
        var writer = new PacketWriter(filters.GetSpan(2 + filter.Length));
        writer.WriteBinary(filter);
        writer.End(filters);
    }

    /// <summary>Writes the packet.</summary>
    public void Write(IBufferWriter<byte> output, ProtocolVersion version) =>
        FilterList.Write(output, PacketType.Unsubscribe, PacketId, Properties, Filters, version);

    /// <summary>Walks the filters of a parsed UNSUBSCRIBE.</summary>
    public ref struct Enumerator
    {
        private SpanReader _reader;
        private ReadOnlySpan<byte> _current;

        internal Enumerator(ReadOnlySpan<byte> filters) => _reader = new SpanReader(filters);

        /// <summary>The filter the walk stands on.</summary>
        public readonly ReadOnlySpan<byte> Current => _current;

        /// <summary>Steps to the next filter; false behind the last.</summary>
        public bool MoveNext() => _reader.TryReadBinary(out _current);
    }
}
