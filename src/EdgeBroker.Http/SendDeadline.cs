using System.IO.Pipelines;

namespace EdgeBroker.Http;

/// <summary>
/// The output of one connection, before TLS and HTTP: whoever sends more than the sockets hold waits here for the peer, and a peer that takes nothing for a
/// time is cut off. The framework's own rate does not do that: it counts what a socket has taken as if the peer had.
/// </summary>
/// <param name="output">The transport's.</param>
/// <param name="time">The clock.</param>
/// <param name="timeout">How long a flush may wait.</param>
/// <param name="cut">Cuts the connection; on a thread of the pool.</param>
internal sealed class SendDeadline(PipeWriter output, TimeProvider time, Func<TimeSpan> timeout, Action cut) : PipeWriter
{
    private volatile bool _isLifted;

    public override bool CanGetUnflushedBytes => output.CanGetUnflushedBytes;

    public override long UnflushedBytes => output.UnflushedBytes;

    /// <summary>MQTT is spoken from here on, which has its own bounds for clients that are slow.</summary>
    public void Lift() => _isLifted = true;

    public override void Advance(int bytes) => output.Advance(bytes);

    public override Memory<byte> GetMemory(int sizeHint = 0) => output.GetMemory(sizeHint);

    public override Span<byte> GetSpan(int sizeHint = 0) => output.GetSpan(sizeHint);

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        ValueTask<FlushResult> flush = output.FlushAsync(cancellationToken);
        return flush.IsCompleted ? flush : AwaitAsync(flush);
    }

    public override void CancelPendingFlush() => output.CancelPendingFlush();

    public override void Complete(Exception? exception = null) => output.Complete(exception);

    public override ValueTask CompleteAsync(Exception? exception = null) => output.CompleteAsync(exception);

    private async ValueTask<FlushResult> AwaitAsync(ValueTask<FlushResult> flush)
    {
        // Once the connection is cut the flush is over.
        await using ITimer timer = time.CreateTimer(static self => ((SendDeadline)self!).Cut(), this, timeout(), Timeout.InfiniteTimeSpan);
        return await flush.ConfigureAwait(false);
    }

    private void Cut()
    {
        if (!_isLifted) cut();
    }
}
