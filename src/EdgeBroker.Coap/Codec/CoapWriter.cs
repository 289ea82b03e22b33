using System.Buffers.Binary;

namespace EdgeBroker.Coap.Codec;

/// <summary>Writes one message into memory that the caller lends: header, options in the order of their numbers, payload.</summary>
public ref struct CoapWriter
{
    private readonly Span<byte> _span;
    private int _number;
    private bool _hasPayload;

    /// <summary>Begins a message.</summary>
    /// <param name="destination">Where it goes.</param>
    /// <param name="type">Its type.</param>
    /// <param name="code">Its code.</param>
    /// <param name="messageId">Its message id.</param>
    /// <param name="token">Its token, 0 to 8 bytes.</param>
    /// <exception cref="ArgumentException">The token is too long, or there is no room.</exception>
    public CoapWriter(Span<byte> destination, CoapType type, CoapCode code, ushort messageId, scoped ReadOnlySpan<byte> token)
    {
        if (token.Length > CoapMessage.MaxTokenLength) throw new ArgumentException("A token has 8 bytes at most.", nameof(token));
        _span = destination;
        Span<byte> header = Take(CoapMessage.HeaderLength + token.Length);
        header[0] = (byte)((1 << 6) | ((int)type << 4) | token.Length);
        header[1] = code.Value;
        BinaryPrimitives.WriteUInt16BigEndian(header[2..], messageId);
        token.CopyTo(header[CoapMessage.HeaderLength..]);
    }

    /// <summary>Bytes so far.</summary>
    public int Length { get; private set; }

    /// <summary>Writes an Empty message, which is four bytes (RFC 7252, 4.1).</summary>
    public static int WriteEmpty(Span<byte> destination, CoapType type, ushort messageId) =>
        new CoapWriter(destination, type, CoapCode.Empty, messageId, default).Length;

    /// <summary>Adds an option.</summary>
    /// <param name="number">Its number, not below that of the option before.</param>
    /// <param name="value">Its value.</param>
    /// <exception cref="ArgumentException">The order is wrong, the value longer than an option can be, or there is no room.</exception>
    public void Add(int number, scoped ReadOnlySpan<byte> value)
    {
        if (number < _number || number > ushort.MaxValue || _hasPayload) throw new ArgumentException("Options go up in number.", nameof(number));
        if (value.Length > ushort.MaxValue + 269) throw new ArgumentException("Too long for an option.", nameof(value));
        int delta = number - _number;
        Span<byte> head = Take(1 + Extension(delta) + Extension(value.Length));
        head[0] = (byte)((Nibble(delta) << 4) | Nibble(value.Length));
        Extend(delta, head[1..]);
        Extend(value.Length, head[(1 + Extension(delta))..]);
        value.CopyTo(Take(value.Length));
        _number = number;
    }

    /// <summary>Adds an option.</summary>
    public void Add(OptionNumber number, ReadOnlySpan<byte> value) => Add((int)number, value);

    /// <summary>Adds an option that is an unsigned integer, in as few bytes as it needs (RFC 7252, 3.2).</summary>
    public void Add(OptionNumber number, uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        Add((int)number, bytes.TrimStart((byte)0));
    }

    /// <summary>Adds the payload, once and last; nothing where it is empty.</summary>
    /// <exception cref="ArgumentException">There is one already, or no room.</exception>
    public void AddPayload(scoped ReadOnlySpan<byte> payload)
    {
        if (payload.IsEmpty) return;
        if (_hasPayload) throw new ArgumentException("A message has one payload.", nameof(payload));
        _hasPayload = true;
        Span<byte> place = Take(1 + payload.Length);
        place[0] = 0xFF;
        payload.CopyTo(place[1..]);
    }

    private static int Nibble(int value) => value < 13 ? value : value < 269 ? 13 : 14;

    private static int Extension(int value) => value < 13 ? 0 : value < 269 ? 1 : 2;

    private static void Extend(int value, Span<byte> place)
    {
        if (value >= 269) BinaryPrimitives.WriteUInt16BigEndian(place, (ushort)(value - 269));
        else if (value >= 13) place[0] = (byte)(value - 13);
    }

    private Span<byte> Take(int length)
    {
        if (_span.Length - Length < length) throw new ArgumentException("The message does not fit into the memory lent for it.");
        Span<byte> place = _span.Slice(Length, length);
        Length += length;
        return place;
    }
}
