using System.Buffers;
using EdgeBroker.Transport.Linux;

namespace EdgeBroker.Transport.Buffers;

/// <summary>
/// What a connection received and its handler did not consume: a unit still incomplete. Memory that is there only meanwhile and grows with what has come, not
/// with what was announced: a peer that announces much and sends little costs little. Whoever has it clears it at the end.
/// </summary>
public struct ReceivedBytes
{
    // Longer units lie in memory of the system's. The collector would free theirs some time later, and the smaller arrays that they have outgrown: with a few
    // dozen large packets under way that is more than the packets.
    private const int LongestPooledBytes = 64 * 1024;

    private byte[]? _pooled;
    private MappedBlock _mapped;

    // As what the memory is counted.
    private int _countedBytes;
    private bool _hasLoggedIn;

    /// <summary>
    /// Whether a handler has the bytes: until it returns nothing gives their memory back, also when the handler itself ends the connection. Whoever hands
    /// them clears them afterwards.
    /// </summary>
    public bool IsHanded { get; set; }

    /// <summary>Bytes kept.</summary>
    public int Length { get; private set; }

    /// <summary>The bytes kept.</summary>
    public readonly Span<byte> Kept => Memory[..Length];

    private readonly Span<byte> Memory => _mapped.Bytes > 0 ? _mapped.Span : _pooled;

    /// <summary>Where to receive next: behind the kept bytes, which stand at the front of the span returned.</summary>
    /// <param name="shared">The reactor's buffer, used whenever the kept bytes leave room in it.</param>
    /// <param name="kept">How many bytes stand there already.</param>
    public readonly Span<byte> Room(byte[] shared, out int kept)
    {
        kept = Length;
        Span<byte> memory = Memory;
        if (memory.IsEmpty) return shared;
        if (memory.Length > shared.Length / 2) return memory;
        Kept.CopyTo(shared);
        return shared;
    }

    /// <summary>Keeps what was not consumed; <paramref name="rest"/> may lie in the kept memory itself, and is not to be used afterwards.</summary>
    /// <param name="rest">The bytes.</param>
    /// <param name="announcedBytes">How long the unit will be; 0: not known.</param>
    /// <param name="hasLoggedIn">Whether the peer has logged in; its memory is counted apart then.</param>
    /// <exception cref="InsufficientMemoryException">There is no memory.</exception>
    public void Keep(ReadOnlySpan<byte> rest, int announcedBytes, bool hasLoggedIn)
    {
        if (rest.IsEmpty)
        {
            Clear();
            return;
        }

        // Room for as much again as has come, but not beyond the unit: large units take few steps and unsent ones little memory.
        int wantedBytes = Math.Max(rest.Length + 1, announcedBytes > 0 ? Math.Min(announcedBytes, 2 * rest.Length) : rest.Length);
        int length = rest.Length;
        bool fits = length <= Memory.Length;
        if (fits) rest.CopyTo(Memory);
        Length = fits ? length : 0;
        // What is left of a long unit's memory when the next, of which little has come, begins is not kept for it.
        if (length >= Memory.Length || (_mapped.Bytes > 0 && wantedBytes <= LongestPooledBytes)) Move(wantedBytes);
        if (!fits) rest.CopyTo(Memory);
        Length = length;
        Count(hasLoggedIn);
    }

    /// <summary>Keeps more behind what is kept already.</summary>
    /// <param name="more">The bytes; not in the kept memory.</param>
    /// <param name="announcedBytes">How long the unit will be; 0: not known.</param>
    /// <param name="hasLoggedIn">Whether the peer has logged in.</param>
    /// <exception cref="InsufficientMemoryException">There is no memory.</exception>
    public void Append(ReadOnlySpan<byte> more, int announcedBytes, bool hasLoggedIn)
    {
        int length = Length + more.Length;
        if (Memory.Length < length) Move(Math.Max(length, Math.Min(announcedBytes, 2 * length)));
        more.CopyTo(Memory[Length..]);
        Length = length;
        Count(hasLoggedIn);
    }

    /// <summary>Keeps bytes that do not lie in one piece; nothing was kept before.</summary>
    /// <exception cref="InsufficientMemoryException">There is no memory.</exception>
    public void Keep(in ReadOnlySequence<byte> bytes, bool hasLoggedIn)
    {
        Move((int)bytes.Length);
        bytes.CopyTo(Memory);
        Length = (int)bytes.Length;
        Count(hasLoggedIn);
    }

    /// <summary>Gives the memory back, unless a handler has it.</summary>
    public void Clear()
    {
        if (IsHanded) return;
        Length = 0;
        BlockPool.Return(ref _mapped);
        if (_pooled is not null) ArrayPool<byte>.Shared.Return(_pooled);
        _pooled = null;
        Count(_hasLoggedIn);
    }

    /// <summary>Takes memory of that length at least, with what is kept at its front.</summary>
    private void Move(int bytes)
    {
        byte[]? before = _pooled;
        if (bytes <= LongestPooledBytes)
        {
            byte[] pooled = ArrayPool<byte>.Shared.Rent(bytes);
            Kept.CopyTo(pooled);
            BlockPool.Return(ref _mapped);
            _pooled = pooled;
        }
        else
        {
            ReadOnlySpan<byte> kept = Kept;
            if (_mapped.Bytes == 0) _mapped = BlockPool.Take(bytes);
            else _mapped.Resize(bytes);
            if (before is not null) kept.CopyTo(_mapped.Span);
            _pooled = null;
        }

        if (before is not null) ArrayPool<byte>.Shared.Return(before);
    }

    private void Count(bool hasLoggedIn)
    {
        int bytes = Memory.Length;
        if (bytes == _countedBytes && hasLoggedIn == _hasLoggedIn) return;
        if (_countedBytes > 0) BufferMemory.AddReceived(_hasLoggedIn, -_countedBytes);
        (_countedBytes, _hasLoggedIn) = (bytes, hasLoggedIn);
        if (bytes > 0) BufferMemory.AddReceived(hasLoggedIn, bytes);
    }
}
