using System.Buffers.Binary;

namespace EdgeBroker.Storage.Rows;

/// <summary>
/// Reads what <see cref="BlobWriter"/> wrote. Damage is told by <see cref="IsDamaged"/>, never by an exception: what is read after it is zero.
/// </summary>
internal ref struct BlobReader
{
    private ReadOnlySpan<byte> _rest;

    /// <param name="blob">The blob with its checksum.</param>
    public BlobReader(ReadOnlySpan<byte> blob)
    {
        if (blob.Length < 4 || BinaryPrimitives.ReadUInt32LittleEndian(blob[^4..]) != Checksum.Of(blob[..^4]))
        {
            IsDamaged = true;
            return;
        }

        _rest = blob[..^4];
    }

    /// <summary>Whether the blob is not what was written.</summary>
    public bool IsDamaged { get; private set; }

    /// <summary>Whether all of it has been read.</summary>
    public readonly bool IsAtEnd => _rest.IsEmpty;

    /// <summary>A number.</summary>
    public long Number()
    {
        ulong value = 0;
        for (int i = 0, shift = 0; i < _rest.Length && shift < 64; i++, shift += 7)
        {
            value |= (ulong)(_rest[i] & 0x7F) << shift;
            if (_rest[i] >= 0x80) continue;
            _rest = _rest[(i + 1)..];
            return (long)value;
        }

        Refuse();
        return 0;
    }

    /// <summary>A count of things of which each takes a byte at least.</summary>
    public int Count()
    {
        long count = Number();
        if (count >= 0 && count <= _rest.Length) return (int)count;
        Refuse();
        return 0;
    }

    /// <summary>A byte.</summary>
    public byte Byte()
    {
        if (_rest.IsEmpty)
        {
            Refuse();
            return 0;
        }

        byte value = _rest[0];
        _rest = _rest[1..];
        return value;
    }

    /// <summary>A byte string, in the blob's memory.</summary>
    public ReadOnlySpan<byte> Bytes()
    {
        int length = Count();
        ReadOnlySpan<byte> value = _rest[..length];
        _rest = _rest[length..];
        return value;
    }

    /// <summary>Counts the blob as damaged: what was read cannot have been written.</summary>
    public void Refuse()
    {
        IsDamaged = true;
        _rest = default;
    }
}
