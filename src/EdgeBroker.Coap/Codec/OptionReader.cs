namespace EdgeBroker.Coap.Codec;

/// <summary>One option of a message; its value is a slice of the datagram.</summary>
/// <param name="number">Its number.</param>
/// <param name="value">Its value.</param>
public readonly ref struct CoapOption(int number, ReadOnlySpan<byte> value)
{
    /// <summary>Its number, known or not.</summary>
    public int Number { get; } = number;

    /// <summary>Its value.</summary>
    public ReadOnlySpan<byte> Value { get; } = value;

    /// <summary>Reads the value as an unsigned integer (RFC 7252, 3.2); false when it has more than four bytes.</summary>
    public bool TryGetUInt(out uint number)
    {
        number = 0;
        if (Value.Length > 4) return false;
        foreach (byte b in Value) number = (number << 8) | b;
        return true;
    }
}

/// <summary>Walks the options of a message in their order (RFC 7252, 3.1).</summary>
public ref struct OptionReader
{
    private const int PayloadMarker = 0xFF;
    private const int OneByteMore = 13;
    private const int TwoBytesMore = 14;
    private const int Reserved = 15;

    private ReadOnlySpan<byte> _rest;
    private int _number;

    /// <param name="bytes">What stands behind the token.</param>
    public OptionReader(ReadOnlySpan<byte> bytes) => _rest = bytes;

    /// <summary>The option found.</summary>
    public CoapOption Current { get; private set; }

    /// <summary>What stands behind the options read so far.</summary>
    internal readonly ReadOnlySpan<byte> Rest => _rest;

    /// <summary>What was wrong where <see cref="MoveNext"/> said false; <see cref="CoapFormatError.None"/>: the options end there.</summary>
    public CoapFormatError Error { get; private set; }

    /// <summary>For foreach.</summary>
    public readonly OptionReader GetEnumerator() => this;

    /// <summary>Goes on to the next option; false behind the last, and where the bytes are wrong.</summary>
    public bool MoveNext()
    {
        if (_rest.IsEmpty || _rest[0] == PayloadMarker) return false;
        int delta = _rest[0] >> 4;
        int length = _rest[0] & 15;
        _rest = _rest[1..];
        if (delta == Reserved || length == Reserved) return Fail(CoapFormatError.ReservedOptionNibble);
        if (!TryExtend(ref delta) || !TryExtend(ref length)) return Fail(CoapFormatError.TruncatedOption);
        if (length > _rest.Length) return Fail(CoapFormatError.TruncatedOption);
        _number += delta;
        if (_number > ushort.MaxValue) return Fail(CoapFormatError.OptionNumberTooLarge);
        Current = new CoapOption(_number, _rest[..length]);
        _rest = _rest[length..];
        return true;
    }

    private bool TryExtend(ref int nibble)
    {
        if (nibble < OneByteMore) return true;
        int more = nibble == TwoBytesMore ? 2 : 1;
        if (_rest.Length < more) return false;
        nibble = more == 1 ? OneByteMore + _rest[0] : 269 + ((_rest[0] << 8) | _rest[1]);
        _rest = _rest[more..];
        return true;
    }

    private bool Fail(CoapFormatError error)
    {
        Error = error;
        return false;
    }
}
