namespace EdgeBroker.Protocol.Scram;

/// <summary>User names as SCRAM writes them: <c>=2C</c> for a comma, <c>=3D</c> for an equals sign (RFC 5802, 5.1).</summary>
internal static class ScramName
{
    public static string Escape(string name) => name.Replace("=", "=3D", StringComparison.Ordinal).Replace(",", "=2C", StringComparison.Ordinal);

    /// <summary>The name; null when an equals sign stands before anything else.</summary>
    public static string? Unescape(ReadOnlySpan<char> written)
    {
        if (written.IndexOf('=') < 0) return written.ToString();
        for (ReadOnlySpan<char> rest = written; rest.IndexOf('=') is >= 0 and var at; rest = rest[(at + 3)..])
        {
            if (!rest[at..].StartsWith("=2C", StringComparison.Ordinal) && !rest[at..].StartsWith("=3D", StringComparison.Ordinal)) return null;
        }

        // In this order no sign made by the first is taken up by the second.
        return written.ToString().Replace("=2C", ",", StringComparison.Ordinal).Replace("=3D", "=", StringComparison.Ordinal);
    }
}
