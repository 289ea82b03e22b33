namespace EdgeBroker.Storage.Rows;

/// <summary>The positions that PUBREC came for and PUBCOMP has not, as a blob: distances.</summary>
internal static class ReleasedBlob
{
    public static byte[] Of(SortedSet<long> released)
    {
        var blob = new BlobWriter();
        long last = 0;
        foreach (long position in released)
        {
            blob.Number(position - last);
            last = position;
        }

        return blob.ToArray();
    }

    /// <summary>Adds the positions to a set; false when the blob is damaged, and what was read before that is added.</summary>
    public static bool Read(ReadOnlySpan<byte> bytes, SortedSet<long> released)
    {
        var blob = new BlobReader(bytes);
        for (long position = 0; !blob.IsAtEnd && !blob.IsDamaged;) released.Add(position += blob.Number());
        return !blob.IsDamaged;
    }
}
