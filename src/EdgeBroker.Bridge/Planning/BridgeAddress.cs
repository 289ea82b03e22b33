using System.Globalization;

namespace EdgeBroker.Bridge.Planning;

/// <summary>Where the other broker is.</summary>
/// <param name="Scheme">mqtt, mqtts, ws, wss or unix.</param>
/// <param name="Host">Name or address; of a Unix socket its path.</param>
/// <param name="Port">The port.</param>
/// <param name="Path">Of WebSocket: the path.</param>
internal sealed record BridgeAddress(string Scheme, string Host, int Port, string Path)
{
    private static readonly Dictionary<string, int> Ports =
        new(StringComparer.Ordinal) { ["mqtt"] = 1883, ["mqtts"] = 8883, ["ws"] = 80, ["wss"] = 443 };

    public bool IsSecure => Scheme is "mqtts" or "wss";

    /// <summary>Host and port as an HTTP request names them: without the port where that is the scheme's own, as signatures want it.</summary>
    public string Authority
    {
        get
        {
            string host = Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]" : Host;
            return Ports.GetValueOrDefault(Scheme) == Port ? host : $"{host}:{Port}";
        }
    }

    public bool IsWebSocket => Scheme is "ws" or "wss";

    /// <summary>Reads an address; null: it is none.</summary>
    /// <param name="text">As written.</param>
    /// <param name="isSecure">Whether TLS is spoken where the text does not say.</param>
    /// <param name="path">Of WebSocket: the path where the text does not say.</param>
    public static BridgeAddress? Read(string text, bool isSecure, string path = "/mqtt")
    {
        if (text.StartsWith("unix:", StringComparison.Ordinal)) return text.Length > 5 ? new BridgeAddress("unix", text[5..], 0, "") : null;
        int at = text.IndexOf("://", StringComparison.Ordinal);
        string scheme = at < 0 ? (isSecure ? "mqtts" : "mqtt") : text[..at];
        if (!Ports.TryGetValue(scheme, out int port)) return null;
        string rest = at < 0 ? text : text[(at + 3)..];
        if (rest.IndexOf('/') is >= 0 and int slash)
        {
            if (scheme is not ("ws" or "wss")) return null;
            (rest, path) = (rest[..slash], rest[slash..]);
        }

        if (!TrySplit(rest, ref port, out string host)) return null;
        return new BridgeAddress(scheme, host, port, path);
    }

    private static bool TrySplit(string text, ref int port, out string host)
    {
        host = text;
        int end = text.StartsWith('[') ? text.IndexOf(']') : -1;
        int colon = end >= 0 ? text.IndexOf(':', end) : text.IndexOf(':');
        if (end < 0 && colon >= 0 && text.LastIndexOf(':') != colon) return false;
        if (colon >= 0)
        {
            host = text[..colon];
            if (!int.TryParse(text[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out port) || port is < 1 or > 65_535) return false;
        }

        host = host.Trim('[', ']');
        return Uri.CheckHostName(host) != UriHostNameType.Unknown;
    }
}
