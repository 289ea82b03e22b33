using System.Buffers;

namespace EdgeBroker.Protocol;

/// <summary>One filter of a SUBSCRIBE.</summary>
public readonly ref struct SubscriptionRequest
{
    internal SubscriptionRequest(ReadOnlySpan<byte> filter, SubscriptionOptions options)
    {
        Filter = filter;
        Options = options;
    }

    /// <summary>The topic filter, UTF-8.</summary>
    public ReadOnlySpan<byte> Filter { get; }

    /// <summary>Its options.</summary>
    public SubscriptionOptions Options { get; }
}

/// <summary>SUBSCRIBE (3.8). The payload is checked whole on parsing and then walked in place.</summary>
public readonly ref struct SubscribePacket
{
    /// <summary>The packet identifier.</summary>
    public ushort PacketId { get; init; }

    /// <summary>Subscription identifier and user properties.</summary>
    public PropertyBlock Properties { get; init; }

    /// <summary>The encoded filters: string and options byte each; <see cref="AppendFilter"/> makes them.</summary>
    public ReadOnlySpan<byte> Filters { get; init; }

    /// <summary>Number of filters; set by parsing.</summary>
    public int Count { get; private init; }

    /// <summary>Reads a SUBSCRIBE; refuses malformed filters, reserved option bits and No Local on a shared subscription.</summary>
    public static bool TryParse(scoped in Frame frame, ProtocolVersion version, out SubscribePacket packet, out ParseError error)
    {
        packet = default;
        var reader = new SpanReader(frame.Body);
        if (!FilterList.TryReadHead(ref reader, PacketType.Subscribe, version, out ushort packetId, out PropertyBlock properties, out error)) return false;
        ReadOnlySpan<byte> filters = reader.Rest;
        int count = 0;
        while (!reader.IsAtEnd)
        {
            if (!FilterList.TryReadFilter(ref reader, out ReadOnlySpan<byte> filter, out error)) return false;
            if (!reader.TryReadByte(out byte options)) return ParseError.Truncated(out error);
            if (!OptionsAreValid(new SubscriptionOptions(options), filter, version, out error)) return false;
            count++;
        }

        packet = new SubscribePacket { PacketId = packetId, Properties = properties, Filters = filters, Count = count };
        return true;
    }

    /// <summary>Enumerates the filters.</summary>
    public Enumerator GetEnumerator() => new(Filters);

    /// <summary>Adds a filter to the payload of a SUBSCRIBE to be written.</summary>
    public static void AppendFilter(IBufferWriter<byte> filters, ReadOnlySpan<byte> filter, SubscriptionOptions options)
    {
        var writer = new PacketWriter(filters.GetSpan(3 + filter.Length));
        writer.WriteBinary(filter);
        writer.WriteByte(options.Value);
        writer.End(filters);
    }

    /// <summary>Writes the packet.</summary>
    public void Write(IBufferWriter<byte> output, ProtocolVersion version) =>
        FilterList.Write(output, PacketType.Subscribe, PacketId, Properties, Filters, version);

    private static bool OptionsAreValid(SubscriptionOptions options, ReadOnlySpan<byte> filter, ProtocolVersion version, out ParseError error)
    {
        error = default;
        if (options.IsValid(version))
        {
            return !options.NoLocal || !TopicFilter.IsShared(filter) || ParseError.Protocol(out error, "No Local on a shared subscription");
        }

        // Reserved bits make the packet malformed [MQTT-3.8.3-5]; QoS 3 does so in 3.1.1, whereas 5.0 calls it and retain handling 3 protocol errors (3.8.3.1).
        return version == ProtocolVersion.V311 || (options.Value & 0xC0) != 0
            ? ParseError.Malformed(out error, "reserved bits or QoS 3 in the subscription options")
            : ParseError.Protocol(out error, "QoS 3 or retain handling 3 in the subscription options");
    }

    /// <summary>Walks the filters of a parsed SUBSCRIBE.</summary>
    public ref struct Enumerator
    {
        private SpanReader _reader;
        private SubscriptionRequest _current;

        internal Enumerator(ReadOnlySpan<byte> filters) => _reader = new SpanReader(filters);

        /// <summary>The filter the walk stands on.</summary>
        public readonly SubscriptionRequest Current => _current;

        /// <summary>Steps to the next filter; false behind the last.</summary>
        public bool MoveNext()
        {
            if (!_reader.TryReadBinary(out ReadOnlySpan<byte> filter) || !_reader.TryReadByte(out byte options)) return false;
            _current = new SubscriptionRequest(filter, new SubscriptionOptions(options));
            return true;
        }
    }
}
