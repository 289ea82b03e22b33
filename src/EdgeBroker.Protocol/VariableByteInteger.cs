namespace EdgeBroker.Protocol;

/// <summary>Variable byte integers: 7 bits a byte, least significant first, 1 to 4 bytes (1.5.5).</summary>
public static class VariableByteInteger
{
    /// <summary>The largest value, 268,435,455.</summary>
    public const uint MaxValue = 0x0FFF_FFFF;

    /// <summary>Bytes needed for <paramref name="value"/>: 1 to 4.</summary>
    public static int Length(uint value) => value switch
    {
        < 1u << 7 => 1,
        < 1u << 14 => 2,
        < 1u << 21 => 3,
        _ => 4,
    };

    /// <summary>
    /// Reads one from the start of <paramref name="bytes"/>. Returns the bytes it takes, 0 when there are too few yet, and -1 when it is malformed:
    /// a fifth byte, or more bytes than the value needs [MQTT-1.5.5-1].
    /// </summary>
    public static int Read(ReadOnlySpan<byte> bytes, out uint value)
    {
        value = 0;
        for (int i = 0; i < 4; i++)
        {
            if (i >= bytes.Length) return 0;
            byte b = bytes[i];
            value |= (uint)(b & 0x7F) << (7 * i);
            if ((b & 0x80) != 0) continue;
            return i > 0 && b == 0 ? -1 : i + 1;
        }

        return -1;
    }

    /// <summary>Writes <paramref name="value"/> in the fewest bytes and returns their number.</summary>
    /// <exception cref="ArgumentOutOfRangeException">More than <see cref="MaxValue"/>.</exception>
    public static int Write(Span<byte> destination, uint value)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, MaxValue);
        int i = 0;
        while (value >= 0x80)
        {
            destination[i++] = (byte)(value | 0x80);
            value >>= 7;
        }

        destination[i++] = (byte)value;
        return i;
    }
}
