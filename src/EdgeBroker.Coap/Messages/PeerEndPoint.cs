using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using EdgeBroker.Core.Limits;

namespace EdgeBroker.Coap.Messages;

/// <summary>
/// What tells one peer from another: over UDP where it is - an IPv6 address, of IPv4 the mapped one, a port and a scope -, over DTLS its association, which
/// may move (RFC 7252, 9.1).
/// </summary>
/// <param name="Address">The address, in network order.</param>
/// <param name="Port">The UDP port.</param>
/// <param name="Scope">The interface of a link-local address; else 0.</param>
/// <param name="Association">The DTLS association, whose first address this is then; 0: none.</param>
public readonly record struct PeerEndPoint(UInt128 Address, ushort Port, uint Scope = 0, uint Association = 0)
{
    private const uint MappedMarker = 0xFFFF;

    /// <summary>Whether it is IPv4.</summary>
    public bool IsIPv4 => (Address >> 32) == MappedMarker;

    /// <summary>Whether it is this machine: nobody else can send from there.</summary>
    public bool IsLoopback => Address == UInt128.One || (IsIPv4 && ((uint)Address >> 24) == 127);

    /// <summary>Who counts as one with it: its IPv4 address, or the 64 bits of an IPv6 network.</summary>
    public ClientNetwork Network => ClientNetwork.Of(ToAddress());

    /// <summary>That of a socket.</summary>
    public static PeerEndPoint Of(IPEndPoint endPoint)
    {
        Span<byte> bytes = stackalloc byte[16];
        endPoint.Address.MapToIPv6().TryWriteBytes(bytes, out _);
        uint scope = endPoint.AddressFamily == AddressFamily.InterNetworkV6 && endPoint.Address.IsIPv6LinkLocal ? (uint)endPoint.Address.ScopeId : 0;
        return new PeerEndPoint(BinaryPrimitives.ReadUInt128BigEndian(bytes), (ushort)endPoint.Port, scope);
    }

    /// <summary>The address for people and for who counts by address: IPv4 as such.</summary>
    public IPAddress ToAddress()
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, Address);
        return IsIPv4 ? new IPAddress(bytes[12..]) : new IPAddress(bytes, Scope);
    }

    /// <summary><c>192.0.2.1:5683</c>, <c>[2001:db8::1]:5683</c>.</summary>
    public override string ToString() => new IPEndPoint(ToAddress(), Port).ToString();
}
