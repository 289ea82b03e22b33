using System.Buffers.Binary;

namespace EdgeBroker.Coap.Codec;

/// <summary>A message of RFC 7252 as a view over its datagram, valid as long as that is. All of it has been checked: walking it cannot fail.</summary>
public readonly ref struct CoapMessage
{
    /// <summary>Bytes of type, code and message id.</summary>
    public const int HeaderLength = 4;

    /// <summary>The longest token.</summary>
    public const int MaxTokenLength = 8;

    private readonly ReadOnlySpan<byte> _options;

    private CoapMessage(ReadOnlySpan<byte> datagram)
    {
        Type = (CoapType)((datagram[0] >> 4) & 3);
        Code = new CoapCode(datagram[1]);
        MessageId = BinaryPrimitives.ReadUInt16BigEndian(datagram[2..]);
    }

    private CoapMessage(ReadOnlySpan<byte> datagram, ReadOnlySpan<byte> token, ReadOnlySpan<byte> options, ReadOnlySpan<byte> payload)
        : this(datagram)
    {
        Token = token;
        _options = options;
        Payload = payload;
    }

    /// <summary>Its type.</summary>
    public CoapType Type { get; }

    /// <summary>Its code.</summary>
    public CoapCode Code { get; }

    /// <summary>Names the message for acknowledgement and for duplicates.</summary>
    public ushort MessageId { get; }

    /// <summary>Names the request for its responses; 0 to 8 bytes.</summary>
    public ReadOnlySpan<byte> Token { get; }

    /// <summary>What stands behind the options.</summary>
    public ReadOnlySpan<byte> Payload { get; }

    /// <summary>The options, in order of their numbers.</summary>
    public OptionReader Options => new(_options);

    /// <summary>
    /// Reads a datagram. Where it says that something is wrong, type, code and message id are there nevertheless, so that a CON can be reset, unless the
    /// datagram is <see cref="CoapFormatError.TooShort"/> or of another version.
    /// </summary>
    /// <param name="datagram">One datagram.</param>
    /// <param name="message">What it says.</param>
    /// <returns>What is wrong; <see cref="CoapFormatError.None"/>: nothing.</returns>
    public static CoapFormatError Parse(ReadOnlySpan<byte> datagram, out CoapMessage message)
    {
        message = default;
        if (datagram.Length < HeaderLength) return CoapFormatError.TooShort;
        if (datagram[0] >> 6 != 1) return CoapFormatError.UnknownVersion;
        message = new CoapMessage(datagram);
        int tokenLength = datagram[0] & 15;
        if (tokenLength > MaxTokenLength) return CoapFormatError.ReservedTokenLength;
        ReadOnlySpan<byte> rest = datagram[HeaderLength..];
        if (message.Code == CoapCode.Empty) return tokenLength == 0 && rest.IsEmpty ? CoapFormatError.None : CoapFormatError.EmptyWithMore;
        if (message.Code.Class is 1 or 6 or 7) return CoapFormatError.ReservedCodeClass;
        if (rest.Length < tokenLength) return CoapFormatError.TruncatedToken;
        ReadOnlySpan<byte> token = rest[..tokenLength];
        rest = rest[tokenLength..];
        var reader = new OptionReader(rest);
        bool isMore = true;
        while (isMore) isMore = reader.MoveNext();
        if (reader.Error != CoapFormatError.None) return reader.Error;
        ReadOnlySpan<byte> behind = reader.Rest;
        if (behind.Length == 1) return CoapFormatError.EmptyPayload;
        message = new CoapMessage(datagram, token, rest[..^behind.Length], behind.IsEmpty ? default : behind[1..]);
        return CoapFormatError.None;
    }

    /// <summary>Finds the first option of a number; false: there is none.</summary>
    public bool TryFind(OptionNumber number, out CoapOption option)
    {
        foreach (CoapOption one in Options)
        {
            if (one.Number < (int)number) continue;
            option = one;
            return one.Number == (int)number;
        }

        option = default;
        return false;
    }

    /// <summary>The integer of an option that is there and well formed; else null.</summary>
    public uint? Find(OptionNumber number) =>
        TryFind(number, out CoapOption option) && OptionTable.IsWellFormed((int)number, option.Value.Length) && option.TryGetUInt(out uint value)
            ? value
            : null;
}
