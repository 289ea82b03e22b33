using EdgeBroker.Protocol;

namespace EdgeBroker.Client;

public sealed partial class MqttClient
{
    private const int PieceBytes = 64 << 10;

    /// <summary>The one writer: takes everything queued, writes it at once, flushes once. Ends after the last packet.</summary>
    private async Task WriteAsync(Connection connection, CancellationToken cancellationToken)
    {
        while (true)
        {
            ReadOnlyMemory<byte> batch;
            bool isLast;
            bool carriesPing;
            lock (_session.SyncRoot)
            {
                batch = connection.Outgoing.TakeAll();
                isLast = connection.Outgoing.IsCompleted;
                carriesPing = connection.IsPingQueued;
                if (!isLast) SendNext(connection);
            }

            if (!batch.IsEmpty)
            {
                await WriteAsync(connection, batch, cancellationToken);
                if (carriesPing) connection.IsPingQueued = false;
            }
            else if (!isLast)
            {
                await connection.Outgoing.WaitForDataAsync(cancellationToken);
            }

            if (isLast) return;
        }
    }

    // In pieces, so that the keep-alive sees a long message move on a slow link.
    private async ValueTask WriteAsync(Connection connection, ReadOnlyMemory<byte> batch, CancellationToken cancellationToken)
    {
        TraceSent(batch.Span);
        while (!batch.IsEmpty)
        {
            ReadOnlyMemory<byte> piece = batch[..Math.Min(batch.Length, PieceBytes)];
            await connection.Stream.WriteAsync(piece, cancellationToken);
            connection.LastSent = Time.GetTimestamp();
            batch = batch[piece.Length..];
        }

        await connection.Stream.FlushAsync(cancellationToken);
    }

    private void TraceSent(ReadOnlySpan<byte> packets)
    {
        if (_options.Trace is not { } trace) return;
        while (Frame.Cut(packets, int.MaxValue, out Frame frame, out _) == FrameStatus.Complete)
        {
            trace(new PacketTrace(true, frame.Type, frame.Length, PacketDetail.Of(frame, Version)));
            packets = packets[frame.Length..];
        }
    }

    private void TraceReceived(in Frame frame)
    {
        if (_options.Trace is { } trace) trace(new PacketTrace(false, frame.Type, frame.Length, PacketDetail.Of(frame, Version)));
    }
}
