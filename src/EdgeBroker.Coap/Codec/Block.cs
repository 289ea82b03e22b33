namespace EdgeBroker.Coap.Codec;

/// <summary>The value of Block1 and Block2 (RFC 7959, 2.2).</summary>
/// <param name="Number">Which block, from 0; 20 bits.</param>
/// <param name="More">Whether more blocks follow.</param>
/// <param name="SizeExponent">The block's size as a power of two less 4: 0 to 6, 16 to 1024 bytes.</param>
public readonly record struct Block(int Number, bool More, int SizeExponent)
{
    /// <summary>The largest exponent; 7 is reserved.</summary>
    public const int MaxSizeExponent = 6;

    /// <summary>The highest block number.</summary>
    public const int MaxNumber = (1 << 20) - 1;

    /// <summary>Bytes of a block that is not the last.</summary>
    public int Size => 16 << SizeExponent;

    /// <summary>Where the block begins in the body.</summary>
    public long Offset => (long)Number << (SizeExponent + 4);

    /// <summary>As on the wire.</summary>
    public uint Value => ((uint)Number << 4) | (More ? 8u : 0u) | (uint)SizeExponent;

    /// <summary>Reads an option's integer; false when the size is the reserved one.</summary>
    public static bool TryRead(uint value, out Block block)
    {
        block = new Block((int)(value >> 4), (value & 8) != 0, (int)(value & 7));
        return block.SizeExponent <= MaxSizeExponent && block.Number <= MaxNumber;
    }

    /// <summary>The exponent of the largest block of at most so many bytes, 16 to 1024.</summary>
    public static int ExponentOf(int bytes)
    {
        int exponent = MaxSizeExponent;
        while (exponent > 0 && 16 << exponent > bytes) exponent--;
        return exponent;
    }
}
