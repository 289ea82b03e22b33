using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace EdgeBroker.Transport.Linux;

/// <summary>A peer's address as the kernel gave it, kept in 24 bytes until someone wants to read it.</summary>
public readonly struct PeerAddress
{
    private readonly ulong _high;
    private readonly ulong _low;
    private readonly ushort _port;
    private readonly byte _family;

    /// <param name="sockaddr">A <c>struct sockaddr</c> of any family.</param>
    public PeerAddress(ReadOnlySpan<byte> sockaddr)
    {
        if (sockaddr.Length < 2) return;
        _family = sockaddr[0];
        if (_family == LinuxSockets.AddressFamilyInet && sockaddr.Length >= 8)
        {
            _port = (ushort)((sockaddr[2] << 8) | sockaddr[3]);
            _low = BinaryPrimitives.ReadUInt32BigEndian(sockaddr[4..]);
        }
        else if (_family == LinuxSockets.AddressFamilyInet6 && sockaddr.Length >= 24)
        {
            _port = (ushort)((sockaddr[2] << 8) | sockaddr[3]);
            _high = BinaryPrimitives.ReadUInt64BigEndian(sockaddr[8..]);
            _low = BinaryPrimitives.ReadUInt64BigEndian(sockaddr[16..]);
            // An IPv4 client of a socket that takes both is known by its own address.
            if (_high != 0 || _low >> 32 != 0xFFFF) return;
            _family = LinuxSockets.AddressFamilyInet;
            _low = (uint)_low;
        }
    }

    /// <param name="endPoint">An address from elsewhere, as a proxy's header.</param>
    public PeerAddress(IPEndPoint endPoint)
    {
        _family = endPoint.AddressFamily == AddressFamily.InterNetwork ? (byte)LinuxSockets.AddressFamilyInet : (byte)LinuxSockets.AddressFamilyInet6;
        _port = (ushort)endPoint.Port;
        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        endPoint.Address.TryWriteBytes(_family == LinuxSockets.AddressFamilyInet ? bytes[12..] : bytes, out _);
        _high = BinaryPrimitives.ReadUInt64BigEndian(bytes);
        _low = BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]);
    }

    /// <summary>Whether it is at a Unix socket.</summary>
    public bool IsUnix => _family == LinuxSockets.AddressFamilyUnix;

    /// <summary>The IP address; null: it has none.</summary>
    public IPAddress? ToAddress()
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, _high);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], _low);
        return _family switch
        {
            LinuxSockets.AddressFamilyInet => new IPAddress(bytes[12..]),
            LinuxSockets.AddressFamilyInet6 => new IPAddress(bytes),
            _ => null,
        };
    }

    public override string ToString() => ToAddress() is { } address ? new IPEndPoint(address, _port).ToString() : IsUnix ? "unix socket" : "unknown";
}
