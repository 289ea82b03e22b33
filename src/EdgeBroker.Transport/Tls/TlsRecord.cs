using System.Buffers.Binary;

namespace EdgeBroker.Transport.Tls;

/// <summary>The records of TLS as they lie in the stream (RFC 8446, 5.1).</summary>
public static class TlsRecord
{
    /// <summary>What no record is: type or length are not of TLS.</summary>
    public const int Malformed = -1;

    private const int HeaderBytes = 5;
    private const byte FirstType = 20;
    private const byte LastType = 24;
    private const byte MajorVersion = 3;

    // RFC 5246, 6.2.3: what encryption may add in 1.2; less in 1.3.
    private const int LongestBytes = (16 * 1024) + 2048;

    /// <summary>The length in bytes of the record that begins here, with its header; 0: too little is there to tell; or <see cref="Malformed"/>.</summary>
    public static int LengthOf(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < HeaderBytes) return 0;
        int length = BinaryPrimitives.ReadUInt16BigEndian(bytes[3..]);
        return bytes[0] is >= FirstType and <= LastType && bytes[1] == MajorVersion && length is > 0 and <= LongestBytes ? HeaderBytes + length : Malformed;
    }

    /// <summary>The length in bytes of the whole records at the front; or <see cref="Malformed"/>.</summary>
    /// <param name="bytes">What was received.</param>
    /// <param name="nextBytes">The length of the record behind them, of which a part is there or nothing; 0: not known yet.</param>
    public static int CutWhole(ReadOnlySpan<byte> bytes, out int nextBytes)
    {
        int whole = 0;
        while (true)
        {
            nextBytes = LengthOf(bytes[whole..]);
            if (nextBytes == Malformed) return Malformed;
            if (nextBytes == 0 || nextBytes > bytes.Length - whole) return whole;
            whole += nextBytes;
        }
    }
}
