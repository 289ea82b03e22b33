namespace EdgeBroker.Transport.Buffers;

/// <summary>
/// Pinned chunks of memory for output, in two sizes: small ones for the odd acknowledgement, large ones for streams. Each thread keeps a few at hand; the rest
/// lies in a common stack. Chunks that were not needed for a while are let go, so that memory comes back after a storm.
/// </summary>
internal static class ChunkPool
{
    public const int SmallBytes = 2 * 1024;
    public const int LargeBytes = 16 * 1024;

    private const int AtHand = 32;

    private static readonly Shelf Small = new();
    private static readonly Shelf Large = new();

    [ThreadStatic]
    private static Hand? _smallHand;

    [ThreadStatic]
    private static Hand? _largeHand;

    /// <summary>Takes a chunk of at least <paramref name="minBytes"/>.</summary>
    public static byte[] Rent(int minBytes)
    {
        byte[] chunk = Take(minBytes);
        BufferMemory.AddOutput(chunk.Length);
        return chunk;
    }

    /// <summary>Gives a chunk back; one of an odd size goes to the garbage collector.</summary>
    public static void Return(byte[] chunk)
    {
        BufferMemory.AddOutput(-chunk.Length);
        if (chunk.Length == SmallBytes) Return(chunk, _smallHand ??= new Hand(), Small);
        else if (chunk.Length == LargeBytes) Return(chunk, _largeHand ??= new Hand(), Large);
    }

    /// <summary>Lets go of chunks that lay unused since the last call. Called every few seconds by one thread.</summary>
    public static void Trim()
    {
        Small.Trim();
        Large.Trim();
    }

    private static byte[] Take(int minBytes)
    {
        if (minBytes <= SmallBytes) return Take(_smallHand ??= new Hand(), Small, SmallBytes);
        if (minBytes <= LargeBytes) return Take(_largeHand ??= new Hand(), Large, LargeBytes);
        return GC.AllocateUninitializedArray<byte>(minBytes, pinned: true);
    }

    private static byte[] Take(Hand hand, Shelf shelf, int bytes) =>
        hand.Count > 0 ? hand.Chunks[--hand.Count] : shelf.Take() ?? GC.AllocateUninitializedArray<byte>(bytes, pinned: true);

    private static void Return(byte[] chunk, Hand hand, Shelf shelf)
    {
        if (hand.Count < AtHand) hand.Chunks[hand.Count++] = chunk;
        else shelf.Put(chunk);
    }

    private sealed class Hand
    {
        public readonly byte[][] Chunks = new byte[AtHand][];
        public int Count;
    }

    private sealed class Shelf
    {
        private readonly Lock _lock = new();
        private readonly Stack<byte[]> _chunks = new();
        private int _fewest;

        public byte[]? Take()
        {
            lock (_lock.Leaf())
            {
                if (!_chunks.TryPop(out byte[]? chunk)) return null;
                _fewest = Math.Min(_fewest, _chunks.Count);
                return chunk;
            }
        }

        public void Put(byte[] chunk)
        {
            lock (_lock.Leaf()) _chunks.Push(chunk);
        }

        public void Trim()
        {
            lock (_lock.Leaf())
            {
                int unused = (_fewest + 1) / 2;
                for (int i = 0; i < unused; i++) _chunks.Pop();
                // Not while chunks are out: they come back, and would find no place.
                if (unused > 0 && _chunks.Count == 0) _chunks.TrimExcess();
                _fewest = _chunks.Count;
            }
        }
    }
}
