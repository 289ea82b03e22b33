using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Ports;
using EdgeBroker.Storage.Schema;
using EdgeBroker.Storage.Sqlite;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Storage.Journal;

// The writer thread.
public sealed partial class SqliteJournal
{
    private const int EmptySegmentsPerCommit = 256;
    private const long CheckpointPages = 1024;
    private const int VacuumPages = 256;

    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(250);

    // A disk that is slow once is not failing yet: publishers are held back by waiting for their acknowledgements first.
    private static readonly TimeSpan FailingAfter = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan IdleCheckpoint = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan ClockInterval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan IdleClockInterval = TimeSpan.FromHours(1);

    // Taken from the queue and not committed, oldest first.
    private readonly List<JournalFact> _pending = [];
    private readonly int _quarantined;
    private JournalWriter? _writer;
    private JournalBatch? _batch;

    // Facts that were there when the last tick came: they are committed at the next.
    private int _ripe;
    private int _crowded;
    private long _nextTick;
    private long _failingSince;
    private long _lastFailureLogged;
    private long _clockNoted;
    private long _lastCommit;
    private long _stopBy;
    private long _pagesSinceCheckpoint;
    private long _taken;

    private long _appended;
    private long _elided;
    private long _messagesWritten;
    private long _commits;
    private long _fsyncs;
    private long _bytesWritten;
    private long _lastCommitMs;
    private long _slowestCommitMs;
    private long _failures;
    private long _storeBytes;

    /// <inheritdoc/>
    public JournalStatistics Statistics => new(
        Volatile.Read(ref _appended),
        Volatile.Read(ref _elided),
        Volatile.Read(ref _messagesWritten),
        Volatile.Read(ref _commits),
        Volatile.Read(ref _fsyncs),
        Volatile.Read(ref _bytesWritten),
        Volatile.Read(ref _lastCommitMs),
        Volatile.Read(ref _slowestCommitMs),
        Volatile.Read(ref _failures),
        Volatile.Read(ref _storeBytes),
        _quarantined);

    private void Run()
    {
        _clockNoted = _lastCommit = _time.GetTimestamp();
        _crowded = _window.MostFacts;
        try
        {
            while (true)
            {
                Take();
                if (_isStopping && Finish()) return;
                if (_batch is not null) Retry();
                else if (_pending.Count > 0) Tend();
                else Idle();
            }
        }
        catch (Exception exception)
        {
            // The writer cannot go on and must not seem to: from here on nothing is acknowledged.
            _isFailing = true;
            LogBroken(_logger, exception);
            Damaged?.Invoke();
        }
        finally
        {
            _stopped.Set();
        }
    }

    private void Take()
    {
        while (_facts.TryTake() is { } fact)
        {
            if (_pending.Count == 0) _nextTick = After(_time.GetTimestamp(), _window.Longest / 2);
            _pending.Add(fact);
            _taken++;
        }
    }

    /// <summary>Waits for the window to close, or closes it.</summary>
    private void Tend()
    {
        long now = _time.GetTimestamp();
        if (_pending.Count >= _crowded)
        {
            DropElided(_pending.Count);
            // Prompt acknowledgements make room; where they do not, the window is full.
            if (_pending.Count >= _window.MostFacts) Commit(_pending.Count);
            _crowded = Math.Max(_window.MostFacts, 2 * _pending.Count);
            return;
        }

        if (now < _nextTick)
        {
            WaitForFacts(TimeSpan.FromSeconds((_nextTick - now) / (double)_time.TimestampFrequency), _crowded - _pending.Count);
            return;
        }

        // Facts that came since the last tick get another half window, in which most of them are acknowledged and need not be written.
        if (_ripe > 0) Commit(_ripe);
        _ripe = _pending.Count;
        _nextTick = After(now, _window.Longest / 2);
    }

    /// <summary>Leaves out the records among the first so many that nobody needs on disk any more.</summary>
    private void DropElided(int among)
    {
        int kept = 0, ripe = 0;
        for (int i = 0; i < _pending.Count; i++)
        {
            JournalFact fact = _pending[i];
            if (i < among && fact is PublishRecord { IsCommitted: true } record)
            {
                for (StoredDelivery? one = record.Deliveries; one is not null; one = one.Next)
                {
                    ((SqliteSession)one.Session).Done.Add(one.Position);
                    Interlocked.Increment(ref _elided);
                }

                Forget(fact);
                continue;
            }

            if (i < _ripe) ripe++;
            _pending[kept++] = fact;
        }

        _pending.RemoveRange(kept, _pending.Count - kept);
        _ripe = ripe;
    }

    private void Commit(int count)
    {
        var batch = new JournalBatch(_state, _age);
        for (int i = 0; i < count; i++) batch.Absorb(_pending[i]);
        batch.Close(EmptySegmentsPerCommit);
        _pending.RemoveRange(0, count);
        _ripe = Math.Max(0, _ripe - count);
        Interlocked.Add(ref _elided, batch.Elided);
        if (batch.IsEmpty) Complete(batch);
        else if (!TryWrite(batch)) _batch = batch;
    }

