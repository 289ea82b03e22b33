namespace EdgeBroker.Testing;

/// <summary>Bytes of a connection, cut into packets.</summary>
public sealed class PacketBuffer
{
    private byte[] _bytes = new byte[64 * 1024];
    private int _from;
    private int _to;

    /// <summary>Where the next bytes go.</summary>
    public Memory<byte> Room()
    {
        if (_from > 0)
        {
            _bytes.AsSpan(_from, _to - _from).CopyTo(_bytes);
            _to -= _from;
            _from = 0;
        }

        if (_to == _bytes.Length) Array.Resize(ref _bytes, _bytes.Length * 2);
        return _bytes.AsMemory(_to);
    }

    /// <summary>So many bytes have come to where <see cref="Room"/> was.</summary>
    public void Add(int bytes) => _to += bytes;

    /// <summary>Takes bytes that have come.</summary>
    public void Add(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            Span<byte> room = Room().Span;
            int taken = Math.Min(room.Length, bytes.Length);
            bytes[..taken].CopyTo(room);
            Add(taken);
            bytes = bytes[taken..];
        }
    }

    /// <summary>Takes out a packet; false: none is there whole.</summary>
    public bool TryCut(out byte[] packet)
    {
        packet = [];
        int length = 0;
        for (int i = 1; i <= 4 && _from + i < _to; i++)
        {
            byte one = _bytes[_from + i];
            length |= (one & 0x7F) << (7 * (i - 1));
            if ((one & 0x80) != 0) continue;
            int end = _from + i + 1 + length;
            if (end > _to) return false;
            packet = _bytes[_from..end];
            _from = end;
            return true;
        }

        return false;
    }
}
