using System.Buffers.Binary;

namespace EdgeBroker.Protocol;

/// <summary>Reads wire types from the front of a span; every read says false instead of passing the end.</summary>
internal ref struct SpanReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    public readonly ReadOnlySpan<byte> Rest => _rest;

    public readonly bool IsAtEnd => _rest.IsEmpty;

    public bool TryReadByte(out byte value)
    {
        value = 0;
        if (_rest.IsEmpty) return false;
        value = _rest[0];
        _rest = _rest[1..];
        return true;
    }

    public bool TryReadUInt16(out ushort value)
    {
        if (!BinaryPrimitives.TryReadUInt16BigEndian(_rest, out value)) return false;
        _rest = _rest[2..];
        return true;
    }

    public bool TryReadUInt32(out uint value)
    {
        if (!BinaryPrimitives.TryReadUInt32BigEndian(_rest, out value)) return false;
        _rest = _rest[4..];
        return true;
    }

    public bool TryReadVariableByteInteger(out uint value)
    {
        int length = VariableByteInteger.Read(_rest, out value);
        if (length <= 0) return false;
        _rest = _rest[length..];
        return true;
    }

    /// <summary>An integer in the encoding its type asks for.</summary>
    public bool TryReadNumber(PropertyType type, out uint value)
    {
        switch (type)
        {
            case PropertyType.Byte:
                bool hasByte = TryReadByte(out byte b);
                value = b;
                return hasByte;
            case PropertyType.UInt16:
                bool hasUInt16 = TryReadUInt16(out ushort n);
                value = n;
                return hasUInt16;
            case PropertyType.UInt32:
                return TryReadUInt32(out value);
            default:
                return TryReadVariableByteInteger(out value);
        }
    }

    public bool TryRead(int length, out ReadOnlySpan<byte> bytes)
    {
        bytes = default;
        if (length > _rest.Length) return false;
        bytes = _rest[..length];
        _rest = _rest[length..];
        return true;
    }

    /// <summary>Binary data (1.5.6) or a string not yet validated: two bytes of length, then that many bytes.</summary>
    public bool TryReadBinary(out ReadOnlySpan<byte> bytes)
    {
        bytes = default;
        return BinaryPrimitives.TryReadUInt16BigEndian(_rest, out ushort length) && _rest.Length - 2 >= length && Skip(2) && TryRead(length, out bytes);
    }

    /// <summary>A UTF-8 string (1.5.4); the error tells a short packet from ill-formed text.</summary>
    public bool TryReadText(out ReadOnlySpan<byte> text, out ParseError error)
    {
        if (!TryReadBinary(out text)) return ParseError.Truncated(out error);
        if (!Utf8Text.IsValid(text)) return ParseError.IllFormedText(out error);
        error = default;
        return true;
    }

    private bool Skip(int count)
    {
        _rest = _rest[count..];
        return true;
    }
}
