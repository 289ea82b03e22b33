using System.Buffers.Binary;
using System.Security.Cryptography;

namespace EdgeBroker.Coap.Messages;

/// <summary>The values of Echo (RFC 9175, 2): only who gets what is sent to an address can send one back from there. Keeps nothing of who was asked.</summary>
internal sealed class ReachabilityCheck
{
    private const int TimeBytes = 4;
    private const int MacBytes = 8;

    // As long as a response may be under way, and its request after it.
    private const long LifetimeSeconds = 247;

    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);

    /// <summary>What a peer is asked to send back.</summary>
    public byte[] ValueFor(in PeerEndPoint peer, long nowMs)
    {
        byte[] value = new byte[TimeBytes + MacBytes];
        Write(value, peer, (uint)(nowMs / 1000));
        return value;
    }

    /// <summary>Whether this was sent to the peer, and not long ago.</summary>
    public bool IsGood(ReadOnlySpan<byte> value, in PeerEndPoint peer, long nowMs)
    {
        if (value.Length != TimeBytes + MacBytes) return false;
        uint second = BinaryPrimitives.ReadUInt32BigEndian(value);
        long age = (nowMs / 1000) - second;
        if (age is < 0 or > LifetimeSeconds) return false;
        Span<byte> expected = stackalloc byte[TimeBytes + MacBytes];
        Write(expected, peer, second);
        return CryptographicOperations.FixedTimeEquals(expected, value);
    }

    private void Write(Span<byte> value, in PeerEndPoint peer, uint second)
    {
        Span<byte> input = stackalloc byte[TimeBytes + 16 + 2 + 4];
        BinaryPrimitives.WriteUInt32BigEndian(input, second);
        BinaryPrimitives.WriteUInt128BigEndian(input[TimeBytes..], peer.Address);
        BinaryPrimitives.WriteUInt16BigEndian(input[(TimeBytes + 16)..], peer.Port);
        BinaryPrimitives.WriteUInt32BigEndian(input[(TimeBytes + 18)..], peer.Scope);
        Span<byte> mac = stackalloc byte[32];
        HMACSHA256.HashData(_key, input, mac);
        input[..TimeBytes].CopyTo(value);
        mac[..MacBytes].CopyTo(value[TimeBytes..]);
    }
}
