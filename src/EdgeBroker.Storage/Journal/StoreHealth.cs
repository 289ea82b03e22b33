using EdgeBroker.Core.Ports;
using EdgeBroker.Storage.Sqlite;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Storage.Journal;

/// <summary>
/// Whether the disk takes what it is given: ready, full, failing, damaged. The log is told when that changes. Failures and sizes come from the journal's
/// thread, damage from any.
/// </summary>
/// <param name="path">The database, for the log.</param>
/// <param name="maxBytes">Bytes in use from which on it is full.</param>
/// <param name="reserveBytes">Bytes free on the disk below which it is full.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Event ids 7100-7104 and 7109.</param>
/// <param name="damaged">Called once, when the database is found damaged.</param>
internal sealed partial class StoreHealth(
    string path, long maxBytes, long reserveBytes, TimeProvider time, ILogger logger, Action<string> damaged)
{
    // A disk that is slow once is not failing yet: publishers are held back by waiting for their acknowledgements first.
    private static readonly TimeSpan FailingAfter = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LogInterval = TimeSpan.FromSeconds(10);

    private volatile bool _isFull;
    private volatile bool _isDiskFull;
    private volatile bool _isFailing;
    private int _isDamaged;
    private long _failingSince;
    private long _lastLogged;

    /// <summary>Whether the database is damaged: from then on nothing is acknowledged.</summary>
    public bool IsDamaged => Volatile.Read(ref _isDamaged) != 0;

    /// <summary>Whether the store can take more.</summary>
    public JournalCondition Condition =>
        _isFailing ? JournalCondition.Failing : _isFull || _isDiskFull ? JournalCondition.Full : JournalCondition.Ready;

    /// <summary>Whether the disk has less room than is kept for making room.</summary>
    public bool IsDiskFull => _isDiskFull;

    /// <summary>A transaction could not be written.</summary>
    public void RecordFailure(Exception failure)
    {
        if (failure is SqliteException { IsCorrupt: true })
        {
            RecordDamage(failure.Message);
            return;
        }

        long now = time.GetTimestamp();
        if (_failingSince == 0) _failingSince = now;
        if (time.GetElapsedTime(_failingSince, now) >= FailingAfter) _isFailing = true;
        if (_lastLogged != 0 && time.GetElapsedTime(_lastLogged, now) < LogInterval) return;
        _lastLogged = now;
        LogFailing(logger, StoreException.From(failure, path)!.Message);
    }

    /// <summary>A transaction was written.</summary>
    public void RecordSuccess()
    {
        if (_failingSince == 0) return;
        LogRecovered(logger, (long)time.GetElapsedTime(_failingSince).TotalSeconds);
        _failingSince = _lastLogged = 0;
        _isFailing = IsDamaged;
    }

    /// <summary>Whether with so many bytes there is less room than would be nice to have.</summary>
    public bool IsTight(long storeBytes) => storeBytes > maxBytes / 2 || _isDiskFull;

    /// <summary>The database uses so many bytes.</summary>
    public void RecordSize(long storeBytes)
    {
        // Two thresholds, so that a store at its limit does not change its mind with every message.
        bool isFull = _isFull ? storeBytes > maxBytes - (maxBytes / 32) : storeBytes >= maxBytes;
        if (isFull && !_isFull) LogFull(logger, maxBytes);
        else if (!isFull && _isFull) LogRoom(logger);
        _isFull = isFull;
    }

    /// <summary>So many bytes are free on the disk.</summary>
    public void RecordFree(long freeBytes)
    {
        bool isFull = freeBytes < reserveBytes + (_isDiskFull ? reserveBytes / 8 : 0);
        if (isFull && !_isDiskFull) LogDiskFull(logger, freeBytes, path);
        else if (!isFull && _isDiskFull) LogRoom(logger);
        _isDiskFull = isFull;
    }

    /// <summary>The database is damaged. On any thread.</summary>
    public void RecordDamage(string cause)
    {
        if (Interlocked.Exchange(ref _isDamaged, 1) != 0) return;
        _isFailing = true;
        LogDamaged(logger, cause);
        damaged(cause);
    }

    /// <summary>The journal cannot go on, and must not seem to.</summary>
    public void RecordEnd() => _isFailing = true;

    [LoggerMessage(7100, LogLevel.Error, "the store cannot be written, and what must be kept is not acknowledged until it can: {Cause}")]
    private static partial void LogFailing(ILogger logger, string cause);

    [LoggerMessage(7101, LogLevel.Warning, "the store can be written again after {Seconds} s; nothing that was acknowledged is lost")]
    private static partial void LogRecovered(ILogger logger, long seconds);

    [LoggerMessage(7102, LogLevel.Critical, "the store is damaged: {Cause}; the broker restarts with a new store and sets this one aside")]
    private static partial void LogDamaged(ILogger logger, string cause);

    [LoggerMessage(
        7103, LogLevel.Warning, "the store has reached [storage] max_bytes ({MaxBytes} bytes): a new message has to take an old one's place, or is refused")]
    private static partial void LogFull(ILogger logger, long maxBytes);

    [LoggerMessage(
        7109, LogLevel.Error,
        "the disk is full: {FreeBytes} bytes are left beside {Path}, which are kept for deleting; a new message has to take an old one's place, or is refused")]
    private static partial void LogDiskFull(ILogger logger, long freeBytes, string path);

    [LoggerMessage(7104, LogLevel.Information, "the store has room again")]
    private static partial void LogRoom(ILogger logger);
}
