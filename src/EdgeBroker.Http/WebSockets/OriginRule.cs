namespace EdgeBroker.Http.WebSockets;

/// <summary>
/// Whether a web page may connect. A browser lets any page open a WebSocket to any host and says where the page is from; only we can refuse. Other clients send
/// no origin.
/// </summary>
internal static class OriginRule
{
    /// <param name="origin">The request's <c>Origin</c>; null or empty: no browser.</param>
    /// <param name="host">The host the client asked for, with its port where it says one.</param>
    /// <param name="allowed">Allowed origins; none: pages of the same host and port.</param>
    public static bool Allows(string? origin, string? host, IReadOnlyList<string> allowed)
    {
        if (string.IsNullOrEmpty(origin)) return true;
        if (allowed.Count > 0) return allowed.Contains(origin.TrimEnd('/'), StringComparer.OrdinalIgnoreCase);
        // Whether TLS ends here or at a proxy says nothing about whose page it is.
        int scheme = origin.IndexOf("://", StringComparison.Ordinal);
        return scheme > 0 && origin.AsSpan(scheme + 3).TrimEnd('/').Equals(host, StringComparison.OrdinalIgnoreCase);
    }
}
