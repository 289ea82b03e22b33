using EdgeBroker.Core;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Metrics;
using EdgeBroker.Core.Ports;
using EdgeBroker.Storage.Opening;
using EdgeBroker.Storage.Restoring;
using EdgeBroker.Storage.Schema;
using EdgeBroker.Storage.Sqlite;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Storage.Journal;

/// <summary>The journal on SQLite: facts come in without a lock, one thread commits them, a second reads queues back.</summary>
public sealed partial class SqliteJournal : IJournal, IDisposable
{
    // Another process may read the store, or back it up, but holds no lock for long.
    internal static readonly TimeSpan BusyTimeout = TimeSpan.FromSeconds(5);

    private readonly StoreFile _file;
    private readonly ILogger _logger;
    private readonly JournalState _state = new();
    private readonly AgeClock _age;
    private readonly FactIntake _intake;
    private readonly WriterConnection _connection;
    private readonly StoreHealth _health;
    private readonly JournalCounters _counters;
    private readonly GroupCommitSchedule _schedule;
    private readonly TimeProvider _time;
    private readonly CommitLoop _loop;
    private readonly MessageReader _reader;
    private Thread? _thread;

    /// <param name="file">The store, open; closed with the journal.</param>
    /// <param name="options">Durability and size.</param>
    /// <param name="clock">The broker's clock.</param>
    /// <param name="time">Its source.</param>
    /// <param name="logger">Event ids 7100-7129.</param>
    /// <exception cref="SqliteException">The store cannot be read.</exception>
    public SqliteJournal(StoreFile file, StorageOptions options, BrokerClock clock, TimeProvider time, ILogger logger)
    {
        _file = file;
        _logger = logger;
        _time = time;
        MaxBytes = options.MaxBytes;
        CommitPolicy policy = CommitPolicy.Of(options);
        var disk = new DataDisk(Path.GetDirectoryName(file.Path)!);
        _intake = new FactIntake(options.MaxBytes, disk.ReserveBytes, policy.MostFacts);
        _age = new AgeClock(clock, AgeNow(file.Database, time) - clock.NowMs);
        _connection = new WriterConnection(file, options, _state, _age);
        _health = new StoreHealth(file.Path, options.MaxBytes, disk.ReserveBytes, time, logger, cause => Damaged?.Invoke(cause));
        _counters = new JournalCounters(file.Opening.Kind == StoreOpeningKind.Quarantined ? 1 : 0);
        _schedule = new GroupCommitSchedule(policy, time.TimestampFrequency);
        _loop = new CommitLoop(_intake, _schedule, _connection, _state, _age, time, _health, disk, _counters, logger);
        _reader = new MessageReader(ConnectReader, _health.RecordDamage, _age, time, logger);
    }

    /// <summary>Called once, on one of the journal's threads, when the database is found damaged while it runs: nothing is acknowledged any more, and the next
    /// start sets it aside.</summary>
    public event Action<string>? Damaged;

    /// <summary>Called once, on the journal's thread, when it cannot go on for a reason that is not the disk's: nothing is acknowledged any more.</summary>
    public event Action? Broken;

    /// <inheritdoc/>
    public bool IsDurable => true;

    /// <inheritdoc/>
    public JournalCondition Condition => _intake.IsFull && _health.Condition != JournalCondition.Failing ? JournalCondition.Busy : _health.Condition;

    /// <inheritdoc/>
    public bool IsDiskFull => _health.IsDiskFull;

    /// <inheritdoc/>
    public bool IsFullOfValues => _intake.IsFullOfValues;

    /// <inheritdoc/>
    public long MaxBytes { get; }

    /// <inheritdoc/>
    public HistogramMeter CommitDurations => _counters.Durations;

    /// <inheritdoc/>
    public JournalStatistics Statistics => _counters.Snapshot(_intake.Appended, _schedule, _time.GetTimestamp());

    /// <summary>What the store holds of other nodes; null before <see cref="Restore"/>.</summary>
    public RestoredCluster? Cluster { get; private set; }

    /// <summary>Which store it is.</summary>
    public Guid StoreId => _file.Id;

    /// <summary>Puts into a new broker what the store holds. Before <see cref="Start"/>.</summary>
    /// <param name="broker">The broker.</param>
    /// <param name="report">Told from time to time how far it is.</param>
    /// <exception cref="SqliteException">The store cannot be read.</exception>
    public RestoreProgress Restore(Broker broker, Action<RestoreProgress> report)
    {
        var loader = new StoreLoader(_file.Database, _state, _age, report);
        RestoreProgress restored = loader.Load(broker);
        Cluster = loader.Cluster;
        return restored;
    }

    /// <summary>Starts the threads.</summary>
    /// <exception cref="SqliteException">The store cannot be written.</exception>
    public void Start()
    {
        _connection.Open();
        _reader.Start();
        _thread = new Thread(Run) { IsBackground = true, Name = "journal" };
        _thread.Start();
    }

    /// <inheritdoc/>
    public void UseLoops(ILoopRequests loops) => _intake.UseLoops(loops);

    /// <inheritdoc/>
    public void WhenCaughtUp(Action action) => _loop.CaughtUp = action;

    /// <inheritdoc/>
    public StoredSession Open(string clientId) => new SqliteSession(clientId);

    /// <inheritdoc/>
    public void Append(JournalFact fact) => _intake.Append(fact);

    /// <inheritdoc/>
    public void Load(StoredSession session, IReadOnlyList<SpilledDelivery> deliveries) => _reader.Request((SqliteSession)session, deliveries);

    /// <summary>Commits what was appended, notes the time, and ends the threads. Nothing is appended any more.</summary>
    /// <param name="timeout">How long to try when the disk does not take it.</param>
    /// <returns>Whether everything is on disk.</returns>
    public bool Stop(TimeSpan timeout)
    {
        _loop.Stop(timeout);
        _thread?.Join();
        _reader.Stop();
        return _health.Condition != JournalCondition.Failing && !_loop.HasUnwritten;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Stop(TimeSpan.Zero);
        _reader.Dispose();
        _connection.Dispose();
        if (_health.IsDamaged) _file.ReportDamage();
        _file.Close();
        _intake.Dispose();
    }

    private static long AgeNow(SqliteDatabase database, TimeProvider time)
    {
        using SqliteCommand command = database.Command("SELECT ifnull(age_ms, 0), ifnull(wall_ms, 0) FROM clock WHERE id = 1");
        using SqliteDataReader row = command.ExecuteReader();
        return row.Read() ? AgeClock.AgeAfterPause(row.GetInt64(0), row.GetInt64(1), time.GetUtcNow().ToUnixTimeMilliseconds()) : 0;
    }

    private void Run()
    {
        try
        {
            _loop.Run();
        }
        catch (Exception exception)
        {
            _health.RecordEnd();
            LogBroken(_logger, exception);
            Broken?.Invoke();
        }
    }

    private SqliteDatabase ConnectReader()
    {
        SqliteDatabase database = SqliteDatabase.Open(_file.Path, DatabaseAccess.ReadOnly, BusyTimeout);
        StorePragmas.ForReader(database);
        return database;
    }

    [LoggerMessage(7107, LogLevel.Critical, "the journal cannot go on")]
    private static partial void LogBroken(ILogger logger, Exception exception);
}
