using EdgeBroker.Transport.Linux;

namespace EdgeBroker.Transport.Buffers;

/// <summary>
/// Blocks for long units that are received. A few megabytes of them are kept, since the first touch of each page of a new one costs far more than a copy, and
/// let go when they were not needed for a while. Any thread.
/// </summary>
internal static class BlockPool
{
    private const int MostKeptBytes = 4 * 1024 * 1024;

    // A unit of which little has come does not take one that is much larger.
    private const int LargestFactor = 8;

    private static readonly Lock SyncRoot = new();
    private static readonly List<MappedBlock> Kept = [];
    private static int _keptBytes;
    private static int _fewestBytes;

    /// <summary>Bytes kept of blocks that nobody uses.</summary>
    public static int KeptBytes => Volatile.Read(ref _keptBytes);

    /// <summary>Takes a block of at least <paramref name="minBytes"/>.</summary>
    /// <exception cref="InsufficientMemoryException">There is no memory.</exception>
    public static MappedBlock Take(int minBytes)
    {
        lock (SyncRoot.Leaf())
        {
            // The one given back last is in the cache.
            int found = Kept.FindLastIndex(one => one.Bytes >= minBytes && one.Bytes / LargestFactor <= minBytes);
            if (found >= 0)
            {
                MappedBlock kept = Kept[found];
                Kept.RemoveAt(found);
                _keptBytes -= kept.Bytes;
                _fewestBytes = Math.Min(_fewestBytes, _keptBytes);
                return kept;
            }
        }

        var block = new MappedBlock();
        block.Resize(minBytes);
        return block;
    }

    /// <summary>Gives a block back, of which the caller has none afterwards.</summary>
    public static void Return(ref MappedBlock block)
    {
        MappedBlock given = block;
        block = default;
        if (given.Bytes == 0) return;
        lock (SyncRoot.Leaf())
        {
            if (_keptBytes + given.Bytes <= MostKeptBytes)
            {
                _keptBytes += given.Bytes;
                Kept.Add(given);
                return;
            }
        }

        given.Free();
    }

    /// <summary>Lets go of blocks that lay unused since the last call. Called every few seconds by one thread.</summary>
    public static void Trim()
    {
        lock (SyncRoot.Leaf())
        {
            while (_fewestBytes > 0 && Kept.Count > 0)
            {
                MappedBlock unused = Kept[0];
                Kept.RemoveAt(0);
                _keptBytes -= unused.Bytes;
                _fewestBytes -= unused.Bytes;
                unused.Free();
            }

            _fewestBytes = _keptBytes;
        }
    }
}
