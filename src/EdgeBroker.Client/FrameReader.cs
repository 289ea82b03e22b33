using System.Buffers;
using EdgeBroker.Protocol;

namespace EdgeBroker.Client;

/// <summary>
/// Cuts packets from the stream. The buffer grows by doubling with the bytes that really arrive, never to a length that was merely announced, and shrinks
/// again.
/// </summary>
internal sealed class FrameReader(Stream stream, int maximumPacketSizeBytes) : IDisposable
{
    private const int InitialBytes = 16 << 10;
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(InitialBytes);
    private int _start;
    private int _end;
    private long _bytesRead;

    /// <summary>Bytes read so far.</summary>
    public long BytesRead => Volatile.Read(ref _bytesRead);

    /// <summary>Looks at the next packet; throws when there can be none.</summary>
    public bool TryPeek(out Frame frame)
    {
        switch (Frame.Cut(_buffer.AsSpan(_start, _end - _start), maximumPacketSizeBytes, out frame, out int announcedBytes))
        {
            case FrameStatus.Complete:
                return true;
            case FrameStatus.Incomplete:
                return false;
            case FrameStatus.TooLarge:
                throw new MqttException(
                    $"The server sent a packet of {announcedBytes} bytes and at most {maximumPacketSizeBytes} are accepted; "
                    + "raise the client's maximum packet size.",
                    ReasonCode.PacketTooLarge)
                { TellServer = true };
            default:
                throw new MqttException(
                    "What the other end sends is not MQTT; check that the port is the server's plain MQTT port, not TLS, WebSocket or another service.",
                    ReasonCode.MalformedPacket)
                { TellServer = true };
        }
    }

    /// <summary>The whole packet seen by <see cref="TryPeek"/>, fixed header included.</summary>
    public ReadOnlySpan<byte> Raw(in Frame frame) => _buffer.AsSpan(_start, frame.Length);

    /// <summary>Steps over the packet seen by <see cref="TryPeek"/>.</summary>
    public void Consume(int length)
    {
        _start += length;
        if (_start == _end) _start = _end = 0;
    }

    /// <summary>Reads more; false at the end of the stream.</summary>
    public async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        MakeRoom();
        int read = await stream.ReadAsync(_buffer.AsMemory(_end), cancellationToken);
        _end += read;
        Volatile.Write(ref _bytesRead, _bytesRead + read);
        return read > 0;
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
        _start = _end = 0;
    }

    private void MakeRoom()
    {
        int held = _end - _start;
        if (held == 0 && _buffer.Length > 4 * InitialBytes) Move(InitialBytes);
        else if (held == _buffer.Length) Move(2 * _buffer.Length);
        else if (_start > 0 && _end == _buffer.Length) Move(_buffer.Length);
    }

    private void Move(int size)
    {
        Span<byte> held = _buffer.AsSpan(_start, _end - _start);
        if (size == _buffer.Length)
        {
            held.CopyTo(_buffer);
        }
        else
        {
            byte[] moved = ArrayPool<byte>.Shared.Rent(size);
            held.CopyTo(moved);
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = moved;
        }

        _end -= _start;
        _start = 0;
    }
}
