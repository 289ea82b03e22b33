namespace EdgeBroker.Fuzz.Naive;

/// <summary>UTF-8 checked scalar value by scalar value, as the definition of the encoding reads.</summary>
public static class NaiveUtf8
{
    /// <summary>Whether the bytes are a string MQTT allows: every character well-formed, none of them U+0000 (1.5.4).</summary>
    public static bool IsAllowed(byte[] bytes) => TryDecode(bytes, out List<int> scalars) && !scalars.Contains(0);

    private static bool TryDecode(byte[] bytes, out List<int> scalars)
    {
        scalars = [];
        int position = 0;
        while (position < bytes.Length)
        {
            int first = bytes[position++];
            int following = first < 0x80 ? 0 : (first & 0xE0) == 0xC0 ? 1 : (first & 0xF0) == 0xE0 ? 2 : (first & 0xF8) == 0xF0 ? 3 : -1;
            if (following < 0) return false;
            int scalar = following switch { 0 => first, 1 => first & 0x1F, 2 => first & 0x0F, _ => first & 0x07 };
            for (int i = 0; i < following; i++)
            {
                if (position == bytes.Length || (bytes[position] & 0xC0) != 0x80) return false;
                scalar = (scalar * 64) + (bytes[position++] & 0x3F);
            }

            int needed = scalar < 0x80 ? 0 : scalar < 0x800 ? 1 : scalar < 0x10000 ? 2 : 3;
            if (needed != following || scalar is >= 0xD800 and <= 0xDFFF || scalar > 0x10FFFF) return false;
            scalars.Add(scalar);
        }

        return true;
    }
}
