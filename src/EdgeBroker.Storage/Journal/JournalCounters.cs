using EdgeBroker.Core.Metrics;
using EdgeBroker.Core.Ports;
using EdgeBroker.Storage.Schema;

namespace EdgeBroker.Storage.Journal;

/// <summary>What the journal has done since the start. Written by its thread, read by any.</summary>
/// <param name="quarantined">Damaged databases set aside at this start.</param>
internal sealed class JournalCounters(int quarantined)
{
    // What SQLite writes before each page in the WAL.
    private const int FrameHeaderBytes = 24;

    private long _coalesced;
    private long _messagesWritten;
    private long _commits;
    private long _fsyncs;
    private long _bytesWritten;
    private long _lastCommitMs;
    private long _slowestCommitMs;
    private long _failures;
    private long _storeBytes;

    /// <summary>Transactions committed.</summary>
    public long Commits => _commits;

    /// <summary>How long they took.</summary>
    public HistogramMeter Durations { get; } = new(
        "edgebroker.journal.commit.duration", MeterUnit.Seconds, "how long transactions take to be on disk", .001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 5);

    /// <summary>All of them.</summary>
    /// <param name="facts">Facts appended.</param>
    /// <param name="schedule">When transactions begin.</param>
    /// <param name="now">The timestamp of the moment.</param>
    public JournalStatistics Snapshot(long facts, GroupCommitSchedule schedule, long now) => new(
        facts,
        Volatile.Read(ref _coalesced),
        Volatile.Read(ref _messagesWritten),
        Volatile.Read(ref _commits),
        Volatile.Read(ref _fsyncs),
        Volatile.Read(ref _bytesWritten),
        Volatile.Read(ref _lastCommitMs),
        Volatile.Read(ref _slowestCommitMs),
        Volatile.Read(ref _failures),
        Volatile.Read(ref _storeBytes),
        quarantined,
        schedule.Budget.Left(now),
        schedule.Budget.IsSpent(now) ? (long)schedule.Window.TotalMilliseconds : 0);

    /// <summary>Deliveries and values did not have to be written.</summary>
    public void CountCoalesced(int count) => Volatile.Write(ref _coalesced, _coalesced + count);

    /// <summary>A transaction is on disk.</summary>
    public void CountCommit(int messages, long pages, long elapsedMs)
    {
        Volatile.Write(ref _commits, _commits + 1);
        Volatile.Write(ref _fsyncs, _fsyncs + 1);
        Volatile.Write(ref _messagesWritten, _messagesWritten + messages);
        Volatile.Write(ref _bytesWritten, _bytesWritten + (pages * (StorePragmas.PageSizeBytes + FrameHeaderBytes)));
        Volatile.Write(ref _lastCommitMs, elapsedMs);
        Volatile.Write(ref _slowestCommitMs, Math.Max(_slowestCommitMs, elapsedMs));
        Durations.Record(elapsedMs / 1000.0);
    }

    /// <summary>A checkpoint moved pages into the database: it flushes the WAL, then the database.</summary>
    public void CountCheckpoint(long pages)
    {
        Volatile.Write(ref _fsyncs, _fsyncs + 2);
        Volatile.Write(ref _bytesWritten, _bytesWritten + (pages * StorePragmas.PageSizeBytes));
    }

    /// <summary>A transaction failed.</summary>
    public void CountFailure() => Volatile.Write(ref _failures, _failures + 1);

    /// <summary>The database uses so many bytes.</summary>
    public void RecordSize(long storeBytes) => Volatile.Write(ref _storeBytes, storeBytes);
}
