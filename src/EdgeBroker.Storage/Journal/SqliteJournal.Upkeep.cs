using EdgeBroker.Storage.Schema;
using EdgeBroker.Storage.Sqlite;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Storage.Journal;

// What the writer does beside committing: checkpoints, the clock, the size, giving back space.
public sealed partial class SqliteJournal
{
    /// <summary>Nothing waits: what the quiet is good for, then sleep.</summary>
    private void Idle()
    {
        TimeSpan quiet = _time.GetElapsedTime(_lastCommit);
        if (quiet >= IdleCheckpoint && _pagesSinceCheckpoint > 0)
        {
            if (_time.GetElapsedTime(_clockNoted) >= ClockInterval) NoteClock();
            GiveBackSpace();
            Checkpoint(CheckpointMode.Truncate);
        }
        else if (_time.GetElapsedTime(_clockNoted) >= IdleClockInterval)
        {
            NoteClock();
        }

        WaitForFacts(_pagesSinceCheckpoint > 0 ? IdleCheckpoint : IdleClockInterval, 1);
    }

    private void NoteClock()
    {
        var batch = new JournalBatch(_state, _age);
        batch.Close(EmptySegmentsPerCommit);
        _clockNoted = 0;
        if (!TryWrite(batch)) _clockNoted = _time.GetTimestamp();
    }

    private void MeasureStore(SqliteDatabase database)
    {
        long pages = (database.QueryInt64("PRAGMA page_count") ?? 0) - (database.QueryInt64("PRAGMA freelist_count") ?? 0);
        _storeBytes = pages * StorePragmas.PageSizeBytes;
        // Two thresholds, so that a store at its limit does not change its mind with every message.
        bool full = _isFull ? _storeBytes > _options.MaxBytes - (_options.MaxBytes / 32) : _storeBytes >= _options.MaxBytes;
        if (full && !_isFull) LogFull(_logger, _options.MaxBytes);
        else if (!full && _isFull) LogRoom(_logger);
        _isFull = full;
    }

    private void Checkpoint(CheckpointMode mode)
    {
        try
        {
            _writer ??= ConnectWriter();
            CheckpointResult result = _writer.Database.Checkpoint(mode);
            _bytesWritten += result.CheckpointedFrames * (long)StorePragmas.PageSizeBytes;
            _fsyncs += 2;
            _pagesSinceCheckpoint = 0;
        }
        catch (Exception failure) when (failure is SqliteException or StoreException)
        {
            // Nothing is lost: the WAL has it all. The next commit finds out whether the disk still works.
            LogCheckpointFailed(_logger, failure.Message);
            _pagesSinceCheckpoint /= 2;
        }
    }

    private void GiveBackSpace()
    {
        try
        {
            if ((_writer?.Database.QueryInt64("PRAGMA freelist_count") ?? 0) >= VacuumPages) _writer!.Database.Execute("PRAGMA incremental_vacuum");
        }
        catch (SqliteException failure)
        {
            LogCheckpointFailed(_logger, failure.Message);
        }
    }

    [LoggerMessage(
        7103, LogLevel.Warning, "the store has reached [storage] max_bytes ({MaxBytes} bytes): a new message has to take an old one's place, or is refused")]
    private static partial void LogFull(ILogger logger, long maxBytes);

    [LoggerMessage(7104, LogLevel.Information, "the store has room again")]
    private static partial void LogRoom(ILogger logger);

    [LoggerMessage(7105, LogLevel.Warning, "the store's WAL could not be moved into the database: {Cause}; tried again later")]
    private static partial void LogCheckpointFailed(ILogger logger, string cause);
}
