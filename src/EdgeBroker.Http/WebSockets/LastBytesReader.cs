using System.IO.Pipelines;

namespace EdgeBroker.Http.WebSockets;

/// <summary>
/// Hands out all that has come before it says that the connection broke. A pipe that is completed with an exception says so at once, and what a client sent
/// just before it went would be lost.
/// </summary>
/// <param name="reader">The pipe's reader; its writer is completed without an exception.</param>
internal sealed class LastBytesReader(PipeReader reader) : PipeReader
{
    private volatile Exception? _failure;
    private bool _areLastBytesOut;

    /// <summary>The connection broke; before the writer is completed.</summary>
    public void Fail(Exception failure) => _failure = failure;

    public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default) =>
        Judge(await reader.ReadAsync(cancellationToken).ConfigureAwait(false));

    public override bool TryRead(out ReadResult result)
    {
        if (!reader.TryRead(out result)) return false;
        result = Judge(result);
        return true;
    }

    public override void AdvanceTo(SequencePosition consumed) => reader.AdvanceTo(consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined) => reader.AdvanceTo(consumed, examined);

    public override void CancelPendingRead() => reader.CancelPendingRead();

    public override void Complete(Exception? exception = null) => reader.Complete(exception);

    private ReadResult Judge(in ReadResult result)
    {
        if (!result.IsCompleted || _failure is not { } failure) return result;
        if (_areLastBytesOut || result.Buffer.IsEmpty) throw failure;
        _areLastBytesOut = true;
        return new ReadResult(result.Buffer, result.IsCanceled, isCompleted: false);
    }
}
