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

    /// <summary>Reads the property at the front of a validated block; false where there is none.</summary>
    internal static bool TryRead(scoped ref SpanReader reader, out Property property)
    {
        property = default;
        ReadOnlySpan<byte> start = reader.Rest;
        if (!reader.TryReadByte(out byte id)) return false;
        if (!TryReadValue(ref reader, PropertyTable.TypeOf(id), out uint number, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)) return false;
        property = new Property((PropertyId)id, number, name, value, start[..(start.Length - reader.Rest.Length)]);
        return true;
    }

    private static bool TryReadValue(
        scoped ref SpanReader reader, PropertyType type, out uint number, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        number = 0;
        name = default;
        value = default;
        return type switch
        {
            PropertyType.TextPair => reader.TryReadBinary(out name) && reader.TryReadBinary(out value),
            PropertyType.Text or PropertyType.Binary => reader.TryReadBinary(out value),
            _ => reader.TryReadNumber(type, out number),
        };
    }
}
