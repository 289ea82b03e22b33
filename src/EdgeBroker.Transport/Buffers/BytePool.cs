using System.Buffers;
using System.Numerics;

namespace EdgeBroker.Transport.Buffers;

/// <summary>
/// Arrays for what is received. Short ones are the shared pool's, which keeps few. It would keep any number of long ones for as long as the process lives, so
/// of these a few megabytes are kept here, and let go when they were not needed for a while. Any thread.
/// </summary>
public static class BytePool
{
    private const int LongestSharedBytes = 64 * 1024;
    private const int MostKeptBytes = 4 * 1024 * 1024;

    private static readonly Lock SyncRoot = new();
    private static readonly Stack<byte[]>[] Kept = [.. Enumerable.Range(0, 32).Select(_ => new Stack<byte[]>())];
    private static int _keptBytes;
    private static int _fewestBytes;

    /// <summary>Bytes kept of long arrays that nobody uses.</summary>
    public static int KeptBytes => Volatile.Read(ref _keptBytes);

    /// <summary>Takes an array of at least <paramref name="minBytes"/>.</summary>
    public static byte[] Rent(int minBytes)
    {
        if (minBytes <= LongestSharedBytes) return ArrayPool<byte>.Shared.Rent(minBytes);
        // By powers of two; what is larger than can be kept is made to measure.
        if (minBytes > MostKeptBytes) return GC.AllocateUninitializedArray<byte>(minBytes);
        int place = BitOperations.Log2((uint)minBytes - 1) + 1;
        lock (SyncRoot.Leaf())
        {
            if (Kept[place].TryPop(out byte[]? kept))
            {
                _keptBytes -= kept.Length;
                _fewestBytes = Math.Min(_fewestBytes, _keptBytes);
                return kept;
            }
        }

        return GC.AllocateUninitializedArray<byte>(1 << place);
    }

    /// <summary>Gives an array back.</summary>
    public static void Return(byte[] array)
    {
        if (array.Length <= LongestSharedBytes)
        {
            ArrayPool<byte>.Shared.Return(array);
            return;
        }

        if (!BitOperations.IsPow2(array.Length)) return;
        lock (SyncRoot.Leaf())
        {
            if (_keptBytes + array.Length > MostKeptBytes) return;
            _keptBytes += array.Length;
            Kept[BitOperations.Log2((uint)array.Length)].Push(array);
        }
    }

    /// <summary>Lets go of arrays that lay unused since the last call. Called every few seconds by one thread.</summary>
    public static void Trim()
    {
        lock (SyncRoot.Leaf())
        {
            for (int place = Kept.Length - 1; place >= 0; place--)
            {
                while (_fewestBytes > 0 && Kept[place].TryPop(out byte[]? unused))
                {
                    _keptBytes -= unused.Length;
                    _fewestBytes -= unused.Length;
                }
            }

            _fewestBytes = _keptBytes;
        }
    }
}
