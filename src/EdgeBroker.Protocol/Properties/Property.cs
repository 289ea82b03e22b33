namespace EdgeBroker.Protocol;

/// <summary>One property of a validated block; valid only as long as the bytes it was read from.</summary>
public readonly ref struct Property
{
    internal Property(PropertyId id, uint number, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, ReadOnlySpan<byte> encoded)
    {
        Id = id;
        Number = number;
        Name = name;
        Value = value;
        Encoded = encoded;
    }

    /// <summary>Which property it is.</summary>
    public PropertyId Id { get; }

    /// <summary>The value of a byte, two- or four-byte or variable byte integer; else 0.</summary>
    public uint Number { get; }

    /// <summary>The name of a user property (UTF-8); else empty.</summary>
    public ReadOnlySpan<byte> Name { get; }

    /// <summary>The value of a string, binary or user property; else empty.</summary>
    public ReadOnlySpan<byte> Value { get; }

    /// <summary>The property as it stands on the wire, identifier included.</summary>
    public ReadOnlySpan<byte> Encoded { get; }

    /// <summary>Reads the property at the front of <paramref name="reader"/>, checking identifier, packet and value, but not repetition.</summary>
    internal static bool TryRead(scoped ref SpanReader reader, PacketType packet, out Property property, out ParseError error)
    {
        property = default;
        error = ParseError.Truncated;
        ReadOnlySpan<byte> start = reader.Rest;
        if (!reader.TryReadByte(out byte id)) return false;
        PropertyType type = PropertyTable.TypeOf(id);
        if (type == PropertyType.None || !PropertyTable.IsAllowedIn(id, packet))
        {
            error = ParseError.Malformed("a property does not exist or does not belong in this packet");
            return false;
        }

        if (!TryReadValue(ref reader, type, out uint number, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value, out error)) return false;
        property = new Property((PropertyId)id, number, name, value, start[..(start.Length - reader.Rest.Length)]);
        return PropertyValues.AreValid(property, out error);
    }

    private static bool TryReadValue(
        scoped ref SpanReader reader, PropertyType type, out uint number, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value, out ParseError error)
    {
        number = 0;
        name = default;
        value = default;
        error = ParseError.Truncated;
        switch (type)
        {
            case PropertyType.Byte:
                bool hasByte = reader.TryReadByte(out byte b);
                number = b;
                return hasByte;
            case PropertyType.UInt16:
                bool hasUInt16 = reader.TryReadUInt16(out ushort n);
                number = n;
                return hasUInt16;
            case PropertyType.UInt32:
                return reader.TryReadUInt32(out number);
            case PropertyType.VariableByteInteger:
                return reader.TryReadVariableByteInteger(out number);
            case PropertyType.Binary:
                return reader.TryReadBinary(out value);
            case PropertyType.Text:
                return reader.TryReadText(out value, out error);
            default:
                return reader.TryReadText(out name, out error) && reader.TryReadText(out value, out error);
        }
    }
}
