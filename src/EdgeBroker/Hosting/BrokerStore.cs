using EdgeBroker.Cluster;
using EdgeBroker.Core;
using EdgeBroker.Core.Hosting;
using EdgeBroker.Core.Ports;
using EdgeBroker.Storage;
using EdgeBroker.Storage.Journal;
using EdgeBroker.Storage.Opening;
using EdgeBroker.Storage.Restoring;
using EdgeBroker.Storage.Rows;
using EdgeBroker.Storage.Sqlite;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Hosting;

/// <summary>The broker's store: opened before the broker is made, restored from when it starts, closed when the last connection is gone.</summary>
internal sealed partial class BrokerStore : IBrokerPart
{
    private static readonly TimeSpan ReportInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(5);

    // Publishers that are held, in words for people.
    private const int MostNamed = 5;

    private readonly SqliteJournal? _journal;
    private readonly bool _isRescued;
    private readonly StoreOpening? _opening;
    private readonly string _directory;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private Broker? _broker;
    private ServiceStatus? _services;
    private StopRequest? _stop;

    private BrokerStore(SqliteJournal? journal, StoreOpening? opening, string directory, bool isRescued, TimeProvider time, ILogger log)
    {
        _opening = opening;
        _directory = directory;
        _isRescued = isRescued;
        _journal = journal;
        _time = time;
        _log = log;
    }

    /// <inheritdoc/>
    public string Name => "store";

    /// <summary>What the broker appends to.</summary>
    public IJournal Journal => _journal is null ? VolatileJournal.Instance : _journal;

    /// <summary>What it holds of other nodes; once it has started.</summary>
    /// <exception cref="PartException">There is no store, or it could not be read.</exception>
    public RestoredMesh Mesh => _journal is { Cluster: { } cluster }
        ? new RestoredMesh(
            _journal.StoreId, cluster.StampBound, cluster.Taken, [.. cluster.Owned.Select(one => (one.ClientId, one.Epoch.Stamp))], cluster.SessionTombstones)
        {
            HighestGrant = cluster.Owned.Select(one => one.Epoch.Grant).DefaultIfEmpty().Max(),
        }
        : throw new PartException("[cluster] needs a store that can be read");

    /// <summary>Opens the store in a directory, or none for <c>durability = "memory"</c>.</summary>
    /// <param name="directory">The data directory.</param>
    /// <param name="options">The <c>[storage]</c> table.</param>
    /// <param name="clock">The broker's clock.</param>
    /// <param name="time">Its source.</param>
    /// <param name="loggers">Event ids 9030-9039 and the store's own.</param>
    /// <param name="knownDamage">What an earlier try has shown to be wrong with the store: it is set aside; null: nothing.</param>
    /// <exception cref="StoreException">It cannot be used; says why and what to do.</exception>
    public static BrokerStore Open(string directory, StorageOptions options, BrokerClock clock, TimeProvider time, ILoggerFactory loggers, string? knownDamage)
    {
        ILogger log = loggers.CreateLogger("EdgeBroker.Store");
        if (options.Durability == StoreDurability.Memory) return new BrokerStore(null, null, directory, false, time, log);
        StoreFile file = StoreFile.Open(directory, options, StoreRows.Checks, log, time, knownDamage);
        try
        {
            return new BrokerStore(new SqliteJournal(file, options, clock, time, log), file.Opening, directory, knownDamage is not null, time, log);
        }
        catch (SqliteException failure)
        {
            file.Dispose();
            // Once: what is known to be damaged is set aside.
            if (failure.IsCorrupt && knownDamage is null) return Open(directory, options, clock, time, loggers, failure.Message);
            throw StoreException.From(failure, file.Path);
        }
    }

    /// <summary>Says to whom what it holds is given when it starts. The broker needs the journal to be made, and the store the broker to start.</summary>
    /// <param name="broker">The broker.</param>
    /// <param name="services">Told how far it is.</param>
    /// <param name="stop">Told when the store is found damaged, or the journal cannot go on.</param>
    public void ServeTo(Broker broker, ServiceStatus services, StopRequest stop) => (_broker, _services, _stop) = (broker, services, stop);

