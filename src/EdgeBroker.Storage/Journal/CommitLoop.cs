using System.Runtime.InteropServices;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Storage.Sqlite;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Storage.Journal;

/// <summary>
/// The journal's thread: takes facts, leaves out what has become pointless while the schedule lets them wait, writes the rest in one transaction and lets go
/// on who waits. A transaction that fails is tried again until it succeeds; nothing overtakes it.
/// </summary>
internal sealed partial class CommitLoop
{
    private const int EmptySegmentsPerCommit = 256;

    // A transaction takes its bytes of the disk twice, in the WAL and in the database; many small ones take the WAL's again and again.
    private const long MostBytesPerCommit = 8L * 1024 * 1024;

    private static readonly TimeSpan DiskInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan BudgetLogInterval = TimeSpan.FromHours(1);

    private readonly FactIntake _intake;
    private readonly GroupCommitSchedule _schedule;
    private readonly WriterConnection _connection;
    private readonly JournalState _state;
    private readonly AgeClock _age;
    private readonly TimeProvider _time;
    private readonly StoreHealth _health;
    private readonly DataDisk _disk;
    private readonly JournalCounters _counters;
    private readonly StoreMaintenance _maintenance;
    private readonly ILogger _logger;

    // Taken from the intake and in no transaction yet, oldest first.
    private readonly List<JournalFact> _pending = [];

    // A transaction that could not be written yet.
    private JournalBatch? _batch;
    private long _budgetLogged;
    private long _stopBy;
    private volatile bool _isStopping;

    /// <param name="intake">Where facts come from.</param>
    /// <param name="schedule">When they are committed.</param>
    /// <param name="connection">The connection that writes.</param>
    /// <param name="state">What to go on from.</param>
    /// <param name="age">The store's age.</param>
    /// <param name="time">The clock.</param>
    /// <param name="health">Told how it goes.</param>
    /// <param name="disk">Where the store lies.</param>
    /// <param name="counters">Counts it.</param>
    /// <param name="logger">Event ids 7105-7106.</param>
    public CommitLoop(
        FactIntake intake,
        GroupCommitSchedule schedule,
        WriterConnection connection,
        JournalState state,
        AgeClock age,
        TimeProvider time,
        StoreHealth health,
        DataDisk disk,
        JournalCounters counters,
        ILogger logger)
    {
        _intake = intake;
        _schedule = schedule;
        _connection = connection;
        _state = state;
        _age = age;
        _time = time;
        _health = health;
        _disk = disk;
        _counters = counters;
        _maintenance = new StoreMaintenance(connection, counters, time, logger);
        _logger = logger;
    }

    /// <summary>Whether facts are left that could not be written; when <see cref="Run"/> has ended.</summary>
    public bool HasUnwritten => _batch is not null || _pending.Count > 0;

    /// <summary>Is called when the intake was full and is not any more. Set before <see cref="Run"/>.</summary>
    public Action CaughtUp { get; set; } = static () => { };

    /// <summary>Works until <see cref="Stop"/>, or until the database is found damaged.</summary>
    public void Run()
    {
        _maintenance.Begin();
        _health.RecordFree(_disk.FreeBytes);
        while (true)
        {
            DrainFacts();
            if (_isStopping)
            {
                if (Finish()) return;
            }
            else if (_batch is not null)
            {
                Retry();
            }
            else if (_maintenance.HasWallClockStepped)
            {
                SaveClock();
            }
            else if (_pending.Count > 0)
            {
                CommitWhenDue();
            }
            else
            {
                Maintain();
            }
        }
    }

    /// <summary>Ends <see cref="Run"/> when everything is committed. Any thread.</summary>
    /// <param name="timeout">How long to try when the disk does not take it.</param>
    public void Stop(TimeSpan timeout)
    {
        _stopBy = _time.GetTimestamp() + (long)(timeout.TotalSeconds * _time.TimestampFrequency);
        _isStopping = true;
        _intake.Wake();
    }

