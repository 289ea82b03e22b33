using EdgeBroker.Core;
using EdgeBroker.Core.Management;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Security;
using EdgeBroker.Storage.Journal;
using EdgeBroker.Storage.Opening;
using EdgeBroker.Storage.Restoring;
using EdgeBroker.Storage.Rows;
using EdgeBroker.Storage.Sqlite;
using EdgeBroker.Testing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Storage.Tests.Journal;

/// <summary>A broker spoken to through the protocol, on a real store in a directory of its own; ended in order or as by kill -9, and started again.</summary>
internal sealed class StoredBroker : IAsyncDisposable
{
    private readonly string _directory;
    private readonly StorageOptions _options;
    private readonly MqttOptions _limits;
    private readonly IAuthenticator? _authenticator;
    private readonly ILogger _log;
    private bool _isStopped;

    private StoredBroker(
        string directory, StorageOptions options, MqttOptions limits, WallTime wall, IAuthenticator? authenticator, ILogger? logger = null,
        Func<IJournal, IJournal>? journal = null)
    {
        _directory = directory;
        _options = options;
        _limits = limits;
        _authenticator = authenticator;
        _log = logger ?? new RecordedLog();
        Wall = wall;
        var time = new FakeTimeProvider();
        var clock = new BrokerClock(time);
        StoreFile file = StoreFile.Open(directory, options, StoreRows.Checks, NullLogger.Instance, wall);
        Opening = file.Opening;
        StoreId = file.Id;
        Journal = new SqliteJournal(file, options, clock, wall, _log);
        Broker = new TestBroker(
            new TestBrokerOptions
            {
                Mqtt = limits,
                Time = time,
                Clock = clock,
                Journal = journal is null ? Journal : journal(Journal),
                Authenticator = authenticator ?? new AnonymousAuthenticator(),
            });
        Restored = Journal.Restore(Broker.Broker, _ => { });
        Journal.Start();
    }

    public TestBroker Broker { get; }

    public SqliteJournal Journal { get; }

    public StoreOpening Opening { get; }

    public Guid StoreId { get; }

    public RestoreProgress Restored { get; }

    public WallTime Wall { get; }

    public static StoredBroker Start(TemporaryDirectory directory, StoreDurability durability = StoreDurability.Strict, MqttOptions? limits = null) =>
        new(directory.File("data"), new StorageOptions { Durability = durability }, limits ?? TestBrokerOptions.Quiet, new WallTime(), null);

    public static StoredBroker Start(TemporaryDirectory directory, StorageOptions options, MqttOptions limits, ILogger? logger = null) =>
        new(directory.File("data"), options, limits, new WallTime(), null, logger);

    /// <summary>Starts one that hands its facts to a journal before the store's.</summary>
    public static StoredBroker Start(TemporaryDirectory directory, Func<IJournal, IJournal> journal) =>
        new(directory.File("data"), new StorageOptions { Durability = StoreDurability.Strict }, TestBrokerOptions.Quiet, new WallTime(), null, null, journal);

    /// <summary>Starts one whose clients are who <paramref name="authenticator"/> says.</summary>
    public static StoredBroker Start(TemporaryDirectory directory, IAuthenticator authenticator) =>
        new(directory.File("data"), new StorageOptions(), TestBrokerOptions.Quiet, new WallTime(), authenticator);

    /// <summary>Ends in order and starts again on the same store.</summary>
    /// <param name="downFor">How long the wall clock says it was down.</param>
    public async Task<StoredBroker> RestartAsync(TimeSpan downFor = default)
    {
        await StopAsync();
        Wall.Advance(downFor);
        return new StoredBroker(_directory, _options, _limits, Wall, _authenticator);
    }

    /// <summary>What a start would find if the process ended this moment: a copy of the files, on which another broker starts.</summary>
    public StoredBroker Crash(TemporaryDirectory elsewhere, TimeSpan downFor = default)
    {
        // While somebody reads, SQLite only appends to its WAL: what is copied first goes with what is copied last, as it does when a process ends.
        using SqliteDatabase database = SqliteDatabase.Open(StoreFile.PathIn(_directory), DatabaseAccess.ReadOnly);
        using SqliteStatement reading = database.Prepare("SELECT name FROM sqlite_schema");
        Assert.True(reading.Step());
        string copy = elsewhere.File("data");
        Directory.CreateDirectory(copy);
        foreach (string file in Directory.GetFiles(_directory))
        {
            // The index of the WAL is made anew, the lock is the process's.
            if (!file.EndsWith("-shm", StringComparison.Ordinal) && !file.EndsWith(".lock", StringComparison.Ordinal))
            {
                File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
            }
        }

        Wall.Advance(downFor);
        return new StoredBroker(copy, _options, _limits, Wall, _authenticator);
    }

    /// <summary>Waits until all that was done so far is on disk: facts are committed in their order, and a SUBACK waits for its own.</summary>
    public async Task CommittedAsync()
    {
        TestClient fence = await Broker.ConnectAsync("fence", properties: Prop.SessionExpiry(1000));
        await fence.SubscribeAsync("fence");
        await fence.DisconnectAsync(properties: Prop.SessionExpiry(0));
    }

    /// <summary>A session's queue policy as it is shown.</summary>
    public QueueView PolicyOf(string clientId) =>
        new BrokerView(Broker.Broker, new RecentRefusals(Broker.Time)).Session(clientId)!.Queue;

    public async Task StopAsync()
    {
        if (_isStopped) return;
        _isStopped = true;
        await Broker.DisposeAsync();
        Assert.True(Journal.Stop(Deadline.Timeout), _log.ToString());
        Journal.Dispose();
    }

    public async ValueTask DisposeAsync() => await StopAsync();
}
