using System.Buffers.Binary;
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

    private readonly Traits _traits;

    internal PropertyBlock(ReadOnlySpan<byte> bytes, scoped in Traits traits)
    {
        Bytes = bytes;
        _traits = traits;
    }

    /// <summary>The properties on the wire, without the property length.</summary>
    public ReadOnlySpan<byte> Bytes { get; }

    /// <summary>Whether there is none.</summary>
    public bool IsEmpty => Bytes.IsEmpty;

    /// <summary>Bytes with the property length in front.</summary>
    internal int EncodedLength => VariableByteInteger.Length((uint)Bytes.Length) + Bytes.Length;

    /// <summary>Whether the property is present.</summary>
    public bool Has(PropertyId id) => (_traits.Present & (1UL << (int)id)) != 0;

    /// <summary>The topic alias of a PUBLISH; 0: none.</summary>
    public ushort TopicAlias => _traits.TopicAlias;

    /// <summary>The integer value of a property, or <paramref name="absent"/>.</summary>
    public uint GetNumber(PropertyId id, uint absent) => Has(id) ? NumberAt(PlaceOf(id)) : absent;

    /// <summary>The string or binary value of a property, or an empty span.</summary>
    public ReadOnlySpan<byte> GetValue(PropertyId id) => Has(id) ? Find(id).Value : default;

    /// <summary>Enumerates the properties in their order.</summary>
    public Enumerator GetEnumerator() => new(this);

    /// <summary>Whether every property goes with a forwarded message unchanged, so that <see cref="Bytes"/> can be used as it is.</summary>
    public bool IsForwardedUnchanged => (_traits.Present & NotForwarded) == 0;

    /// <summary>
    /// What goes with a forwarded message unchanged, where it stands in one piece, as it nearly always does; else <see cref="CopyForwarded"/> puts it together.
    /// </summary>
    public bool TryGetForwarded(out ReadOnlySpan<byte> forwarded)
    {
        forwarded = _traits.ForwardedLength >= 0 ? Bytes.Slice(_traits.ForwardedFrom, _traits.ForwardedLength) : default;
        return _traits.ForwardedLength >= 0;
    }

    /// <summary>
    /// Copies what goes with a forwarded message unchanged and in order [MQTT-3.3.2-17], [MQTT-3.3.2-18]: all but alias, expiry, will delay and
    /// subscription identifiers. Returns the bytes written, at most <c>Bytes.Length</c>.
    /// </summary>
    public int CopyForwarded(Span<byte> destination)
    {
        int written = 0;
        int from = 0;
        int at = 0;
        while (at < Bytes.Length)
        {
            int next = at + LengthAt(at);
            if ((NotForwarded & (1UL << Bytes[at])) != 0)
            {
                Bytes[from..at].CopyTo(destination[written..]);
                written += at - from;
                from = next;
            }

            at = next;
        }

        Bytes[from..].CopyTo(destination[written..]);
        return written + at - from;
    }

    /// <summary>Reads the properties that go with a message, without the property length; false: they are none.</summary>
    public static bool TryRead(ReadOnlySpan<byte> properties, out PropertyBlock block) => TryValidate(properties, PacketType.Publish, out block, out _);

    /// <summary>
    /// Whether these are valid properties of a PUBLISH, without the property length, and all of those that go with a forwarded message unchanged.
    /// </summary>
    public static bool AreForwardable(ReadOnlySpan<byte> properties) =>
        TryValidate(properties, PacketType.Publish, out PropertyBlock block, out _) && block.IsForwardedUnchanged;

    /// <summary>
    /// A block over bytes that this process has built, not for a PUBLISH; a bit of <paramref name="present"/> is set for each identifier in them.
    /// </summary>
    internal static PropertyBlock Trusted(ReadOnlySpan<byte> bytes, ulong present) =>
        new(bytes, new Traits(present, 0, (present & NotForwarded) == 0 ? bytes.Length : -1, 0));

    /// <summary>Reads property length and properties; refuses unknown, misplaced and repeated ones and impossible values.</summary>
    internal static bool TryRead(scoped ref SpanReader reader, PacketType packet, out PropertyBlock block, out ParseError error)
    {
        block = default;
        if (!TryReadBytes(ref reader, out ReadOnlySpan<byte> bytes, out error)) return false;
        return bytes.IsEmpty || TryValidate(bytes, packet, out block, out error);
    }

    /// <summary>The same for a PUBLISH, whose properties may be those that the memo knows to be valid.</summary>
    internal static bool TryReadOfPublish(scoped ref SpanReader reader, PropertyMemo memo, out PropertyBlock block, out ParseError error)
    {
        block = default;
        if (!TryReadBytes(ref reader, out ReadOnlySpan<byte> bytes, out error)) return false;
        if (bytes.IsEmpty || memo.TryRecall(bytes, out block)) return true;
        if (!TryValidate(bytes, PacketType.Publish, out block, out error)) return false;
        memo.Remember(block);
        return true;
    }

    /// <summary>What is known of the block besides its bytes.</summary>
    internal Traits KnownTraits => _traits;

    private static bool TryReadBytes(scoped ref SpanReader reader, out ReadOnlySpan<byte> bytes, out ParseError error)
    {
        bytes = default;
        if (!reader.TryReadVariableByteInteger(out uint length) || !reader.TryRead((int)length, out bytes)) return ParseError.Truncated(out error);
        error = default;
        return true;
    }

    private static bool TryValidate(ReadOnlySpan<byte> bytes, PacketType packet, out PropertyBlock block, out ParseError error)
    {
        block = default;
        error = default;
        ulong present = 0;
        int from = 0;
        int length = 0;
        int at = 0;
        ushort alias = 0;
        var reader = new SpanReader(bytes);
        while (reader.TryReadByte(out byte id))
        {
            if (!PropertyTable.IsAllowedIn(id, packet)) return ParseError.Malformed(out error, "a property does not exist or does not belong in this packet");
            if (!PropertyValues.TrySkip(ref reader, (PropertyId)id, out error)) return false;
            ulong bit = 1UL << id;
            if ((present & bit) != 0 && !PropertyTable.MayRepeat(id, packet))
            {
                return ParseError.Protocol(out error, "a property that may stand once stands twice");
            }

            present |= bit;
            int next = bytes.Length - reader.Rest.Length;
            if (id == (byte)PropertyId.TopicAlias) alias = BinaryPrimitives.ReadUInt16BigEndian(bytes[(at + 1)..]);
            if ((bit & NotForwarded) == 0)
            {
                if (length == 0) from = at;
                length = from + length == at ? next - from : -1;
            }

            at = next;
        }

        block = new PropertyBlock(bytes, new Traits(present, from, length, alias));
        return true;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private Property Find(PropertyId id)
    {
        var reader = new SpanReader(Bytes[PlaceOf(id)..]);
        Property.TryRead(ref reader, out Property property);
        return property;
    }

    /// <summary>Where a property that is present begins.</summary>
    private int PlaceOf(PropertyId id)
    {
        int at = 0;
        while (Bytes[at] != (byte)id) at += LengthAt(at);
        return at;
    }

    private uint NumberAt(int at)
    {
        ReadOnlySpan<byte> value = Bytes[(at + 1)..];
        switch (PropertyTable.TypeOf(Bytes[at]))
        {
            case PropertyType.Byte: return value[0];
            case PropertyType.UInt16: return BinaryPrimitives.ReadUInt16BigEndian(value);
            case PropertyType.UInt32: return BinaryPrimitives.ReadUInt32BigEndian(value);
            case PropertyType.VariableByteInteger:
                VariableByteInteger.Read(value, out uint number);
                return number;
            default: return 0;
        }
    }

    /// <summary>Bytes of the property that begins at a place, identifier included.</summary>
    private int LengthAt(int at)
    {
        ReadOnlySpan<byte> value = Bytes[(at + 1)..];
        switch (PropertyTable.TypeOf(Bytes[at]))
        {
            case PropertyType.Byte: return 2;
            case PropertyType.UInt16: return 3;
            case PropertyType.UInt32: return 5;
            case PropertyType.VariableByteInteger: return 1 + VariableByteInteger.Read(value, out _);
            case PropertyType.TextPair:
                int name = 2 + BinaryPrimitives.ReadUInt16BigEndian(value);
                return 1 + name + 2 + BinaryPrimitives.ReadUInt16BigEndian(value[name..]);
            default: return 3 + BinaryPrimitives.ReadUInt16BigEndian(value);
        }
    }

    /// <summary>What validation finds out about a block.</summary>
    /// <param name="Present">A bit for each identifier.</param>
    /// <param name="ForwardedFrom">Where those stand that are forwarded unchanged.</param>
    /// <param name="ForwardedLength">Their bytes; below 0: others stand between them.</param>
    /// <param name="TopicAlias">The topic alias; 0: none.</param>
    internal readonly record struct Traits(ulong Present, int ForwardedFrom, int ForwardedLength, ushort TopicAlias);

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
        public bool MoveNext() => !_reader.IsAtEnd && Property.TryRead(ref _reader, out _current);
    }
}
