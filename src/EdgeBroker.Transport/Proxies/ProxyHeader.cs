using System.Buffers.Binary;
using System.Net;

namespace EdgeBroker.Transport.Proxies;

/// <summary>
/// Reads the header by which a proxy says for whom it connects: the PROXY protocol, version 1 (a line of text) and 2 (binary), told apart by the first byte.
/// Strict: what could be read in two ways is refused. Decides as soon as the bytes allow it, and never waits for more than <see cref="MaxBytes"/>.
/// </summary>
public static class ProxyHeader
{
    /// <summary>The longest header accepted: version 2's fixed part and 2 KB of addresses and extensions, where the protocol would have 64 KB.</summary>
    public const int MaxBytes = FixedBytesV2 + MaxBlockBytes;

    private const int MaxBytesV1 = 107;
    private const int FixedBytesV2 = 16;
    private const int MaxBlockBytes = 2048;
    private const int BytesInet = 12;
    private const int BytesInet6 = 36;
    private const int BytesUnix = 216;

    private static ReadOnlySpan<byte> StartV1 => "PROXY "u8;

    private static ReadOnlySpan<byte> StartV2 => [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A];

    /// <summary>Reads a header from the first bytes of a connection.</summary>
    /// <param name="bytes">All that has come so far.</param>
    /// <param name="lengthBytes">The length of the header, when complete.</param>
    /// <param name="source">Where the client is; null: the header does not say (LOCAL, UNKNOWN, a Unix socket), so the proxy's own address stands.</param>
    /// <param name="cause">What is wrong and what to do about it, when malformed; else empty.</param>
    public static ProxyHeaderStatus TryRead(ReadOnlySpan<byte> bytes, out int lengthBytes, out IPEndPoint? source, out string cause)
    {
        (lengthBytes, source, cause) = (0, null, "");
        if (bytes.IsEmpty) return ProxyHeaderStatus.Incomplete;
        if (Begins(bytes, StartV1))
        {
            return bytes.Length < StartV1.Length ? ProxyHeaderStatus.Incomplete : ReadText(bytes, out lengthBytes, out source, out cause);
        }

        if (Begins(bytes, StartV2))
        {
            return bytes.Length < FixedBytesV2 ? ProxyHeaderStatus.Incomplete : ReadBinary(bytes, out lengthBytes, out source, out cause);
        }

        cause = "no PROXY header comes first, but " + Describe(bytes[0])
            + "; have the proxy send one (haproxy: send-proxy-v2), or take proxy_protocol off the listener";
        return ProxyHeaderStatus.Malformed;
    }

    private static bool Begins(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> start) =>
        bytes.Length < start.Length ? start.StartsWith(bytes) : bytes.StartsWith(start);

    private static string Describe(byte first) => first switch
    {
        0x10 => "MQTT",
        0x16 => "TLS",
        (byte)'G' => "HTTP",
        _ => $"the byte 0x{first:X2}",
    };

    private static ProxyHeaderStatus Malformed(string what, out string cause)
    {
        cause = "the PROXY header is malformed: " + what + "; check what stands in front of the listener";
        return ProxyHeaderStatus.Malformed;
    }

    private static ProxyHeaderStatus ReadText(ReadOnlySpan<byte> bytes, out int lengthBytes, out IPEndPoint? source, out string cause)
    {
        (lengthBytes, source, cause) = (0, null, "");
        int end = bytes[..Math.Min(bytes.Length, MaxBytesV1)].IndexOf("\r\n"u8);
        if (end < 0) return bytes.Length < MaxBytesV1 ? ProxyHeaderStatus.Incomplete : Malformed($"a line of more than {MaxBytesV1} bytes", out cause);
        ReadOnlySpan<byte> line = bytes[StartV1.Length..end];
        // What may stand behind UNKNOWN is not for us to look at.
        bool isUnknown = line.SequenceEqual("UNKNOWN"u8) || line.StartsWith("UNKNOWN "u8);
        if (!isUnknown && !ProxyLine.TryRead(line, out source)) return Malformed("not \"PROXY TCP4|TCP6 source destination port port\"", out cause);
        lengthBytes = end + 2;
        return ProxyHeaderStatus.Complete;
    }

    private static ProxyHeaderStatus ReadBinary(ReadOnlySpan<byte> bytes, out int lengthBytes, out IPEndPoint? source, out string cause)
    {
        (lengthBytes, source, cause) = (0, null, "");
        byte versionAndCommand = bytes[12];
        if (versionAndCommand is not (0x20 or 0x21)) return Malformed($"version and command are 0x{versionAndCommand:X2}, not 0x20 or 0x21", out cause);
        int blockBytes = BinaryPrimitives.ReadUInt16BigEndian(bytes[14..]);
        if (blockBytes > MaxBlockBytes) return Malformed($"{blockBytes} bytes are announced, above {MaxBlockBytes}", out cause);
        bool isLocal = versionAndCommand == 0x20;
        byte family = bytes[13];
        int addressBytes = isLocal ? 0 : AddressBytes(family);
        if (addressBytes < 0) return Malformed($"0x{family:X2} is no family of stream addresses", out cause);
        if (blockBytes < addressBytes) return Malformed($"{blockBytes} bytes have no room for addresses of {addressBytes}", out cause);
        if (bytes.Length < FixedBytesV2 + blockBytes) return ProxyHeaderStatus.Incomplete;
        ReadOnlySpan<byte> block = bytes.Slice(FixedBytesV2, blockBytes);
        // Where no address is believed, nothing else of the block is looked at either.
        if (addressBytes > 0 && !AreExtensions(block[addressBytes..])) return Malformed("an extension (TLV) is longer than the header", out cause);
        source = addressBytes switch
        {
            BytesInet => new IPEndPoint(new IPAddress(block[..4]), BinaryPrimitives.ReadUInt16BigEndian(block[8..])),
            BytesInet6 => new IPEndPoint(new IPAddress(block[..16]), BinaryPrimitives.ReadUInt16BigEndian(block[32..])),
            _ => null,
        };
        lengthBytes = FixedBytesV2 + blockBytes;
        return ProxyHeaderStatus.Complete;
    }

    /// <summary>The length of a family's addresses; -1: none that a stream connection can have. A family left open has none to read.</summary>
    private static int AddressBytes(byte family) => family switch
    {
        0x00 => 0,
        0x11 => BytesInet,
        0x21 => BytesInet6,
        0x31 => BytesUnix,
        _ => -1,
    };

    /// <summary>Whether this is a row of extensions (type, two bytes of length, value), none of which matters here.</summary>
    private static bool AreExtensions(ReadOnlySpan<byte> rest)
    {
        while (!rest.IsEmpty)
        {
            if (rest.Length < 3) return false;
            int length = 3 + BinaryPrimitives.ReadUInt16BigEndian(rest[1..]);
            if (length > rest.Length) return false;
            rest = rest[length..];
        }

        return true;
    }
}
