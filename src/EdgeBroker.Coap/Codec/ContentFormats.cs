namespace EdgeBroker.Coap.Codec;

/// <summary>Content-Formats (RFC 7252, 12.3) and the media types they stand for.</summary>
public static class ContentFormats
{
    /// <summary><c>text/plain;charset=utf-8</c>.</summary>
    public const ushort Text = 0;

    /// <summary><c>application/link-format</c>.</summary>
    public const ushort LinkFormat = 40;

    /// <summary><c>application/octet-stream</c>.</summary>
    public const ushort OctetStream = 42;

    /// <summary><c>application/json</c>.</summary>
    public const ushort Json = 50;

    /// <summary><c>application/cbor</c>.</summary>
    public const ushort Cbor = 60;

    private static readonly (ushort Format, string MediaType)[] Known =
    [
        (Text, "text/plain;charset=utf-8"),
        (LinkFormat, "application/link-format"),
        (41, "application/xml"),
        (OctetStream, "application/octet-stream"),
        (Json, "application/json"),
        (Cbor, "application/cbor"),
        (110, "application/senml+json"),
        (112, "application/senml+cbor"),
    ];

    /// <summary>Whether a payload of this format is UTF-8 text.</summary>
    public static bool IsText(int format) => format is Text or Json or 110;

    /// <summary>The media type of a format; null: not one of these.</summary>
    public static string? MediaTypeOf(int format) => Array.Find(Known, entry => entry.Format == format).MediaType;

    /// <summary>The format of a media type, whatever its case, blanks and parameters; null: none of these.</summary>
    public static ushort? FormatOf(ReadOnlySpan<char> mediaType)
    {
        ReadOnlySpan<char> type = Essence(mediaType);
        foreach ((ushort format, string known) in Known)
        {
            if (type.Equals(Essence(known), StringComparison.OrdinalIgnoreCase)) return format;
        }

        return null;
    }

    private static ReadOnlySpan<char> Essence(ReadOnlySpan<char> mediaType)
    {
        int end = mediaType.IndexOf(';');
        return (end < 0 ? mediaType : mediaType[..end]).Trim();
    }
}