    private void DrainFacts()
    {
        while (_intake.TryTake(out JournalFact? fact))
        {
            if (_pending.Count == 0) _schedule.Begin(_time.GetTimestamp());
            _pending.Add(fact);
            if (fact.Urgency == FactUrgency.Urgent) _schedule.CommitSoon(_pending.Count, _time.GetTimestamp());
            else if (fact.Urgency == FactUrgency.Awaited) _schedule.Await(_pending.Count);
        }
    }

    private void CommitWhenDue()
    {
        long now = _time.GetTimestamp();
        CommitDecision next = _schedule.Next(_pending.Count, now);
        switch (next.Action)
        {
            case CommitAction.Commit: Commit(next.Facts, now); break;
            case CommitAction.Coalesce: RemoveCoalesced(now); break;
            default:
                if (_schedule.Budget.IsSpent(now)) NoteSpentBudget(now);
                _intake.Wait(_time.GetElapsedTime(now, next.Until), next.Facts, next.Woken);
                break;
        }
    }

    private void NoteSpentBudget(long now)
    {
        if (_budgetLogged != 0 && _time.GetElapsedTime(_budgetLogged, now) < BudgetLogInterval) return;
        _budgetLogged = now;
        LogBudgetSpent(_logger, (long)_schedule.Window.TotalMilliseconds);
    }

    /// <summary>Leaves out the records that nobody needs on disk any more.</summary>
    private void RemoveCoalesced(long now)
    {
        int kept = 0, mature = 0, awaited = 0;
        Span<JournalFact> pending = CollectionsMarshal.AsSpan(_pending);
        for (int i = 0; i < pending.Length; i++)
        {
            JournalFact fact = pending[i];
            if (fact is PublishRecord { IsDone: true } record)
            {
                LeaveOut(record);
                continue;
            }

            if (i < _schedule.Mature) mature++;
            if (i < _schedule.Awaited) awaited++;
            pending[kept++] = fact;
        }

        int removed = pending.Length - kept;
        _pending.RemoveRange(kept, removed);
        int due = _schedule.Coalesced(removed, kept, mature, awaited, now);
        if (due > 0) Commit(due, now);
    }

    private void LeaveOut(PublishRecord record)
    {
        int deliveries = 0;
        for (StoredDelivery? one = record.Deliveries; one is not null; one = one.Next)
        {
            ((SqliteSession)one.Session).Done.Add(one.Position);
            deliveries++;
        }

        _counters.CountCoalesced(deliveries);
        _intake.Release(record);
    }

    private void Commit(int count, long now)
    {
        var batch = new JournalBatch(_state, _age);
        int most = count;
        long bytes = 0;
        for (count = 0; count < most && bytes < MostBytesPerCommit; count++)
        {
            bytes += SizeOf(_pending[count]);
            batch.Absorb(_pending[count]);
        }

        batch.Close(EmptySegmentsPerCommit);
        _pending.RemoveRange(0, count);
        _counters.CountCoalesced(batch.Coalesced);
        _schedule.Committed(count, batch.Coalesced, !batch.IsEmpty, now);
        if (batch.IsEmpty) Complete(batch);
        else Write(batch, withClock: false);
    }

    private static long SizeOf(JournalFact fact) => fact switch
    {
        PublishRecord { Message: { } message } => message.SizeBytes,
        RetainedChanged value => value.SizeBytes,
        _ => 0,
    };

    private void Retry()
    {
        JournalBatch batch = _batch!;
        _batch = null;
        Write(batch, withClock: false);
        if (_batch is not null) _intake.Pause(RetryInterval);
    }

