using System.Globalization;
using System.Net;

namespace EdgeBroker.Configuration;

/// <summary>Where a listener listens, as written (<c>host:port</c>, <c>[v6]:port</c> or <c>unix:/path</c>), and what follows from it.</summary>
internal sealed record ListenAddress
{
    public const string Expected = "an address: \"host:port\", \"[v6]:port\" or \"unix:/path\"";

    private const string UnixPrefix = "unix:";

    // Linux holds 108 bytes of path, the final zero included.
    public const int LongestUnixPath = 107;

    private ListenAddress(string text, string host, int port, IPAddress? ip)
    {
        Text = text;
        Host = host;
        Port = port;
        Ip = ip;
    }

    public string Text { get; }

    /// <summary>The host, or the path of a Unix socket.</summary>
    public string Host { get; }

    /// <summary>The port; 0 lets the system choose one; -1 for a Unix socket.</summary>
    public int Port { get; }

    private IPAddress? Ip { get; }

    /// <summary>Whether it is a Unix socket.</summary>
    public bool IsUnix => Port < 0;

    /// <summary>Whether only this machine can connect.</summary>
    public bool IsLoopback => IsUnix || (Ip is not null && IPAddress.IsLoopback(Ip));

    /// <summary>Whether it is every IPv6 address of the machine, and with it IPv4 unless another listener has the port there.</summary>
    public bool IsAnyIPv6 => Ip is { AddressFamily: System.Net.Sockets.AddressFamily.InterNetworkV6 } && IsAny(Ip);

    /// <summary>Whether it is an IPv4 address.</summary>
    public bool IsIPv4 => Ip is { AddressFamily: System.Net.Sockets.AddressFamily.InterNetwork };

    /// <summary>Whether it is one host or address, and not all of this machine's nor a file.</summary>
    public bool IsSpecific => !IsUnix && (Ip is null || !IsAny(Ip));

    /// <summary>Whether two listeners cannot have these addresses at the same time.</summary>
    public bool Overlaps(ListenAddress other)
    {
        if (IsUnix || other.IsUnix) return IsUnix && other.IsUnix && Host == other.Host;
        if (Port != other.Port || Port == 0) return false;
        if (Ip is null || other.Ip is null) return Host.Equals(other.Host, StringComparison.OrdinalIgnoreCase);
        return Ip.AddressFamily == other.Ip.AddressFamily && (Ip.Equals(other.Ip) || IsAny(Ip) || IsAny(other.Ip));
    }

    /// <summary>Whether it would be a Unix socket's, if its path were shorter.</summary>
    public static bool IsPathTooLong(string text) =>
        text.StartsWith(UnixPrefix + "/", StringComparison.Ordinal) && System.Text.Encoding.UTF8.GetByteCount(text) - UnixPrefix.Length > LongestUnixPath;

    public static bool TryParse(string text, out ListenAddress address)
    {
        address = null!;
        if (text.StartsWith(UnixPrefix, StringComparison.Ordinal))
        {
            string path = text[UnixPrefix.Length..];
            if (path is not ['/', _, ..] || System.Text.Encoding.UTF8.GetByteCount(path) > LongestUnixPath || path.Contains('\0')) return false;
            address = new ListenAddress(text, path, -1, null);
            return true;
        }

        int colon = text.LastIndexOf(':');
        if (colon <= 0 || !TryParsePort(text.AsSpan(colon + 1), out int port)) return false;
        string host = text[..colon];
        if (host is ['[', _, .., ']'])
        {
            // A scope would need an interface that may not be there yet, and two spellings of one address.
            if (host.Contains('%') || !IPAddress.TryParse(host.AsSpan(1, host.Length - 2), out IPAddress? v6) || !v6.ToString().Contains(':')) return false;
            address = new ListenAddress(text, host, port, v6);
            return true;
        }

        if (IsV4(host))
        {
            if (!IPAddress.TryParse(host, out IPAddress? v4)) return false;
            address = new ListenAddress(text, host, port, v4);
            return true;
        }

        if (!IsHostName(host)) return false;
        address = new ListenAddress(text, host, port, host.Equals("localhost", StringComparison.OrdinalIgnoreCase) ? IPAddress.Loopback : null);
        return true;
    }

    private static bool TryParsePort(ReadOnlySpan<char> text, out int port) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port) && port <= 65_535;

    // Four numbers: "1" and "0x7f.1" are addresses to some parsers and surprises to everyone.
    private static bool IsV4(string host)
    {
        int dots = 0;
        foreach (char c in host)
        {
            if (c == '.') dots++;
            else if (!char.IsAsciiDigit(c)) return false;
        }

        return dots == 3;
    }

    private static bool IsHostName(string host)
    {
        bool hasLetter = false;
        foreach (char c in host)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('.' or '-')) return false;
            hasLetter |= char.IsAsciiLetter(c);
        }

        return hasLetter && host.Length <= 253 && host[0] is not ('.' or '-') && host[^1] != '-';
    }

    private static bool IsAny(IPAddress ip) => ip.Equals(IPAddress.Any) || ip.Equals(IPAddress.IPv6Any);
}
