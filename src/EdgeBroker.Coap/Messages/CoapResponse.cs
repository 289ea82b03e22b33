using System.Text;
using EdgeBroker.Coap.Codec;

namespace EdgeBroker.Coap.Messages;

/// <summary>A response, before it has a message id and a token.</summary>
/// <param name="Code">Its code.</param>
public sealed record CoapResponse(CoapCode Code)
{
    /// <summary>Longest datagram written: a block of 1,024 bytes and all options.</summary>
    public const int MaxLength = 1_280;

    // Longer ones help nobody, and an unverified peer gets little.
    private const int MaxDiagnosticBytes = 100;

    public byte[]? ETag { get; init; }

    public uint? Observe { get; init; }

    /// <summary>The path of what was made, by segments.</summary>
    public IReadOnlyList<string> LocationPath { get; init; } = [];

    public ushort? ContentFormat { get; init; }

    /// <summary>Seconds; null: not said, which means 60.</summary>
    public uint? MaxAge { get; init; }

    public Block? Block2 { get; init; }

    public Block? Block1 { get; init; }

    public uint? Size2 { get; init; }

    public uint? Size1 { get; init; }

    public byte[]? Echo { get; init; }

    public ReadOnlyMemory<byte> Payload { get; init; }

    /// <summary>An answer that says in words why (RFC 7252, 5.5.2).</summary>
    public static CoapResponse Because(CoapCode code, string why)
    {
        byte[] text = Encoding.UTF8.GetBytes(why);
        int length = Math.Min(text.Length, MaxDiagnosticBytes);
        while (length < text.Length && length > 0 && (text[length] & 0xC0) == 0x80) length--;
        return new CoapResponse(code) { Payload = text.AsMemory(0, length) };
    }

    /// <summary>Writes it as a message; returns its length.</summary>
    public int Write(Span<byte> destination, CoapType type, ushort messageId, ReadOnlySpan<byte> token)
    {
        var writer = new CoapWriter(destination, type, Code, messageId, token);
        if (ETag is not null) writer.Add(OptionNumber.ETag, ETag);
        if (Observe is { } observe) writer.Add(OptionNumber.Observe, observe);
        foreach (string segment in LocationPath) writer.Add(OptionNumber.LocationPath, Encoding.UTF8.GetBytes(segment));
        if (ContentFormat is { } format) writer.Add(OptionNumber.ContentFormat, format);
        if (MaxAge is { } maxAge) writer.Add(OptionNumber.MaxAge, maxAge);
        if (Block2 is { } block2) writer.Add(OptionNumber.Block2, block2.Value);
        if (Block1 is { } block1) writer.Add(OptionNumber.Block1, block1.Value);
        if (Size2 is { } size2) writer.Add(OptionNumber.Size2, size2);
        if (Size1 is { } size1) writer.Add(OptionNumber.Size1, size1);
        if (Echo is not null) writer.Add(OptionNumber.Echo, Echo);
        writer.AddPayload(Payload.Span);
        return writer.Length;
    }
}
