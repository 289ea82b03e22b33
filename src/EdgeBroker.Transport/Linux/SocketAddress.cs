using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace EdgeBroker.Transport.Linux;

/// <summary>An address to listen on, as configured and as the kernel wants it.</summary>
public sealed class SocketAddress
{
    private readonly byte[] _bytes;

    private SocketAddress(string text, int family, byte[] bytes, string? unixPath)
    {
        Text = text;
        Family = family;
        _bytes = bytes;
        UnixPath = unixPath;
    }

    /// <summary>As configured.</summary>
    public string Text { get; }

    /// <summary>The address family, as <c>socket(2)</c> takes it.</summary>
    public int Family { get; }

    /// <summary>The <c>struct sockaddr</c> of its family.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>Whether it is for IPv6 alone, since somebody else has the port of IPv4.</summary>
    public bool IsIPv6Only { get; private init; }

    /// <summary>The path of a Unix socket; null: an address of another kind.</summary>
    public string? UnixPath { get; }

    /// <summary>Reads <c>host:port</c>, <c>[v6]:port</c> or <c>unix:/path</c>; a host name is looked up.</summary>
    /// <param name="text">The address.</param>
    /// <param name="isIPv6Only">Of <c>[::]</c>: whether IPv4 is left to another listener.</param>
    /// <exception cref="FormatException">It is of no such form.</exception>
    /// <exception cref="ListenException">The name is not known.</exception>
    public static SocketAddress Parse(string text, bool isIPv6Only = false)
    {
        if (text.StartsWith("unix:", StringComparison.Ordinal)) return ParseUnix(text);
        int colon = text.LastIndexOf(':');
        if (colon <= 0 || !ushort.TryParse(text.AsSpan(colon + 1), out ushort port)) throw new FormatException($"\"{text}\" is not host:port");
        string host = text[..colon].Trim('[', ']');
        return Of(text, Resolve(text, host), port, isIPv6Only);
    }

    /// <summary>The port; 0 for a Unix socket, or where the kernel is to choose.</summary>
    public int Port => UnixPath is null ? BinaryPrimitives.ReadUInt16BigEndian(_bytes.AsSpan(2)) : 0;

    /// <summary>The same for the runtime's sockets.</summary>
    public EndPoint ToEndPoint()
    {
        if (UnixPath is not null) return new UnixDomainSocketEndPoint(UnixPath);
        return new IPEndPoint(Family == LinuxSockets.AddressFamilyInet ? new IPAddress(_bytes.AsSpan(4, 4)) : new IPAddress(_bytes.AsSpan(8, 16)), Port);
    }

    /// <summary>Whether the machine has a host or address now: looks it up, and binds a socket to it for a moment, at a port of the kernel's choice.</summary>
    /// <param name="text">As <see cref="Parse"/> takes it.</param>
    public static unsafe bool IsPresent(string text)
    {
        SocketAddress address;
        try
        {
            address = Parse(text);
        }
        catch (ListenException)
        {
            return false;
        }

        if (address.UnixPath is not null) return true;
        int fd = LinuxSockets.Socket(address.Family, LinuxSockets.Stream | LinuxSockets.CloseOnExec, 0);
        // Whoever opens the listener says what is wrong.
        if (fd < 0) return true;
        byte[] any = [.. address._bytes];
        any.AsSpan(2, 2).Clear();
        fixed (byte* bytes = any)
        {
            bool isBound = LinuxSockets.Bind(fd, bytes, any.Length) == 0;
            _ = LinuxSockets.Close(fd);
            return isBound;
        }
    }

    private static SocketAddress Of(string text, IPAddress address, ushort port, bool isIPv6Only)
    {
        bool v4 = address.AddressFamily == AddressFamily.InterNetwork;
        var bytes = new byte[v4 ? 16 : 28];
        // sa_family is in the machine's order, which is little-endian on both targets.
        bytes[0] = (byte)(v4 ? LinuxSockets.AddressFamilyInet : LinuxSockets.AddressFamilyInet6);
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(2), port);
        address.TryWriteBytes(bytes.AsSpan(v4 ? 4 : 8), out _);
        if (!v4) BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(24), (uint)address.ScopeId);
        return new SocketAddress(text, bytes[0], bytes, null) { IsIPv6Only = isIPv6Only && !v4 };
    }

    private static IPAddress Resolve(string text, string host)
    {
        if (IPAddress.TryParse(host, out IPAddress? address)) return address;
        if (host == "localhost") return IPAddress.Loopback;
        try
        {
            return Dns.GetHostAddresses(host) is [var first, ..] ? first : throw ListenFailure.UnknownHost(text, host);
        }
        catch (SocketException exception)
        {
            throw ListenFailure.UnknownHost(text, host, exception);
        }
    }

    private static SocketAddress ParseUnix(string text)
    {
        string path = text["unix:".Length..];
        byte[] name = Encoding.UTF8.GetBytes(path);
        if (name.Length is 0 or > 107) throw new FormatException($"\"{text}\": the path of a Unix socket has 1 to 107 bytes");
        var bytes = new byte[2 + name.Length + 1];
        bytes[0] = LinuxSockets.AddressFamilyUnix;
        name.CopyTo(bytes, 2);
        return new SocketAddress(text, LinuxSockets.AddressFamilyUnix, bytes, path);
    }
}
