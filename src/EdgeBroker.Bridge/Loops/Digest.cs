namespace EdgeBroker.Bridge.Loops;

/// <summary>
/// 64 bits by which two messages are taken for the same. Seeded anew by each process, so nobody can prepare two messages that are mistaken for one another.
/// </summary>
internal static class Digest
{
    /// <summary>That of a message.</summary>
    /// <param name="origin">Where it began; empty: anywhere.</param>
    /// <param name="topic">Its topic.</param>
    /// <param name="payload">Its payload.</param>
    public static ulong Of(ReadOnlySpan<byte> origin, ReadOnlySpan<byte> topic, ReadOnlySpan<byte> payload) =>
        ((ulong)(uint)Half(1, origin, topic, payload) << 32) | (uint)Half(2, origin, topic, payload);

    private static int Half(int which, ReadOnlySpan<byte> origin, ReadOnlySpan<byte> topic, ReadOnlySpan<byte> payload)
    {
        var hash = new HashCode();
        hash.Add(which);
        // With their lengths, so that what one ends with the next does not begin with.
        hash.Add(origin.Length);
        hash.AddBytes(origin);
        hash.Add(topic.Length);
        hash.AddBytes(topic);
        hash.AddBytes(payload);
        return hash.ToHashCode();
    }
}
