using System.Buffers;
using System.Runtime.InteropServices;
using EdgeBroker.Transport.Linux;

namespace EdgeBroker.Transport.Buffers;

/// <summary>
/// Bytes that wait for a socket: a chain of pooled, pinned chunks, empty and without memory when nothing waits. Writers on any thread append under the lock;
/// the connection's own thread sends from the front without it, since what was written does not change.
/// </summary>
public sealed class OutputBuffer : IBufferWriter<byte>
{
    // Shared by the buffers that only their own thread knows yet.
    private static readonly Lock Unshared = new();

    private Chunk? _first;
    private Chunk? _last;

    /// <summary>The lock that guards this buffer.</summary>
    public Lock SyncRoot { get; private set; } = Unshared;

    /// <summary>Bytes waiting.</summary>
    public int Length { get; private set; }

    /// <summary>The first chunk in the chain, for sending; null when nothing waits.</summary>
    internal Chunk? First => _first;

    /// <summary>Has the lock of what the connection belongs to guard this buffer from now on. Called before anybody else can write.</summary>
    public void UseLock(Lock owner) => SyncRoot = owner;

    /// <inheritdoc/>
    public void Advance(int count)
    {
        SyncRoot.MustBeHeld();
        _last!.End += count;
        Length += count;
    }

    /// <inheritdoc/>
    public Span<byte> GetSpan(int sizeHint = 0)
    {
        SyncRoot.MustBeHeld();
        if (_last is null || _last.Bytes.Length - _last.End < Math.Max(1, sizeHint)) Append(sizeHint);
        return _last!.Bytes.AsSpan(_last.End);
    }

    /// <inheritdoc/>
    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        GetSpan(sizeHint);
        return _last!.Bytes.AsMemory(_last.End);
    }

    /// <summary>Copies bytes in that need not lie in one piece.</summary>
    internal void AppendPieces(ReadOnlySpan<byte> bytes)
    {
        if (_last is null) Append(Math.Min(bytes.Length, ChunkPool.LargeBytes));
        while (!bytes.IsEmpty)
        {
            Span<byte> room = GetSpan();
            int count = Math.Min(room.Length, bytes.Length);
            bytes[..count].CopyTo(room);
            Advance(count);
            bytes = bytes[count..];
        }
    }

    /// <summary>Moves bytes from the front into a buffer; returns how many.</summary>
    internal int MoveTo(Span<byte> buffer)
    {
        int count = 0;
        for (Chunk? chunk = _first; chunk is not null && count < buffer.Length; chunk = chunk.Next)
        {
            ReadOnlySpan<byte> waiting = chunk.Waiting;
            int here = Math.Min(waiting.Length, buffer.Length - count);
            waiting[..here].CopyTo(buffer[count..]);
            count += here;
        }

        Consume(count);
        return count;
    }

    /// <summary>Takes sent bytes from the front and gives empty chunks back.</summary>
    internal void Consume(int count)
    {
        SyncRoot.MustBeHeld();
        Length -= count;
        while (_first is { } first)
        {
            int here = Math.Min(count, first.End - first.Start);
            first.Start += here;
            count -= here;
            if (first.Start < first.End) return;
            _first = first.Next;
            if (_first is null) _last = null;
            ChunkPool.Return(first.Bytes);
            Chunk.Recycle(first);
        }
    }

    /// <summary>Lists what waits, from the front, for one call of the system; the number of pieces.</summary>
    internal unsafe int Gather(LinuxSockets.IoVector* vectors, int most, out int totalBytes)
    {
        SyncRoot.MustBeHeld();
        int count = 0;
        totalBytes = 0;
        for (Chunk? chunk = _first; chunk is not null && count < most; chunk = chunk.Next)
        {
            if (chunk.End == chunk.Start) continue;
            // Pinned for life, so the address holds.
            vectors[count].Base = (byte*)Marshal.UnsafeAddrOfPinnedArrayElement(chunk.Bytes, chunk.Start);
            vectors[count].Length = chunk.End - chunk.Start;
            totalBytes += chunk.End - chunk.Start;
            count++;
        }

        return count;
    }

    /// <summary>Drops everything.</summary>
    internal void Clear() => Consume(Length);

    private void Append(int sizeHint)
    {
        // A first small chunk, then large ones: who gets little costs little.
        int bytes = Math.Max(sizeHint, _last is null ? 1 : ChunkPool.LargeBytes);
        Chunk chunk = Chunk.Take(ChunkPool.Rent(bytes));
        if (_last is null) _first = chunk;
        else _last.Next = chunk;
        _last = chunk;
    }

    /// <summary>A piece of the chain.</summary>
    internal sealed class Chunk
    {
        // As many connections may get a message in one iteration, and each takes one.
        private const int Spares = 1024;

        [ThreadStatic]
        private static Chunk? _spare;

        [ThreadStatic]
        private static int _spares;

        public byte[] Bytes = [];
        public int Start;
        public int End;
        public Chunk? Next;

        public ReadOnlySpan<byte> Waiting => Bytes.AsSpan(Start, End - Start);

        public static Chunk Take(byte[] bytes)
        {
            Chunk chunk;
            if (_spare is null)
            {
                chunk = new Chunk();
            }
            else
            {
                chunk = _spare;
                _spare = chunk.Next;
                _spares--;
            }

            chunk.Next = null;
            chunk.Bytes = bytes;
            chunk.Start = chunk.End = 0;
            return chunk;
        }

        /// <summary>Keeps a few objects for the next <see cref="Take"/> of this thread.</summary>
        public static void Recycle(Chunk chunk)
        {
            chunk.Bytes = [];
            chunk.Next = null;
            if (_spares >= Spares) return;
            chunk.Next = _spare;
            _spare = chunk;
            _spares++;
        }
    }
}
