using EdgeBroker.Core;
using EdgeBroker.Storage;
using EdgeBroker.Storage.Journal;
using EdgeBroker.Storage.Opening;
using EdgeBroker.Storage.Rows;
using EdgeBroker.Storage.Sqlite;
using EdgeBroker.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeBroker.Bridge.Tests;

/// <summary>A broker with bridges on a real store, which is ended in order, or as if by kill -9, and started again.</summary>
internal sealed class DurableBroker : IAsyncDisposable
{
    private readonly SqliteJournal _journal;

    private DurableBroker(string directory, BridgeOptions[] bridges)
    {
        var clock = new BrokerClock(TimeProvider.System);
        var options = new StorageOptions { Durability = StoreDurability.Strict };
        StoreFile file = StoreFile.Open(directory, options, StoreRows.Checks, NullLogger.Instance, TimeProvider.System);
        _journal = new SqliteJournal(file, options, clock, TimeProvider.System, NullLogger.Instance);
        var test = new TestBroker(new TestBrokerOptions { OverSockets = true, Clock = clock, Journal = _journal });
        _journal.Restore(test.Broker, _ => { });
        _journal.Start();
        Bridged = new BridgedBroker("durable", test, bridges);
    }

    public BridgedBroker Bridged { get; }

    /// <summary>Starts on a directory, which may hold a store already.</summary>
    public static async Task<DurableBroker> StartAsync(string directory, params BridgeOptions[] bridges)
    {
        Directory.CreateDirectory(directory);
        var broker = new DurableBroker(directory, bridges);
        await broker.Bridged.Part.StartAsync(CancellationToken.None);
        return broker;
    }

    /// <summary>Copies the files as they are at this moment: what a start finds after kill -9.</summary>
    public static void CopyAsKilled(string directory, string copy)
    {
        // While somebody reads, SQLite only appends to its WAL: what is copied first goes with what is copied last.
        using SqliteDatabase database = SqliteDatabase.Open(StoreFile.PathIn(directory), DatabaseAccess.ReadOnly);
        using SqliteStatement reading = database.Prepare("SELECT name FROM sqlite_schema");
        Assert.True(reading.Step());
        Directory.CreateDirectory(copy);
        foreach (string file in Directory.GetFiles(directory, "*.db*")) File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
    }

    public async ValueTask DisposeAsync()
    {
        await Bridged.DisposeAsync();
        _journal.Stop(TimeSpan.FromSeconds(10));
        _journal.Dispose();
    }
}
