using System.Buffers;
using System.IO.Pipelines;

namespace EdgeBroker.Testing;

/// <summary>The broker's end of a pipe in memory, which lets a test wait until the broker has looked at everything sent, if only at part of a packet.</summary>
internal sealed class WatchedReader(PipeReader inner) : PipeReader
{
    private readonly Lock _lock = new();
    private ReadOnlySequence<byte> _buffer;
    private long _consumedBytes;
    private long _examinedBytes;
    private long _awaitedBytes = long.MaxValue;
    private TaskCompletionSource? _examined;

    /// <summary>Waits until as many bytes have been looked at, or the reader has finished.</summary>
    public Task WhenExaminedAsync(long bytes)
    {
        lock (_lock)
        {
            if (_examinedBytes >= bytes) return Task.CompletedTask;
            _awaitedBytes = bytes;
            _examined = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _examined.Task;
        }
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        long examinedBytes = _consumedBytes + _buffer.Slice(_buffer.Start, examined).Length;
        _consumedBytes += _buffer.Slice(_buffer.Start, consumed).Length;
        _buffer = default;
        inner.AdvanceTo(consumed, examined);
        Note(examinedBytes);
    }

    public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        ReadResult result = await inner.ReadAsync(cancellationToken);
        _buffer = result.Buffer;
        return result;
    }

    public override bool TryRead(out ReadResult result)
    {
        bool read = inner.TryRead(out result);
        if (read) _buffer = result.Buffer;
        return read;
    }

    public override void CancelPendingRead() => inner.CancelPendingRead();

    public override void Complete(Exception? exception = null)
    {
        inner.Complete(exception);
        Note(long.MaxValue);
    }

    private void Note(long examinedBytes)
    {
        lock (_lock)
        {
            _examinedBytes = Math.Max(_examinedBytes, examinedBytes);
            if (_examinedBytes >= _awaitedBytes) _examined?.TrySetResult();
        }
    }
}
