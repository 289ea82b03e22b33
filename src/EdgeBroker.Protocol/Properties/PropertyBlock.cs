using System.Runtime.CompilerServices;

namespace EdgeBroker.Protocol;

/// <summary>
/// The properties of one packet: the validated bytes behind the property length (2.2.2), and a bit for each identifier present.
/// Reading one scans the bytes, which are few; nothing is copied. The default value is the empty block.
/// </summary>
public readonly ref struct PropertyBlock
{
    // What a server forwards with a message in a form of its own, or not at all (3.3.2.3).
    private const ulong NotForwarded =
        (1UL << (int)PropertyId.TopicAlias) | (1UL << (int)PropertyId.MessageExpiryInterval) | (1UL << (int)PropertyId.SubscriptionIdentifier)
        | (1UL << (int)PropertyId.WillDelayInterval);

    private readonly ulong _present;

    private PropertyBlock(ReadOnlySpan<byte> bytes, ulong present)
    {
        Bytes = bytes;
        _present = present;
    }

    /// <summary>The properties on the wire, without the property length.</summary>
    public ReadOnlySpan<byte> Bytes { get; }

    /// <summary>Whether there is none.</summary>
    public bool IsEmpty => Bytes.IsEmpty;

    /// <summary>Bytes with the property length in front.</summary>
    internal int EncodedLength => VariableByteInteger.Length((uint)Bytes.Length) + Bytes.Length;

    /// <summary>Whether the property is present.</summary>
    public bool Has(PropertyId id) => (_present & (1UL << (int)id)) != 0;

    /// <summary>The integer value of a property, or <paramref name="absent"/>.</summary>
    public uint GetNumber(PropertyId id, uint absent) => Has(id) ? Find(id).Number : absent;

    /// <summary>The string or binary value of a property, or an empty span.</summary>
    public ReadOnlySpan<byte> GetValue(PropertyId id) => Has(id) ? Find(id).Value : default;

    /// <summary>Enumerates the properties in their order.</summary>
    public Enumerator GetEnumerator() => new(this);

    /// <summary>Whether every property goes with a forwarded message unchanged, so that <see cref="Bytes"/> can be used as it is.</summary>
    public bool IsForwardedUnchanged => (_present & NotForwarded) == 0;

    /// <summary>
    /// Copies what goes with a forwarded message unchanged and in order [MQTT-3.3.2-17], [MQTT-3.3.2-18]: all but alias, expiry, will delay and
    /// subscription identifiers. Returns the bytes written, at most <c>Bytes.Length</c>.
    /// </summary>
    public int CopyForwarded(Span<byte> destination)
    {
        int written = 0;
        foreach (Property property in this)
        {
            if ((NotForwarded & (1UL << (int)property.Id)) != 0) continue;
            property.Encoded.CopyTo(destination[written..]);
            written += property.Encoded.Length;
        }

        return written;
    }

    /// <summary>Whether these are valid properties of a PUBLISH, without the property length, and all of those that go with a forwarded message unchanged.</summary>
    public static bool AreForwardable(ReadOnlySpan<byte> properties) => TryValidate(properties, PacketType.Publish, out PropertyBlock block, out _) && block.IsForwardedUnchanged;

    /// <summary>A block over bytes that this process has built; a bit of <paramref name="present"/> is set for each identifier in them.</summary>
    internal static PropertyBlock Trusted(ReadOnlySpan<byte> bytes, ulong present) => new(bytes, present);

    /// <summary>Reads property length and properties; refuses unknown, misplaced and repeated ones and impossible values.</summary>
    internal static bool TryRead(scoped ref SpanReader reader, PacketType packet, out PropertyBlock block, out ParseError error)
    {
        block = default;
        if (!reader.TryReadVariableByteInteger(out uint length) || !reader.TryRead((int)length, out ReadOnlySpan<byte> bytes))
            return ParseError.Truncated(out error);
        error = default;
        return length == 0 || TryValidate(bytes, packet, out block, out error);
    }

    private static bool TryValidate(ReadOnlySpan<byte> bytes, PacketType packet, out PropertyBlock block, out ParseError error)
    {
        block = default;
        error = default;
        ulong present = 0;
        var reader = new SpanReader(bytes);
        while (!reader.IsAtEnd)
        {
            if (!Property.TryRead(ref reader, packet, out Property property, out error)) return false;
            ulong bit = 1UL << (int)property.Id;
            if ((present & bit) != 0 && !PropertyTable.MayRepeat((byte)property.Id, packet))
                return ParseError.Protocol(out error, "a property that may stand once stands twice");

            present |= bit;
        }

        block = new PropertyBlock(bytes, present);
        return true;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private Property Find(PropertyId id)
    {
        foreach (Property property in this)
        {
            if (property.Id == id) return property;
        }

        return default;
    }

    /// <summary>Walks a block from front to back.</summary>
    public ref struct Enumerator
    {
        private SpanReader _reader;
        private Property _current;

        internal Enumerator(PropertyBlock block)
        {
            _reader = new SpanReader(block.Bytes);
            _current = default;
        }

        /// <summary>The property the walk stands on.</summary>
        public readonly Property Current => _current;

        /// <summary>Steps to the next property; false behind the last.</summary>
        public bool MoveNext() => !_reader.IsAtEnd && Property.TryReadValidated(ref _reader, out _current);
    }
}