    private bool TryWrite(JournalBatch batch)
    {
        long began = _time.GetTimestamp();
        bool clockDue = _time.GetElapsedTime(_clockNoted) >= ClockInterval || _commits == 0;
        try
        {
            _writer ??= ConnectWriter();
            long pages = _writer.Database.PagesWritten;
            _writer.Write(batch, clockDue ? _time.GetUtcNow().ToUnixTimeMilliseconds() : null, sweep: IsSweepDue());
            CountCommit(_writer.Database.PagesWritten - pages, began);
            MeasureStore(_writer.Database);
        }
        catch (Exception failure) when (failure is SqliteException or StoreException)
        {
            NoteFailure(failure);
            return false;
        }

        if (clockDue) _clockNoted = began;
        Recovered();
        _messagesWritten += batch.Messages.Count;
        Complete(batch);
        if (_pagesSinceCheckpoint >= CheckpointPages) Checkpoint(CheckpointMode.Passive);
        return true;
    }

    private void Complete(JournalBatch batch)
    {
        foreach (StoredDelivery delivery in batch.Written) delivery.NoteDurable();
        foreach (JournalFact fact in batch.Facts)
        {
            Forget(fact);
            fact.Complete();
        }

        foreach (SqliteSession session in batch.Touched) session.Owner?.OnCommitted();
    }

    private void Forget(JournalFact fact)
    {
        if (fact is PublishRecord { Message: { } message }) Interlocked.Add(ref _pendingBytes, -message.SizeBytes);
    }

    private void Retry()
    {
        if (TryWrite(_batch!))
        {
            _batch = null;
            return;
        }

        _wake.WaitOne(RetryInterval);
    }

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

    private bool Finish()
    {
        bool lastTry = _time.GetTimestamp() >= _stopBy;
        if (_batch is not null)
        {
            if (!lastTry) return false;
            LogLeft(_logger, _batch.Facts.Count + _pending.Count);
            return true;
        }

        if (_pending.Count > 0)
        {
            Commit(_pending.Count);
            return false;
        }

        NoteClock();
        Checkpoint(CheckpointMode.Truncate);
        return true;
    }

    private void NoteClock()
    {
        var batch = new JournalBatch(_state, _age);
        batch.Close(EmptySegmentsPerCommit);
        _clockNoted = 0;
        if (!TryWrite(batch)) _clockNoted = _time.GetTimestamp();
    }

    /// <param name="longest">How long to wait.</param>
    /// <param name="facts">How many facts end the wait.</param>
    private void WaitForFacts(TimeSpan longest, int facts)
    {
        Volatile.Write(ref _wakeAt, _taken + facts);
        // Who appended before that was said did not wake us.
        if (Interlocked.Read(ref _appended) < Volatile.Read(ref _wakeAt) && !_isStopping) _wake.WaitOne(longest);
        Volatile.Write(ref _wakeAt, long.MaxValue);
    }

    private long After(long timestamp, TimeSpan span) => timestamp + (long)(span.TotalSeconds * _time.TimestampFrequency);

    private bool IsSweepDue() => _state.RetainedGarbage.Count >= 256;

    private void CountCommit(long pages, long began)
    {
        long elapsedMs = (long)_time.GetElapsedTime(began).TotalMilliseconds;
        _commits++;
        _fsyncs++;
        _bytesWritten += pages * (StorePragmas.PageSizeBytes + 24);
        _pagesSinceCheckpoint += pages;
        _lastCommit = _time.GetTimestamp();
        _lastCommitMs = elapsedMs;
        _slowestCommitMs = Math.Max(_slowestCommitMs, elapsedMs);
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

    private void NoteFailure(Exception failure)
    {
        _failures++;
        long now = _time.GetTimestamp();
        if (_failingSince == 0) _failingSince = now;
        if (failure is SqliteException { IsCorrupt: true })
        {
            _isFailing = true;
            LogDamaged(_logger, failure.Message);
            _file.ReportDamage();
            Damaged?.Invoke();
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

    [LoggerMessage(7102, LogLevel.Critical, "the store is damaged: {Cause}; the broker stops, and sets it aside when it is started again")]
    private static partial void LogDamaged(ILogger logger, string cause);

    [LoggerMessage(7103, LogLevel.Warning, "the store has reached [storage] max_bytes ({MaxBytes} bytes): a new message has to take an old one's place, or is refused")]
    private static partial void LogFull(ILogger logger, long maxBytes);

    [LoggerMessage(7104, LogLevel.Information, "the store has room again")]
    private static partial void LogRoom(ILogger logger);

    [LoggerMessage(7105, LogLevel.Warning, "the store's WAL could not be moved into the database: {Cause}; tried again later")]
    private static partial void LogCheckpointFailed(ILogger logger, string cause);

    [LoggerMessage(7106, LogLevel.Error, "{Facts} fact(s) could not be written before the end; none of them was acknowledged")]
    private static partial void LogLeft(ILogger logger, int facts);

    [LoggerMessage(7107, LogLevel.Critical, "the journal cannot go on")]
    private static partial void LogBroken(ILogger logger, Exception exception);
}
