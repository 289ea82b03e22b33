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

    /// <summary>The path of a Unix socket; null: an address of another kind.</summary>
    public string? UnixPath { get; }

    /// <summary>Reads <c>host:port</c>, <c>[v6]:port</c> or <c>unix:/path</c>; a host name is looked up.</summary>
    /// <exception cref="FormatException">It is of no such form, or the name is not known.</exception>
    public static SocketAddress Parse(string text)
    {
        if (text.StartsWith("unix:", StringComparison.Ordinal)) return ParseUnix(text);
        int colon = text.LastIndexOf(':');
        if (colon <= 0 || !ushort.TryParse(text.AsSpan(colon + 1), out ushort port)) throw new FormatException($"\"{text}\" is not host:port");
        string host = text[..colon].Trim('[', ']');
        return Of(text, Resolve(host), port);
    }

    /// <summary>The same for the runtime's sockets.</summary>
    public EndPoint ToEndPoint()
    {
        if (UnixPath is not null) return new UnixDomainSocketEndPoint(UnixPath);
        ushort port = BinaryPrimitives.ReadUInt16BigEndian(_bytes.AsSpan(2));
        return new IPEndPoint(Family == LinuxSockets.AddressFamilyInet ? new IPAddress(_bytes.AsSpan(4, 4)) : new IPAddress(_bytes.AsSpan(8, 16)), port);
    }

    private static SocketAddress Of(string text, IPAddress address, ushort port)
    {
        bool v4 = address.AddressFamily == AddressFamily.InterNetwork;
        var bytes = new byte[v4 ? 16 : 28];
        // sa_family is in the machine's order, which is little-endian on both targets.
        bytes[0] = (byte)(v4 ? LinuxSockets.AddressFamilyInet : LinuxSockets.AddressFamilyInet6);
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(2), port);
        address.TryWriteBytes(bytes.AsSpan(v4 ? 4 : 8), out _);
        if (!v4) BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(24), (uint)address.ScopeId);
        return new SocketAddress(text, bytes[0], bytes, null);
    }

    private static IPAddress Resolve(string host)
    {
        if (IPAddress.TryParse(host, out IPAddress? address)) return address;
        if (host == "localhost") return IPAddress.Loopback;
        try
        {
            return Dns.GetHostAddresses(host) is [var first, ..] ? first : throw new FormatException($"the host name \"{host}\" has no address");
        }
        catch (SocketException exception)
        {
            throw new FormatException($"the host name \"{host}\" is not known: {exception.Message}", exception);
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
