using System.Globalization;

namespace EdgeBroker.Verbs;

/// <summary>What a <c>coap</c> or <c>coaps</c> URI names (RFC 7252, 6).</summary>
/// <param name="IsSecure">Whether it is <c>coaps</c>.</param>
/// <param name="Host">A name or an address, IPv6 in brackets.</param>
/// <param name="Port">The port; null: the protocol's.</param>
/// <param name="Path">The segments of the path, decoded.</param>
/// <param name="Query">The arguments, decoded.</param>
internal sealed record CoapTarget(bool IsSecure, string Host, int? Port, IReadOnlyList<string> Path, IReadOnlyList<string> Query)
{
    /// <summary>Reads a URI; null: it is none. <c>#</c> is taken as a part of the path, since filters end with it and CoAP has no fragments.</summary>
    public static CoapTarget? Parse(string text)
    {
        bool isSecure = text.StartsWith("coaps://", StringComparison.OrdinalIgnoreCase);
        if (!isSecure && !text.StartsWith("coap://", StringComparison.OrdinalIgnoreCase)) return null;
        string rest = text[(isSecure ? 8 : 7)..];
        int slash = rest.IndexOfAny(['/', '?']);
        string authority = slash < 0 ? rest : rest[..slash];
        string behind = slash < 0 ? "" : rest[slash..];
        int question = behind.IndexOf('?', StringComparison.Ordinal);
        string path = question < 0 ? behind : behind[..question];
        string query = question < 0 ? "" : behind[(question + 1)..];
        int bracket = authority.LastIndexOf(']');
        int colon = authority.IndexOf(':', bracket + 1);
        string host = colon < 0 ? authority : authority[..colon];
        int? port = null;
        if (colon >= 0)
        {
            if (!ushort.TryParse(authority[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out ushort number) || number == 0) return null;
            port = number;
        }

        if (host.Length == 0 || host.Contains('@', StringComparison.Ordinal)) return null;
        string[] segments = path.Length <= 1 ? [] : [.. path[1..].Split('/').Select(Uri.UnescapeDataString)];
        string[] arguments = query.Length == 0 ? [] : [.. query.Split('&').Select(Uri.UnescapeDataString)];
        return new CoapTarget(isSecure, host, port, segments, arguments);
    }
}
