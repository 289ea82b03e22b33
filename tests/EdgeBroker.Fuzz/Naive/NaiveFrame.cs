namespace EdgeBroker.Fuzz.Naive;

/// <summary>The fixed header read straightforwardly (2.1).</summary>
public static class NaiveFrame
{
    /// <summary>"Complete", "Incomplete", "Malformed" or "TooLarge", and the length of the whole packet when it is known.</summary>
    public static (string Status, long Length) Cut(byte[] bytes, long limit)
    {
        if (bytes.Length == 0) return ("Incomplete", 0);
        int type = bytes[0] / 16, flags = bytes[0] % 16;
        if (type == 0) return ("Malformed", 0);
        if (type is 6 or 8 or 10 && flags != 2) return ("Malformed", 0);
        if (type is not (3 or 6 or 8 or 10) && flags != 0) return ("Malformed", 0);
        int continued = bytes.Skip(1).TakeWhile(b => b >= 128).Count();
        if (continued >= 4) return ("Malformed", 0);
        if (1 + continued >= bytes.Length) return ("Incomplete", 0);
        if (continued > 0 && bytes[1 + continued] == 0) return ("Malformed", 0);
        long remaining = 0;
        for (int i = continued; i >= 0; i--) remaining = (remaining * 128) + (bytes[1 + i] % 128);
        long length = 2 + continued + remaining;
        if (length > limit) return ("TooLarge", length);
        return (bytes.Length < length ? "Incomplete" : "Complete", length);
    }
}
