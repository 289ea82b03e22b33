using EdgeBroker.Storage.Sqlite;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Storage.Journal;

/// <summary>What the journal's thread does beside committing, and when: checkpoints, the clock's row, giving back space.</summary>
/// <param name="connection">The connection that writes.</param>
/// <param name="counters">Counts checkpoints.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Event id 7105.</param>
internal sealed partial class StoreMaintenance(WriterConnection connection, JournalCounters counters, TimeProvider time, ILogger logger)
{
    private const long CheckpointPages = 1024;
    private const int VacuumPages = 256;

    private static readonly TimeSpan QuietInterval = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan ClockInterval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan IdleClockInterval = TimeSpan.FromHours(1);

    // Less than this is a clock that is being kept right, and makes nothing older.
    private static readonly TimeSpan LeastStep = TimeSpan.FromSeconds(10);

    private long _clockSaved;
    private TimeSpan _wallAhead;
    private long _lastCommit;
    private long _pagesInWal;

    /// <summary>Whether the next transaction is to note the time: the first one does.</summary>
    public bool IsClockDue => counters.Commits == 0 || time.GetElapsedTime(_clockSaved) >= ClockInterval;

    /// <summary>Whether the time is to be noted although nothing else is to be written.</summary>
    public bool IsClockOverdue => time.GetElapsedTime(_clockSaved) >= (IsQuiet ? ClockInterval : IdleClockInterval);

    /// <summary>
    /// Whether the wall clock was set since it was noted: it is noted again at once. Otherwise a start after a power cut would take the step for a pause, and
    /// what waits for so much older.
    /// </summary>
    public bool HasWallClockStepped => (FindWallAhead() - _wallAhead).Duration() >= LeastStep;

    /// <summary>Whether nothing was committed for a minute, and the WAL can be emptied.</summary>
    public bool IsQuiet => _pagesInWal > 0 && time.GetElapsedTime(_lastCommit) >= QuietInterval;

    /// <summary>When to look again, with nothing to commit.</summary>
    public TimeSpan Interval => _pagesInWal > 0 ? QuietInterval : IdleClockInterval;

    /// <summary>The journal's thread begins.</summary>
    public void Begin()
    {
        _clockSaved = _lastCommit = time.GetTimestamp();
        _wallAhead = FindWallAhead();
    }

    /// <summary>A transaction was committed.</summary>
    /// <param name="pages">Pages it put into the WAL.</param>
    /// <param name="hasClock">Whether it noted the time.</param>
    /// <param name="began">When it began.</param>
    public void RecordCommit(long pages, bool hasClock, long began)
    {
        _pagesInWal += pages;
        _lastCommit = time.GetTimestamp();
        if (!hasClock) return;
        _clockSaved = began;
        _wallAhead = FindWallAhead();
    }

    /// <summary>Moves the WAL into the database when it has grown to a few megabytes, without waiting for anyone.</summary>
    public void CheckpointWhenDue()
    {
        if (_pagesInWal >= CheckpointPages) Checkpoint(CheckpointMode.Passive);
    }

    /// <summary>Gives back space and empties the WAL.</summary>
    public void CleanUp()
    {
        GiveBackSpace("PRAGMA incremental_vacuum");
        Checkpoint(CheckpointMode.Truncate);
    }

    /// <summary>Gives back space while the disk is full: as much of what is free in the database as the WAL has room for, and the WAL itself.</summary>
    /// <param name="mode">Whether it may wait for who reads.</param>
    public void GiveBack(CheckpointMode mode)
    {
        if (GiveBackSpace($"PRAGMA incremental_vacuum({CheckpointPages})") || _pagesInWal > 0) Checkpoint(mode);
    }

    /// <summary>Empties the WAL, at the end.</summary>
    public void Finish() => Checkpoint(CheckpointMode.Truncate);

    private TimeSpan FindWallAhead() => time.GetUtcNow() - DateTimeOffset.UnixEpoch - time.GetElapsedTime(0);

    private void Checkpoint(CheckpointMode mode)
    {
        try
        {
            JournalWriter writer = connection.Writer;
            int frames = writer.Database.Checkpoint(mode).CheckpointedFrames;
            // A page that is in the WAL several times is written once. SQLite does not tell how often that is, but there are no more than these.
            counters.CountCheckpoint(Math.Min(frames, writer.CountPages()));
            _pagesInWal = 0;
        }
        catch (Exception failure) when (failure is SqliteException or StoreException)
        {
            // Nothing is lost: the WAL has it all. The next commit finds out whether the disk still works.
            LogCheckpointFailed(logger, failure.Message);
            _pagesInWal /= 2;
        }
    }

    private bool GiveBackSpace(string command)
    {
        try
        {
            SqliteDatabase database = connection.Writer.Database;
            if (database.QueryInt64("PRAGMA freelist_count") < VacuumPages) return false;
            database.Execute(command);
            return true;
        }
        catch (Exception failure) when (failure is SqliteException or StoreException)
        {
            LogCheckpointFailed(logger, failure.Message);
            return false;
        }
    }

    [LoggerMessage(7105, LogLevel.Warning, "the store's WAL could not be moved into the database: {Cause}; tried again later")]
    private static partial void LogCheckpointFailed(ILogger logger, string cause);
}
