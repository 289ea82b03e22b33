using System.Buffers;

namespace EdgeBroker.Protocol.Tests;

/// <summary>A buffer writer that lends no more than it is asked for, and never more than a piece without being asked.</summary>
internal sealed class SmallPieces(int largestPieceBytes) : IBufferWriter<byte>
{
    private readonly List<byte> _written = [];
    private byte[] _lent = [];

    public byte[] Written => [.. _written];

    public void Advance(int count)
    {
        _written.AddRange(_lent.AsSpan(0, count));
        _lent = [];
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        if (sizeHint > largestPieceBytes) throw new InvalidOperationException($"A piece of {sizeHint} bytes is asked for.");
        _lent = new byte[sizeHint == 0 ? largestPieceBytes : sizeHint];
        return _lent;
    }

    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;
}
