using EdgeBroker.Storage.Sqlite;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Storage.Journal;

// A disk that does not take what it is given, or gives back something else.
public sealed partial class SqliteJournal
{
    private void NoteFailure(Exception failure)
    {
        _failures++;
        long now = _time.GetTimestamp();
        if (_failingSince == 0) _failingSince = now;
        if (failure is SqliteException { IsCorrupt: true })
        {
            NoteDamage(failure.Message);
            _isStopping = true;
            _stopBy = now;
            return;
        }

        if (!_isFailing && _time.GetElapsedTime(_failingSince) >= FailingAfter) _isFailing = true;
        if (_lastFailureLogged == 0 || _time.GetElapsedTime(_lastFailureLogged) >= TimeSpan.FromSeconds(10))
        {
            _lastFailureLogged = now;
            LogFailing(_logger, StoreException.From(failure, _file.Path)!.Message);
        }

        // A connection that met an error of the disk may hold on to a state that is no more; a new one finds out what is.
        if (failure is SqliteException { IsFull: true } or SqliteException { IsBusy: true }) return;
        _writer?.Dispose();
        _writer = null;
    }

    /// <summary>The database is damaged: from here on nothing is acknowledged. On either thread.</summary>
    private void NoteDamage(string cause)
    {
        if (Interlocked.Exchange(ref _isDamaged, 1) != 0) return;
        _isFailing = true;
        LogDamaged(_logger, cause);
        Damaged?.Invoke(cause);
    }

    private void Recovered()
    {
        if (_failingSince == 0) return;
        if (_lastFailureLogged != 0) LogRecovered(_logger, (long)_time.GetElapsedTime(_failingSince).TotalSeconds);
        _failingSince = _lastFailureLogged = 0;
        _isFailing = false;
    }

    [LoggerMessage(7100, LogLevel.Error, "the store cannot be written, and what must be kept is not acknowledged until it can: {Cause}")]
    private static partial void LogFailing(ILogger logger, string cause);

    [LoggerMessage(7101, LogLevel.Warning, "the store can be written again after {Seconds} s; nothing that was acknowledged is lost")]
    private static partial void LogRecovered(ILogger logger, long seconds);

    [LoggerMessage(7102, LogLevel.Critical, "the store is damaged: {Cause}; the broker starts anew, and sets it aside")]
    private static partial void LogDamaged(ILogger logger, string cause);

    [LoggerMessage(7107, LogLevel.Critical, "the journal cannot go on")]
    private static partial void LogBroken(ILogger logger, Exception exception);
}
