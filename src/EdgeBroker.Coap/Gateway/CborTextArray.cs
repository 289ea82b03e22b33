namespace EdgeBroker.Coap.Gateway;

/// <summary>Reads a CBOR array of texts (RFC 8949, 3), each of a length that is said.</summary>
internal static class CborTextArray
{
    private const int Text = 3;
    private const int Array = 4;

    /// <summary>Reads all of it; false: it is none, or has too many.</summary>
    /// <param name="bytes">The whole array.</param>
    /// <param name="most">Texts at most.</param>
    /// <param name="texts">The bytes of each, which need not be UTF-8.</param>
    public static bool TryRead(ReadOnlySpan<byte> bytes, int most, out List<byte[]> texts)
    {
        texts = [];
        if (!TryReadHead(ref bytes, Array, out uint count) || count > most) return false;
        for (uint i = 0; i < count; i++)
        {
            if (!TryReadHead(ref bytes, Text, out uint length) || length > bytes.Length) return false;
            texts.Add(bytes[..(int)length].ToArray());
            bytes = bytes[(int)length..];
        }

        return bytes.IsEmpty;
    }

    private static bool TryReadHead(ref ReadOnlySpan<byte> bytes, int type, out uint value)
    {
        value = 0;
        if (bytes.IsEmpty || bytes[0] >> 5 != type) return false;
        int low = bytes[0] & 31;
        // More bytes than four would be a length that nothing here can have.
        int more = low switch { < 24 => 0, 24 => 1, 25 => 2, 26 => 4, _ => -1 };
        if (more < 0 || bytes.Length <= more) return false;
        value = more == 0 ? (uint)low : 0;
        foreach (byte next in bytes.Slice(1, more)) value = (value << 8) | next;
        bytes = bytes[(1 + more)..];
        return true;
    }
}
