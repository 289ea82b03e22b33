using EdgeBroker.Core;
using EdgeBroker.Core.Ports;
using EdgeBroker.Storage;
using EdgeBroker.Storage.Journal;
using EdgeBroker.Storage.Opening;
using EdgeBroker.Storage.Restoring;
using EdgeBroker.Storage.Rows;
using EdgeBroker.Storage.Sqlite;
using Microsoft.Extensions.Logging;

namespace EdgeBroker;

/// <summary>The broker's store: opened before the broker is made, restored from before the first listener opens, closed when the last connection is gone.</summary>
internal sealed partial class BrokerStore : IDisposable
{
    private static readonly TimeSpan ReportInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(5);

    private readonly SqliteJournal? _journal;
    private readonly TimeProvider _time;
    private readonly ILogger _log;

    private BrokerStore(SqliteJournal? journal, TimeProvider time, ILogger log)
    {
        _journal = journal;
        _time = time;
        _log = log;
    }

    /// <summary>What the broker appends to.</summary>
    public IJournal Journal => _journal is null ? VolatileJournal.Instance : _journal;

    /// <summary>Opens the store in a directory, or none for <c>durability = "memory"</c>.</summary>
    /// <exception cref="StoreException">It cannot be used; says why and what to do.</exception>
    public static BrokerStore Open(string directory, StorageOptions options, BrokerClock clock, TimeProvider time, ILoggerFactory loggers)
    {
        ILogger log = loggers.CreateLogger("EdgeBroker.Store");
        if (options.Durability == StoreDurability.Memory) return new BrokerStore(null, time, log);
        StoreFile file = StoreFile.Open(directory, options, StoreRows.Checks, log, time);
        try
        {
            return new BrokerStore(new SqliteJournal(file, options, clock, time, log), time, log);
        }
        catch (SqliteException failure)
        {
            file.Dispose();
            throw StoreException.From(failure, file.Path);
        }
    }

    /// <summary>Gives the broker what the store holds, and starts taking facts.</summary>
    /// <param name="broker">The broker.</param>
    /// <param name="services">Told how far it is.</param>
    /// <param name="damaged">Called when the store is found damaged later.</param>
    /// <exception cref="StoreException">It cannot be read.</exception>
    public void Restore(Broker broker, ServiceStatus services, Action damaged)
    {
        if (_journal is null) return;
        long began = _time.GetTimestamp();
        long reported = began;
        try
        {
            RestoreProgress restored = _journal.Restore(broker, progress =>
            {
                if (_time.GetElapsedTime(reported) < ReportInterval) return;
                reported = _time.GetTimestamp();
                LogRestoring(_log, progress.Sessions, progress.Deliveries, progress.Retained);
                services.Say($"restoring: {progress.Sessions} sessions, {progress.Deliveries} queued, {progress.Retained} retained messages so far");
            });
            LogRestored(_log, restored.Sessions, restored.Subscriptions, restored.Deliveries, restored.Retained, (long)_time.GetElapsedTime(began).TotalMilliseconds);
            if (restored.Damaged > 0) LogDamagedRows(_log, restored.Damaged);
            _journal.Damaged += damaged;
            _journal.Start();
        }
        catch (SqliteException failure)
        {
            throw StoreException.From(failure, "the store");
        }
    }

    /// <summary>Brings to disk what was appended, and closes the store. Nothing is appended any more.</summary>
    public void Dispose()
    {
        if (_journal is null) return;
        _journal.Stop(StopPatience);
        _journal.Dispose();
    }

    [LoggerMessage(9030, LogLevel.Information, "restoring: {Sessions} sessions, {Deliveries} queued and {Retained} retained messages so far")]
    private static partial void LogRestoring(ILogger log, int sessions, long deliveries, int retained);

    [LoggerMessage(9031, LogLevel.Information, "restored {Sessions} sessions, {Subscriptions} subscriptions, {Deliveries} queued and {Retained} retained messages in {Milliseconds} ms")]
    private static partial void LogRestored(ILogger log, int sessions, int subscriptions, long deliveries, int retained, long milliseconds);

    [LoggerMessage(9032, LogLevel.Error, "{Rows} row(s) of the store are damaged and left out; \"edgebroker store verify\" says which")]
    private static partial void LogDamagedRows(ILogger log, int rows);
}
