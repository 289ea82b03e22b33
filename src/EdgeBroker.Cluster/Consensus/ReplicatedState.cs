using System.Buffers;
using DotNext.IO;
using DotNext.Net.Cluster.Consensus.Raft.StateMachine;
using EdgeBroker.Cluster.State;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Cluster.Consensus;

/// <summary>
/// The state as the log sees it: entries are applied to it, and its snapshots cut the log. A snapshot is prepared every so many entries and counts only when
/// as many newer ones have been applied: followers that are a little behind still find the entries they need, where otherwise their log stops for a page that
/// is gone.
/// </summary>
internal sealed class ReplicatedState : IStateMachine
{
    private readonly SnapshotFolder _folder;
    private readonly long _every;
    private readonly ILogger _log;
    private readonly IStateObserver? _observer;
    private ClusterStateMachine _machine;
    private volatile PublishedSnapshot? _published;
    private SnapshotFile? _prepared;
    private long _nextAt;

    /// <summary>Opens the folder of snapshots and goes on from the newest one. The log needs this done before it is opened.</summary>
    /// <exception cref="DamagedSnapshotException">The newest snapshot is damaged.</exception>
    public ReplicatedState(string folder, long every, IStateObserver? observer, ILogger log)
    {
        _folder = new SnapshotFolder(folder);
        _every = every;
        _observer = observer;
        _log = log;
        SnapshotFile? newest = _folder.Newest();
        _machine = newest is null ? new ClusterStateMachine() : SnapshotFolder.Load(newest);
        _machine.Observer = observer;
        _published = newest is null ? null : new PublishedSnapshot(newest);
        _nextAt = (newest?.Index ?? 0) + every;
        if (newest is not null) observer?.Replaced(_machine.View, _machine.Claims);
    }

    /// <summary>The state itself.</summary>
    public ClusterStateMachine Machine => Volatile.Read(ref _machine);

    /// <inheritdoc/>
    public ISnapshot? Snapshot => _published;

    /// <inheritdoc/>
    public ValueTask ReclaimGarbageAsync(long watermark, CancellationToken token)
    {
        _folder.RemoveBefore(watermark);
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public async ValueTask<long> ApplyAsync(LogEntry entry, CancellationToken token)
    {
        if (entry.IsSnapshot)
        {
            await InstallAsync(entry, token).ConfigureAwait(false);
            return entry.Index;
        }

        entry.TryGetPayload(out ReadOnlySequence<byte> payload);
        if (payload.IsEmpty)
        {
            // The library's own: a new term, other voters.
            Machine.Pass(entry.Index);
        }
        else
        {
            Apply(entry, payload);
        }

        if (entry.Index >= _nextAt) TakeSnapshot(entry.Index, entry.Term);
        return entry.Index;
    }

    private void Apply(in LogEntry entry, in ReadOnlySequence<byte> payload)
    {
        // No command is longer; of what is, the beginning is no command either.
        ReadOnlySpan<byte> command = payload.IsSingleSegment ? payload.FirstSpan
            : payload.Slice(0, Math.Min(payload.Length, StateLimits.MostCommandBytes + 1)).ToArray();
        Applied applied = Machine.Apply(entry.Index, command);
        if (entry.Context is PendingProposal proposal) proposal.Note(applied, command, entry.Term);
    }

    private async ValueTask InstallAsync(LogEntry entry, CancellationToken token)
    {
        var buffer = new BoundedBuffer(StateLimits.MostSnapshotBytes);
        await entry.WriteToAsync(buffer, token).ConfigureAwait(false);
        ClusterStateMachine machine = SnapshotCodec.Read(buffer.Written);
        if (machine.View.Index != entry.Index)
        {
            throw new DamagedSnapshotException($"the leader sent a snapshot of entry {machine.View.Index} for one of {entry.Index}");
        }

        SnapshotFile file = _folder.Write(entry.Index, entry.Term, buffer.Written);
        machine.Observer = _observer;
        Volatile.Write(ref _machine, machine);
        _prepared = null;
        _published = new PublishedSnapshot(file);
        _nextAt = entry.Index + _every;
        _observer?.Replaced(machine.View, machine.Claims);
    }

    private void TakeSnapshot(long index, long term)
    {
        _nextAt = index + _every;
        try
        {
            if (_prepared is { } prepared)
            {
                _published = new PublishedSnapshot(_folder.Publish(prepared));
                _prepared = null;
            }

            _prepared = _folder.Prepare(index, term, SnapshotCodec.Write(Machine));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The log has it all; it only grows until the next attempt.
            ConsensusLog.NoSnapshot(_log, index, exception);
        }
    }

    private sealed class PublishedSnapshot(SnapshotFile file) : ISnapshot
    {
        public long Index => file.Index;

        public long Term => file.Term;

        long? IDataTransferObject.Length => new FileInfo(file.Path).Length;

        bool IDataTransferObject.IsReusable => true;

        ValueTask IDataTransferObject.WriteToAsync<TWriter>(TWriter writer, CancellationToken token) =>
            writer.Invoke(SnapshotFolder.ReadBytes(file), token);
    }
}
