using System.IO.Pipelines;
using System.Net.WebSockets;

namespace EdgeBroker.Http.WebSockets;

/// <summary>
/// The bytes of a WebSocket as pipes: MQTT packets need not begin or end where messages do [MQTT-6.0.0-2]. Waits for data with no buffer in hand.
/// </summary>
internal sealed class WebSocketPipe : IDuplexPipe, IDisposable
{
    private const int ReceiveBytes = 4096;

    // What has come and not been looked at; then the peer waits. A packet that is larger is looked at, and so let through, in parts.
    private const int HeldBytes = 64 * 1024;

    private readonly WebSocket _socket;
    private readonly Pipe _input =
        new(new PipeOptions(pauseWriterThreshold: HeldBytes, resumeWriterThreshold: HeldBytes / 2, useSynchronizationContext: false));
    private readonly LastBytesReader _reader;
    private readonly WebSocketOutput _output;

    public WebSocketPipe(WebSocket socket)
    {
        _socket = socket;
        _reader = new LastBytesReader(_input.Reader);
        _output = new WebSocketOutput(socket);
    }

    /// <inheritdoc/>
    public PipeReader Input => _reader;

    /// <inheritdoc/>
    public PipeWriter Output => _output;

    /// <summary>Receives until the peer closes, or breaks the rules; what comes when nobody reads any more is let go.</summary>
    /// <returns>What rule the peer broke; null: none.</returns>
    public async Task<string?> ReceiveAsync(CancellationToken cancellation)
    {
        string? broken = null;
        Exception? failure = null;
        try
        {
            broken = await ReceiveMessagesAsync(cancellation).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is WebSocketException or IOException or OperationCanceledException or InvalidOperationException)
        {
            failure = new IOException(exception.Message, exception);
            // A peer that just goes is nothing to be told of; one that sends what is no WebSocket is.
            if (exception is WebSocketException { WebSocketErrorCode: var code }
                && code is WebSocketError.Faulted or WebSocketError.HeaderError or WebSocketError.InvalidMessageType)
            {
                broken = exception.Message;
            }
        }

        if (failure is not null) _reader.Fail(failure);
        await _input.Writer.CompleteAsync().ConfigureAwait(false);
        return broken;
    }

    /// <inheritdoc/>
    public void Dispose() => _output.Dispose();

    private async Task<string?> ReceiveMessagesAsync(CancellationToken cancellation)
    {
        bool read = true;
        while (true)
        {
            // Waits for the next message, or the rest of one, without memory.
            ValueWebSocketReceiveResult coming = await _socket.ReceiveAsync(Memory<byte>.Empty, cancellation).ConfigureAwait(false);
            if (coming.MessageType == WebSocketMessageType.Close) return null;
            if (coming.MessageType == WebSocketMessageType.Text) return await RefuseTextAsync(cancellation).ConfigureAwait(false);
            ValueWebSocketReceiveResult received = await _socket.ReceiveAsync(_input.Writer.GetMemory(ReceiveBytes), cancellation).ConfigureAwait(false);
            if (received.MessageType == WebSocketMessageType.Close) return null;
            // What was waited for may have been a message without a byte: then this is of the next.
            if (received.MessageType == WebSocketMessageType.Text) return await RefuseTextAsync(cancellation).ConfigureAwait(false);
            if (!read) continue;
            _input.Writer.Advance(received.Count);
            read = !(await _input.Writer.FlushAsync(cancellation).ConfigureAwait(false)).IsCompleted;
        }
    }

    private async Task<string> RefuseTextAsync(CancellationToken cancellation)
    {
        await _socket.CloseOutputAsync(WebSocketCloseStatus.InvalidMessageType, "MQTT is binary", cancellation).ConfigureAwait(false);
        return "a text message; MQTT over WebSocket is binary [MQTT-6.0.0-1]";
    }
}
