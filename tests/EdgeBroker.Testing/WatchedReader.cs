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
    private long _readBytes;
    private long _wantedBytes = long.MaxValue;
    private TaskCompletionSource? _read;

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

    /// <summary>Waits until as many bytes have been given to the broker, which need not have looked at them.</summary>
    public Task WhenReadAsync(long bytes)
    {
        lock (_lock)
        {
            if (_readBytes >= bytes) return Task.CompletedTask;
            _wantedBytes = bytes;
            _read = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _read.Task;
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
        Give(result);
        return result;
    }

    public override bool TryRead(out ReadResult result)
    {
        bool read = inner.TryRead(out result);
        if (read) Give(result);
        return read;
    }

    public override void CancelPendingRead() => inner.CancelPendingRead();

    public override void Complete(Exception? exception = null)
    {
        inner.Complete(exception);
        Note(long.MaxValue);
    }

    private void Give(in ReadResult result)
    {
        _buffer = result.Buffer;
        lock (_lock)
        {
            _readBytes = Math.Max(_readBytes, _consumedBytes + _buffer.Length);
            if (_readBytes >= _wantedBytes) _read?.TrySetResult();
        }
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
