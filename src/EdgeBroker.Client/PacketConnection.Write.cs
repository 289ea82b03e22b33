namespace EdgeBroker.Client;

public sealed partial class PacketConnection
{
    private const int PieceBytes = 64 << 10;

    /// <summary>The one writer: takes everything queued, writes it at once, flushes once. Ends after the last packet.</summary>
    private async Task WriteAsync(IPacketHandler handler, CancellationToken cancellationToken)
    {
        while (true)
        {
            ReadOnlyMemory<byte> batch;
            bool isLast;
            bool carriesPing;
            lock (SyncRoot)
            {
                batch = Outgoing.TakeAll();
                isLast = Outgoing.IsCompleted;
                carriesPing = _isPingQueued;
                if (!isLast) handler.OnRoom();
            }

            if (!batch.IsEmpty)
            {
                await WriteAsync(batch, cancellationToken).ConfigureAwait(false);
                if (carriesPing) _isPingQueued = false;
            }
            else if (!isLast)
            {
                await Outgoing.WaitForDataAsync(cancellationToken).ConfigureAwait(false);
            }

            if (isLast) return;
        }
    }

    // In pieces, so that the keep-alive sees a long message move on a slow link.
    private async ValueTask WriteAsync(ReadOnlyMemory<byte> batch, CancellationToken cancellationToken)
    {
        new PacketTracer(_options).Sent(batch.Span);
        while (!batch.IsEmpty)
        {
            ReadOnlyMemory<byte> piece = batch[..Math.Min(batch.Length, PieceBytes)];
            await _stream.WriteAsync(piece, cancellationToken).ConfigureAwait(false);
            Volatile.Write(ref _lastSent, Time.GetTimestamp());
            Volatile.Write(ref _bytesSent, _bytesSent + piece.Length);
            batch = batch[piece.Length..];
        }

        await _stream.FlushAsync(cancellationToken).ConfigureAwait(false);
    }
}
