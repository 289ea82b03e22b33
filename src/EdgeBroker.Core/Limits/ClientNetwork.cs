using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Numerics;

namespace EdgeBroker.Core.Limits;

/// <summary>
/// Who counts as one where limits are by address: an IPv4 address, or an IPv6 network of 64 bits, which a household or a rented machine has to itself.
/// </summary>
/// <param name="High">The network's 64 bits; 0 for IPv4.</param>
/// <param name="Low">The IPv4 address in its IPv6 form; 1 for the IPv6 loopback address.</param>
public readonly record struct ClientNetwork(ulong High, ulong Low)
{
    private const ulong MappedPrefix = 0xFFFF_0000_0000;

    /// <summary>Of no network: at a Unix socket, or in memory.</summary>
    public static ClientNetwork None => default;

    /// <summary>Whether it is this machine.</summary>
    public bool IsLoopback => High == 0 && (Low == 1 || Low >> 24 == (MappedPrefix | 0x7F00_0000) >> 24);

    /// <summary>Who counts as one at a Unix socket: the user that runs the client.</summary>
    public static ClientNetwork OfPeer(uint userId) => new(ulong.MaxValue, userId);

    /// <summary>One of several that share the network, told apart by a text. The hash is seeded anew in each process.</summary>
    public ClientNetwork For(string who) =>
        new(High ^ BitOperations.RotateLeft(Low, 32), Low ^ ((ulong)(uint)who.GetHashCode(StringComparison.Ordinal) << 32));

    /// <summary>The network of an address; null: none.</summary>
    public static ClientNetwork Of(IPAddress? address)
    {
        if (address is null) return None;
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        if (address.AddressFamily == AddressFamily.InterNetwork) return new ClientNetwork(0, MappedPrefix | BinaryPrimitives.ReadUInt32BigEndian(bytes));
        ulong high = BinaryPrimitives.ReadUInt64BigEndian(bytes);
        ulong low = BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]);
        // An IPv4 client of a socket that takes both.
        bool isWhole = high == 0 && (low == 1 || low >> 32 == MappedPrefix >> 32);
        return new ClientNetwork(high, isWhole ? low : 0);
    }
}
