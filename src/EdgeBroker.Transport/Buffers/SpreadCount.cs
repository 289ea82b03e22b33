using System.Numerics;

namespace EdgeBroker.Transport.Buffers;

/// <summary>A number that many threads add to and few read: threads have cells of their own, so that adding is uncontended.</summary>
internal sealed class SpreadCount
{
    // A cache line, and the one fetched with it.
    private const int CellLongs = 16;

    private static readonly int Cells = Math.Min(16, (int)BitOperations.RoundUpToPowerOf2((uint)Environment.ProcessorCount));

    // The first cell is left out: the array's head stands before it.
    private readonly long[] _cells = new long[(Cells + 1) * CellLongs];

    /// <summary>All that was added.</summary>
    public long Sum
    {
        get
        {
            long sum = 0;
            for (int cell = 1; cell <= Cells; cell++) sum += Interlocked.Read(ref _cells[cell * CellLongs]);
            return sum;
        }
    }

    /// <summary>Adds to it, or, below zero, takes away.</summary>
    public void Add(long number) => Interlocked.Add(ref _cells[((Environment.CurrentManagedThreadId & (Cells - 1)) + 1) * CellLongs], number);
}