    /// <summary>
    /// Gives the broker what the store holds, and starts taking facts. Where it is found damaged it asks for an end: the broker, too, is to be made anew.
    /// </summary>
    /// <exception cref="StoreException">It cannot be read.</exception>
    public ValueTask StartAsync(CancellationToken cancel)
    {
        try
        {
            if (_journal is not null) Restore(_journal);
        }
        catch (StoreException exception) when (exception.Problem == StoreProblem.Damaged)
        {
            _stop!.StoreIsDamaged(exception.Message);
        }

        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public IEnumerable<HealthFinding> Findings()
    {
        (HealthState state, string detail) = !Journal.IsDurable
            ? (HealthState.Good, "nothing is stored: durability is \"memory\"")
            : Journal.Condition switch
            {
                JournalCondition.Ready => (HealthState.Good, "it takes what must be kept"),
                JournalCondition.Busy => (HealthState.Good, "it takes what must be kept, as fast as the disk does"),
                JournalCondition.Full when Journal.IsDiskFull => (HealthState.Failing,
                    $"its disk is full: what must be kept drives out older messages of those who let it{Held()}; make room on the disk, or delete retained "
                    + "messages"),
                JournalCondition.Full => (HealthState.Failing,
                    $"it is full (storage.max_bytes): what must be kept drives out older messages of those who let it{Held()}; let clients fetch theirs, "
                    + "or raise storage.max_bytes"),
                _ => (HealthState.Failing, $"it cannot be written: what must be kept is refused until it can{Held()}; the log names the cause"),
            };
        yield return new HealthFinding(Name, state, detail);
        foreach (string warning in Losses()) yield return new HealthFinding(Name, HealthState.Warning, warning);
    }

    /// <summary>
    /// What has been lost, until somebody has taken note of it: a database that was set aside, until it is removed; one that was gone, until the end.
    /// </summary>
    private IEnumerable<string> Losses()
    {
        if (_opening is null) yield break;
        if (StoreFile.CountSetAside(_directory) is > 0 and int count)
        {
            long lost = _opening.LostDeliveries.Sum(one => one.Count);
            yield return $"{count} damaged database(s) set aside as edgebroker.db.corrupt-*{(lost > 0 ? $", {lost} waiting message(s) lost" : "")}; "
                + "the log says what was rescued; remove the file(s) when nobody needs them any more";
        }

        if (_opening is { Kind: StoreOpeningKind.Created, Cause: { } cause }) yield return $"the store is new, although there was one: {cause}";
    }

    /// <summary>Who is held, some by name.</summary>
    private string Held()
    {
        IReadOnlyList<string> held = _broker?.StoreHold.Publishers ?? [];
        if (held.Count == 0) return "";
        string others = held.Count > MostNamed ? $" and {held.Count - MostNamed} more" : "";
        return $"; {held.Count} publisher{(held.Count == 1 ? " is" : "s are")} held: {string.Join(", ", held.Take(MostNamed))}{others}";
    }

    /// <summary>Brings to disk what was appended, and closes the store. Nothing is appended any more.</summary>
    public ValueTask DisposeAsync()
    {
        _journal?.Stop(StopTimeout);
        _journal?.Dispose();
        return ValueTask.CompletedTask;
    }

    private void Restore(SqliteJournal journal)
    {
        long began = _time.GetTimestamp();
        long reported = began;
        try
        {
            RestoreProgress restored = journal.Restore(_broker!, progress =>
            {
                if (_time.GetElapsedTime(reported) < ReportInterval) return;
                reported = _time.GetTimestamp();
                LogRestoring(_log, progress.Sessions, progress.Deliveries, progress.Retained);
                _services!.Progress($"restoring: {progress.Sessions} sessions, {progress.Deliveries} queued, {progress.Retained} retained messages so far");
            });
            long took = (long)_time.GetElapsedTime(began).TotalMilliseconds;
            LogRestored(_log, restored.Sessions, restored.Subscriptions, restored.Deliveries, restored.Retained, took);
            if (restored.Damaged > 0 && _isRescued) LogDamagedRows(_log, restored.Damaged);
            else if (restored.Damaged > 0) throw new StoreException(StoreProblem.Damaged, $"{restored.Damaged} row(s) are not what was written");
            journal.Damaged += _stop!.StoreIsDamaged;
            journal.Broken += _stop.JournalIsBroken;
            journal.Start();
        }
        catch (SqliteException failure)
        {
            throw StoreException.From(failure, "the store");
        }
    }

    [LoggerMessage(9030, LogLevel.Information, "restoring: {Sessions} sessions, {Deliveries} queued and {Retained} retained messages so far")]
    private static partial void LogRestoring(ILogger log, int sessions, long deliveries, int retained);

    [LoggerMessage(9031, LogLevel.Information,
        "restored {Sessions} sessions, {Subscriptions} subscriptions, {Deliveries} queued and {Retained} retained messages in {Milliseconds} ms")]
    private static partial void LogRestored(ILogger log, int sessions, int subscriptions, long deliveries, int retained, long milliseconds);

    [LoggerMessage(9032, LogLevel.Error, "{Rows} row(s) of the rescued store are of no use and left out")]
    private static partial void LogDamagedRows(ILogger log, int rows);
}
