using System.Buffers;

namespace EdgeBroker.Cluster.Consensus;

/// <summary>Collects bytes up to a limit; what a peer sends beyond it fails the call that brings it.</summary>
internal sealed class BoundedBuffer(int most) : IBufferWriter<byte>
{
    private readonly ArrayBufferWriter<byte> _bytes = new();

    /// <summary>What has come.</summary>
    public ReadOnlySpan<byte> Written => _bytes.WrittenSpan;

    /// <inheritdoc/>
    /// <exception cref="InvalidDataException">It is more than the limit.</exception>
    public void Advance(int count)
    {
        if (_bytes.WrittenCount + count > most) throw new InvalidDataException($"a snapshot has more than {most} bytes");
        _bytes.Advance(count);
    }

    /// <inheritdoc/>
    public Memory<byte> GetMemory(int sizeHint = 0) => _bytes.GetMemory(Bounded(sizeHint));

    /// <inheritdoc/>
    public Span<byte> GetSpan(int sizeHint = 0) => _bytes.GetSpan(Bounded(sizeHint));

    // Room asked for in advance is refused before it is made.
    private int Bounded(int sizeHint) => sizeHint <= most - _bytes.WrittenCount ? sizeHint
        : throw new InvalidDataException($"a snapshot has more than {most} bytes");
}
