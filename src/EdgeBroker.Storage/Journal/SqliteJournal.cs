using EdgeBroker.Core;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Ports;
using EdgeBroker.Storage.Opening;
using EdgeBroker.Storage.Restoring;
using EdgeBroker.Storage.Schema;
using EdgeBroker.Storage.Sqlite;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Storage.Journal;

/// <summary>
/// The journal on SQLite. Facts come in without a lock; one thread takes them, waits a moment for more, leaves out what has become pointless meanwhile, commits
/// the rest in one transaction and lets go on who waits. A second thread reads queues back.
/// </summary>
public sealed partial class SqliteJournal : IJournal, IDisposable
{
    // Messages that wait for their commit may take this much memory; then the disk is too slow for the traffic.
    private const long MostPendingBytes = 64L * 1024 * 1024;

    // Another process may read the store, or back it up, but holds no lock for long.
    private static readonly TimeSpan BusyTimeout = TimeSpan.FromSeconds(5);

    private readonly FactQueue _facts = new();
    private readonly StorageOptions _options;
    private readonly CommitWindow _window;
    private readonly AgeClock _age;
    private readonly TimeProvider _time;
    private readonly StoreFile _file;
    private readonly ILogger _logger;
    private readonly JournalState _state = new();
    private readonly MessageReader _reader;
    private readonly Thread _thread;
    private readonly AutoResetEvent _wake = new(false);
    private readonly ManualResetEventSlim _stopped = new();
    private long _wakeAt = long.MaxValue;
    private volatile bool _isStopping;
    private bool _isStarted;
    private volatile bool _isFull;
    private volatile bool _isFailing;
    private long _pendingBytes;

    /// <param name="file">The store, open; closed with the journal.</param>
    /// <param name="options">Durability and size.</param>
    /// <param name="clock">The broker's clock.</param>
    /// <param name="time">Its source.</param>
    /// <param name="logger">Event ids 7100-7129.</param>
    /// <exception cref="SqliteException">The store cannot be read.</exception>
    public SqliteJournal(StoreFile file, StorageOptions options, BrokerClock clock, TimeProvider time, ILogger logger)
    {
        _file = file;
        _options = options;
        _window = CommitWindow.Of(options.Durability);
        _time = time;
        _logger = logger;
        _age = new AgeClock(clock, AgeNow(file.Database, time) - clock.NowMs);
        _quarantined = file.Opening.Kind == StoreOpeningKind.Quarantined ? 1 : 0;
        _reader = new MessageReader(ConnectReader, NoteDamage, _age, time, logger);
        _thread = new Thread(Run) { IsBackground = true, Name = "journal" };
    }

    /// <summary>
    /// Called once, on the journal's thread, when the database is found damaged while it runs: nothing is acknowledged any more, and the next start sets it
    /// aside.
    /// </summary>
    public event Action<string>? Damaged;

    /// <summary>Called once, on the journal's thread, when it cannot go on for a reason that is not the disk's: nothing is acknowledged any more.</summary>
    public event Action? Broken;

    /// <inheritdoc/>
    public bool IsDurable => true;

    /// <inheritdoc/>
    public JournalCondition Condition => _isFailing || Volatile.Read(ref _pendingBytes) > MostPendingBytes ? JournalCondition.Failing
        : _isFull ? JournalCondition.Full
        : JournalCondition.Ready;

    /// <inheritdoc/>
    public long MaxBytes => _options.MaxBytes;

    /// <summary>Puts into a new broker what the store holds. Before <see cref="Start"/>.</summary>
    /// <param name="broker">The broker.</param>
    /// <param name="report">Told from time to time how far it is.</param>
    /// <exception cref="SqliteException">The store cannot be read.</exception>
    public RestoreProgress Restore(Broker broker, Action<RestoreProgress> report) => new StoreLoader(_file.Database, _state, _age, report).Load(broker);

    /// <summary>Starts the threads.</summary>
    /// <exception cref="SqliteException">The store cannot be written.</exception>
    public void Start()
    {
        _writer = new JournalWriter(_file.Database, ownsDatabase: false, _state, _age);
        _reader.Start();
        _thread.Start();
        _isStarted = true;
    }

    /// <inheritdoc/>
    public StoredSession Open(string clientId) => new SqliteSession(clientId);

    /// <inheritdoc/>
    public void Append(JournalFact fact)
    {
        if (fact is PublishRecord { Message: { } message }) Interlocked.Add(ref _pendingBytes, message.SizeBytes);
        _facts.Append(fact);
        if (Interlocked.Increment(ref _appended) >= Volatile.Read(ref _wakeAt)) Wake();
    }

    /// <inheritdoc/>
    public void Load(StoredSession session, IReadOnlyList<SpilledDelivery> deliveries) => _reader.Ask((SqliteSession)session, deliveries);

    /// <summary>Commits what was appended, notes the time, and ends the threads. Nothing is appended any more.</summary>
    /// <param name="patience">How long to try when the disk does not take it.</param>
    /// <returns>Whether everything is on disk.</returns>
    public bool Stop(TimeSpan patience)
    {
        _stopBy = _time.GetTimestamp() + (long)(patience.TotalSeconds * _time.TimestampFrequency);
        _isStopping = true;
        Wake();
        if (_isStarted) _stopped.Wait();
        _reader.Stop();
        return !_isFailing && _batch is null && _pending.Count == 0;
    }

    private void Wake()
    {
        Volatile.Write(ref _wakeAt, long.MaxValue);
        _wake.Set();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_isStarted && !_stopped.IsSet) Stop(TimeSpan.Zero);
        _reader.Dispose();
        _writer?.Dispose();
        if (_isDamaged != 0) _file.ReportDamage();
        _file.Close();
        _wake.Dispose();
        _stopped.Dispose();
    }

    private static long AgeNow(SqliteDatabase database, TimeProvider time)
    {
        using SqliteStatement row = database.Prepare("SELECT age_ms, wall_ms FROM clock WHERE id = 1");
        return row.Step() ? AgeClock.AgeAfterPause(row.Int64(0), row.Int64(1), time.GetUtcNow().ToUnixTimeMilliseconds()) : 0;
    }

    private SqliteDatabase ConnectReader()
    {
        SqliteDatabase database = SqliteDatabase.Open(_file.Path, SqliteOpenMode.ReadOnly, BusyTimeout);
        StorePragmas.ForReader(database);
        return database;
    }

    /// <summary>After an error of the disk the first connection is left alone, and another one made.</summary>
    private JournalWriter ConnectWriter()
    {
        SqliteDatabase database = SqliteDatabase.Open(_file.Path, SqliteOpenMode.ReadWrite, BusyTimeout);
        try
        {
            StorePragmas.ForWriter(database, _options);
            return new JournalWriter(database, ownsDatabase: true, _state, _age);
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }
}
