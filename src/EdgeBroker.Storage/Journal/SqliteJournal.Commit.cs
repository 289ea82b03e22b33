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

    private static readonly TimeSpan ShortestWindow = TimeSpan.FromMilliseconds(20);
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
    private bool _isEliding = true;
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
    private int _isDamaged;
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
            Broken?.Invoke();
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
            if (_pending.Count == 0) _nextTick = After(_time.GetTimestamp(), TickInterval);
            _pending.Add(fact);
            _taken++;
            // Clients subscribe seldom, and do little else until they are answered.
            if (fact is SubscriptionChanged) Hurry();
        }
    }

    /// <summary>What has been taken so far is committed soon, however long the window.</summary>
    private void Hurry()
    {
        _nextTick = Math.Min(_nextTick, After(_time.GetTimestamp(), ShortestWindow));
        _ripe = _pending.Count;
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

        // Where clients acknowledge promptly, facts that came since the last tick get another half window: most of them need not be written then. Where nobody
        // does, fewer and larger transactions write less.
        if (!_isEliding) Commit(_pending.Count);
        else if (_ripe > 0) Commit(_ripe);
        _ripe = _pending.Count;
        _nextTick = After(now, TickInterval);
    }

    private TimeSpan TickInterval => _isEliding ? _window.Longest / 2 : _window.Longest;

    /// <summary>Leaves out the records among the first so many that nobody needs on disk any more.</summary>
    private void DropElided(int among)
    {
        int kept = 0, ripe = 0;
        for (int i = 0; i < _pending.Count; i++)
        {
            JournalFact fact = _pending[i];
            if (i < among && fact is PublishRecord { IsDone: true } record)
            {
                for (StoredDelivery? one = record.Deliveries; one is not null; one = one.Next)
                {
                    ((SqliteSession)one.Session).Done.Add(one.Position);
                    Interlocked.Increment(ref _elided);
                }

                Forget(fact);
                _isEliding = true;
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
        _isEliding = batch.Elided >= batch.Facts.Count / 8;
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

    [LoggerMessage(7106, LogLevel.Error, "{Facts} fact(s) could not be written before the end; none of them was acknowledged")]
    private static partial void LogLeft(ILogger logger, int facts);
}
