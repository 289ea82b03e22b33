using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace EdgeBroker.Transport.Proxies;

/// <summary>The part of a version 1 header that names addresses: <c>TCP4 192.0.2.7 198.51.100.1 56324 1883</c>, in one spelling only.</summary>
internal static class ProxyLine
{
    private static readonly SearchValues<char> OfIpv6 = SearchValues.Create("0123456789abcdefABCDEF:.");

    /// <summary>Reads what stands between <c>PROXY</c> and the line's end.</summary>
    /// <param name="line">ASCII; anything else is refused.</param>
    /// <param name="source">The client, when true.</param>
    public static bool TryRead(ReadOnlySpan<byte> line, out IPEndPoint? source)
    {
        source = null;
        Span<char> text = stackalloc char[line.Length];
        for (int i = 0; i < line.Length; i++) text[i] = (char)line[i];
        Span<Range> fields = stackalloc Range[6];
        if (((ReadOnlySpan<char>)text).Split(fields, ' ') != 5) return false;
        AddressFamily family = text[fields[0]] switch
        {
            "TCP4" => AddressFamily.InterNetwork,
            "TCP6" => AddressFamily.InterNetworkV6,
            _ => AddressFamily.Unspecified,
        };
        // The destination is ours and not used, but half a header that makes sense is no header.
        if (!TryReadAddress(text[fields[1]], family, out IPAddress address) || !TryReadAddress(text[fields[2]], family, out _)) return false;
        if (!TryReadPort(text[fields[3]], out int port) || !TryReadPort(text[fields[4]], out _)) return false;
        source = new IPEndPoint(address, port);
        return true;
    }

    private static bool TryReadAddress(ReadOnlySpan<char> text, AddressFamily family, out IPAddress address)
    {
        address = IPAddress.None;
        // Parsers also take "1", "0x7f.1", "[::1]", "fe80::1%eth0" and a port behind; a proxy sends nothing of the kind.
        bool isPlain = family == AddressFamily.InterNetwork ? IsDottedQuad(text) : IsColonText(text);
        if (!isPlain || !IPAddress.TryParse(text, out IPAddress? parsed) || parsed.AddressFamily != family) return false;
        address = parsed;
        return true;
    }

    // The part behind the last colon may be IPv4, in the same one spelling.
    private static bool IsColonText(ReadOnlySpan<char> text) =>
        !text.ContainsAnyExcept(OfIpv6) && (!text.Contains('.') || IsDottedQuad(text[(text.LastIndexOf(':') + 1)..]));

    private static bool IsDottedQuad(ReadOnlySpan<char> text)
    {
        Span<Range> parts = stackalloc Range[5];
        if (text.Split(parts, '.') != 4) return false;
        for (int i = 0; i < 4; i++)
        {
            if (!TryReadDecimal(text[parts[i]], 255, out _)) return false;
        }

        return true;
    }

    private static bool TryReadPort(ReadOnlySpan<char> text, out int port) => TryReadDecimal(text, ushort.MaxValue, out port);

    // Without sign, space or leading zero, and without the zero bytes behind that the runtime's parser overlooks.
    private static bool TryReadDecimal(ReadOnlySpan<char> text, int most, out int value) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value)
            && value <= most && !text.ContainsAnyExceptInRange('0', '9') && (text.Length == 1 || text[0] != '0');
}
