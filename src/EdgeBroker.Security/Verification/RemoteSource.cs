using System.Net;
using System.Net.Sockets;

namespace EdgeBroker.Security.Verification;

/// <summary>Who shares a turn of the <see cref="VerificationQueue"/>: one IPv4 address, one IPv6 network of 64 bits, or everyone at a Unix socket.</summary>
internal static class RemoteSource
{
    /// <summary>The source of a remote end point as connections name it.</summary>
    public static string Of(string remoteEndPoint)
    {
        if (!IPEndPoint.TryParse(remoteEndPoint, out IPEndPoint? endPoint)) return remoteEndPoint.Split(':')[0];
        IPAddress address = endPoint.Address.IsIPv4MappedToIPv6 ? endPoint.Address.MapToIPv4() : endPoint.Address;
        if (address.AddressFamily != AddressFamily.InterNetworkV6) return address.ToString();
        // A household or a rented machine has that much to itself.
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        return Convert.ToHexString(bytes[..8]);
    }
}