    /// <summary>Writes a transaction, now or, if the disk does not take it, with <see cref="Retry"/>.</summary>
    private void Write(JournalBatch batch, bool withClock)
    {
        long began = _time.GetTimestamp();
        withClock |= _maintenance.IsClockDue || batch.RaisesStampBound;
        try
        {
            JournalWriter writer = _connection.Writer;
            long pages = writer.Database.PagesWritten;
            writer.Write(batch, withClock ? _time : null);
            pages = writer.Database.PagesWritten - pages;
            _counters.CountCommit(batch.Messages.Count, pages, (long)_time.GetElapsedTime(began).TotalMilliseconds);
            _maintenance.RecordCommit(pages, withClock, began);
            RecordSize(writer.MeasureBytes());
        }
        catch (Exception failure) when (failure is SqliteException or StoreException)
        {
            _batch = batch;
            RecordFailure(failure);
            return;
        }

        _health.RecordSuccess();
        Complete(batch);
        if (_health.IsDiskFull) _maintenance.GiveBack(CheckpointMode.Passive);
        else _maintenance.CheckpointWhenDue();
    }

    private void RecordSize(long bytes)
    {
        _counters.RecordSize(bytes);
        _health.RecordSize(bytes);
        _health.RecordFree(_disk.FreeBytes);
        _state.IsTight = _health.IsTight(bytes);
    }

    private void RecordFailure(Exception failure)
    {
        _counters.CountFailure();
        _health.RecordFailure(failure);
        if (_health.IsDamaged)
        {
            _stopBy = _time.GetTimestamp();
            _isStopping = true;
        }
        else if (failure is not SqliteException { IsFull: true } and not SqliteException { IsBusy: true })
        {
            _connection.Drop();
        }
    }

    private void Complete(JournalBatch batch)
    {
        bool wasFull = _intake.IsFullOfValues;
        foreach (StoredDelivery delivery in batch.Written) delivery.RecordDurable();
        foreach (JournalFact fact in batch.Facts)
        {
            _intake.Release(fact);
            fact.Complete();
        }

        foreach (SqliteSession session in batch.Touched) session.Owner?.OnCommitted();
        if (wasFull && !_intake.IsFullOfValues) CaughtUp();
    }

    /// <summary>Nothing waits: does what the quiet is good for, then sleeps.</summary>
    private void Maintain()
    {
        bool isQuiet = _maintenance.IsQuiet;
        if (_health.IsDiskFull)
        {
            // What is superseded goes with a transaction.
            if (_state.RetainedGarbage.Count > 0) SaveClock();
            else _maintenance.GiveBack(CheckpointMode.Truncate);
            if (_batch is not null) return;
            _health.RecordFree(_disk.FreeBytes);
            _intake.Wait(DiskInterval, 1, woken: null);
            return;
        }

        if (_maintenance.IsClockOverdue) SaveClock();
        if (_batch is not null) return;
        if (isQuiet) _maintenance.CleanUp();
        _intake.Wait(_maintenance.Interval, 1, woken: null);
    }

    private void SaveClock()
    {
        var batch = new JournalBatch(_state, _age);
        batch.Close(EmptySegmentsPerCommit);
        Write(batch, withClock: true);
    }

    /// <summary>Commits what is left, a step at a time; true when that is done, or when it is time to give up.</summary>
    private bool Finish()
    {
        if (_batch is not null)
        {
            if (_time.GetTimestamp() < _stopBy)
            {
                Retry();
                return false;
            }

            LogLeft(_logger, _batch.Facts.Count + _pending.Count);
            return true;
        }

        if (_pending.Count > 0)
        {
            Commit(_pending.Count, _time.GetTimestamp());
            return false;
        }

        SaveClock();
        // All facts are written: that the time was not noted costs nothing but the pause.
        _batch = null;
        _maintenance.Finish();
        return true;
    }

    [LoggerMessage(7108, LogLevel.Information,
        "the budget of commits is spent for now: what must be on disk before it is acknowledged waits for up to {Milliseconds} ms, so that one commit takes the"
        + " messages of many; clients that keep more than one message on their way lose little by it, and storage.commits_per_second sets the budget")]
    private static partial void LogBudgetSpent(ILogger logger, long milliseconds);

    [LoggerMessage(7106, LogLevel.Error, "{Facts} fact(s) could not be written before the end; none of them was acknowledged")]
    private static partial void LogLeft(ILogger logger, int facts);
}
