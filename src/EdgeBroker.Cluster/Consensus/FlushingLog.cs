using DotNext.IO.Log;
using DotNext.Net.Cluster.Consensus.Raft;
using DotNext.Net.Cluster.Consensus.Raft.StateMachine;

namespace EdgeBroker.Cluster.Consensus;

/// <summary>
/// The log, with one thing the library leaves out: a follower's answer means that its copy is on disk. The library appends, answers, and flushes in the
/// background; an entry that a majority had acknowledged could then be lost in a power cut of that majority.
/// </summary>
/// <remarks>
/// The library's signal for "flushed" has room for one who waits, and a second one ends the process. So whoever waits for the disk, the library's own commits
/// included, takes turns here.
/// </remarks>
internal sealed class FlushingLog(WriteAheadLog.Options options, IStateMachine state, TimeProvider time)
    : WriteAheadLog(options, state), IAuditTrail<IRaftLogEntry>
{
    private const long Idle = long.MinValue;

    private readonly SemaphoreSlim _turn = new(1, 1);
    private long _waitingSince = Idle;

    /// <summary>How long somebody has been waiting for the disk by now.</summary>
    public TimeSpan WaitingFor => Interlocked.Read(ref _waitingSince) is var since && since == Idle ? TimeSpan.Zero : time.GetElapsedTime(since);

    /// <inheritdoc/>
    async ValueTask IAuditTrail<IRaftLogEntry>.AppendAsync<TEntry>(
        ILogEntryProducer<TEntry> entries, long startIndex, bool skipCommitted, CancellationToken token)
    {
        await AppendAsync(entries, startIndex, skipCommitted, token).ConfigureAwait(false);
        await FlushInTurnAsync(token).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    async ValueTask IAuditTrail<IRaftLogEntry>.AppendAsync<TEntry>(TEntry entry, long startIndex, CancellationToken token)
    {
        await AppendAsync(entry, startIndex, token).ConfigureAwait(false);
        await FlushInTurnAsync(token).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    async ValueTask<long> IAuditTrail.CommitAsync(long endIndex, CancellationToken token)
    {
        await BeginTurnAsync(token).ConfigureAwait(false);
        try
        {
            return await CommitAsync(endIndex, token).ConfigureAwait(false);
        }
        finally
        {
            EndTurn();
        }
    }

    private async Task FlushInTurnAsync(CancellationToken token)
    {
        await BeginTurnAsync(token).ConfigureAwait(false);
        try
        {
            await FlushAsync(token).ConfigureAwait(false);
        }
        finally
        {
            EndTurn();
        }
    }

    private async Task BeginTurnAsync(CancellationToken token)
    {
        await _turn.WaitAsync(token).ConfigureAwait(false);
        Interlocked.Exchange(ref _waitingSince, time.GetTimestamp());
    }

    private void EndTurn()
    {
        Interlocked.Exchange(ref _waitingSince, Idle);
        _turn.Release();
    }
}
