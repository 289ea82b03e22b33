
namespace EdgeBroker.Transport.Buffers;

/// <summary>
/// What a connection received and its handler did not consume: a unit still incomplete. Pooled memory that is there only meanwhile and grows with what has
/// come, not with what was announced: a peer that announces much and sends little costs little.
/// </summary>
public struct ReceivedBytes
{
    private byte[]? _kept;

    // As what the memory is counted.
    private bool _hasLoggedIn;

    /// <summary>Bytes kept.</summary>
    public int Length { get; private set; }

    /// <summary>The bytes kept.</summary>
    public readonly Span<byte> Kept => _kept.AsSpan(0, Length);

    /// <summary>Where to receive next: behind the kept bytes, which stand at the front of the span returned.</summary>
    /// <param name="shared">The reactor's buffer, used whenever the kept bytes leave room in it.</param>
    /// <param name="kept">How many bytes stand there already.</param>
    public readonly Span<byte> Room(byte[] shared, out int kept)
    {
        kept = Length;
        if (_kept is null) return shared;
        if (_kept.Length > shared.Length / 2) return _kept;
        Kept.CopyTo(shared);
        return shared;
    }

    /// <summary>Keeps what was not consumed; <paramref name="rest"/> may lie in the kept memory itself.</summary>
    /// <param name="rest">The bytes.</param>
    /// <param name="announcedBytes">How long the unit will be; 0: not known.</param>
    /// <param name="hasLoggedIn">Whether the peer has logged in; its memory is counted apart then.</param>
    public void Keep(ReadOnlySpan<byte> rest, int announcedBytes, bool hasLoggedIn)
    {
        if (rest.IsEmpty)
        {
            Clear();
            return;
        }

        // Room for as much again as has come, but not beyond the unit: large units take few copies and unsent ones little memory.
        int wanted = announcedBytes > 0 ? Math.Min(announcedBytes, 2 * rest.Length) : rest.Length;
        if (_kept is null || _kept.Length <= rest.Length)
        {
            byte[] larger = BytePool.Rent(Math.Max(wanted, rest.Length + 1));
            rest.CopyTo(larger);
            Clear();
            _kept = larger;
            Count(hasLoggedIn);
        }
        else
        {
            rest.CopyTo(_kept);
            if (hasLoggedIn != _hasLoggedIn)
            {
                Uncount();
                Count(hasLoggedIn);
            }
        }

        Length = rest.Length;
    }

    /// <summary>Keeps more behind what is kept already.</summary>
    /// <param name="more">The bytes; not in the kept memory.</param>
    /// <param name="announcedBytes">How long the unit will be; 0: not known.</param>
    /// <param name="hasLoggedIn">Whether the peer has logged in.</param>
    public void Append(ReadOnlySpan<byte> more, int announcedBytes, bool hasLoggedIn)
    {
        int length = Length + more.Length;
        if (_kept is null || _kept.Length < length)
        {
            byte[] larger = BytePool.Rent(Math.Max(length, Math.Min(announcedBytes, 2 * length)));
            Kept.CopyTo(larger);
            Clear();
            _kept = larger;
            Count(hasLoggedIn);
        }

        more.CopyTo(_kept.AsSpan(length - more.Length));
        Length = length;
    }

    /// <summary>Gives the memory back.</summary>
    public void Clear()
    {
        if (_kept is not null)
        {
            Uncount();
            BytePool.Return(_kept);
        }

        _kept = null;
        Length = 0;
    }

    private void Count(bool hasLoggedIn)
    {
        _hasLoggedIn = hasLoggedIn;
        BufferMemory.AddReceived(hasLoggedIn, _kept!.Length);
    }

    private readonly void Uncount() => BufferMemory.AddReceived(_hasLoggedIn, -_kept!.Length);
}
