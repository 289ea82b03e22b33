using System.Buffers;

namespace EdgeBroker.Bench;

/// <summary>Bytes that wait for a socket, in one piece, so that many packets go with one system call.</summary>
internal sealed class WriteBuffer : IBufferWriter<byte>
{
    private byte[] _bytes = [];
    private int _start;
    private int _end;

    /// <summary>Bytes waiting.</summary>
    public int Length => _end - _start;

    /// <summary>The bytes waiting.</summary>
    public ReadOnlySpan<byte> Waiting => _bytes.AsSpan(_start, Length);

    /// <summary>Takes sent bytes from the front.</summary>
    public void Consume(int count)
    {
        _start += count;
        if (_start == _end) _start = _end = 0;
    }

    /// <inheritdoc/>
    public void Advance(int count) => _end += count;

    /// <inheritdoc/>
    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(Math.Max(1, sizeHint));
        return _bytes.AsSpan(_end);
    }

    /// <inheritdoc/>
    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(Math.Max(1, sizeHint));
        return _bytes.AsMemory(_end);
    }

    private void Reserve(int count)
    {
        if (_bytes.Length - _end >= count) return;
        int length = Length;
        byte[] target = _bytes.Length >= 2 * (length + count) ? _bytes : new byte[Math.Max(256, 2 * (length + count))];
        Waiting.CopyTo(target);
        _bytes = target;
        _start = 0;
        _end = length;
    }
}
