using System.IO.Pipelines;
using System.Net.WebSockets;
using EdgeBroker.Transport.Buffers;

namespace EdgeBroker.Http.WebSockets;

/// <summary>Sends what was written between two flushes as one binary message. Holds no memory in between.</summary>
internal sealed class WebSocketOutput(WebSocket socket) : PipeWriter, IDisposable
{
    private const int SmallestBuffer = 1024;

    private readonly CancellationTokenSource _cut = new();
    private byte[]? _buffer;
    private int _length;
    private bool _completed;

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => _length;

    public override void Advance(int bytes) => _length += bytes;

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        int needed = _length + Math.Max(sizeHint, SmallestBuffer);
        if (_buffer is null || _buffer.Length < needed)
        {
            byte[] larger = BytePool.Rent(Math.Max(needed, 2 * _length));
            _buffer.AsSpan(0, _length).CopyTo(larger);
            Release();
            _buffer = larger;
        }

        return _buffer.AsMemory(_length);
    }

    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public override async ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        if (_completed) return new FlushResult(isCanceled: false, isCompleted: true);
        try
        {
            if (_length > 0)
            {
                await socket.SendAsync(_buffer.AsMemory(0, _length), WebSocketMessageType.Binary, endOfMessage: true, _cut.Token).ConfigureAwait(false);
            }
        }
        catch (WebSocketException exception)
        {
            throw new IOException(exception.Message, exception);
        }

        _length = 0;
        Release();
        return default;
    }

    /// <summary>Gives up sending; the connection is unusable afterwards.</summary>
    public override void CancelPendingFlush() => _cut.Cancel();

    public override void Complete(Exception? exception = null)
    {
        _completed = true;
        _length = 0;
        Release();
    }

    /// <inheritdoc/>
    public void Dispose() => _cut.Dispose();

    private void Release()
    {
        if (_buffer is not null) BytePool.Return(_buffer);
        _buffer = null;
    }
}
