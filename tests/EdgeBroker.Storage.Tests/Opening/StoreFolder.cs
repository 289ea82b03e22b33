using System.Globalization;
using EdgeBroker.Storage.Opening;
using EdgeBroker.Storage.Schema;
using EdgeBroker.Storage.Sqlite;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Storage.Tests.Opening;

/// <summary>A data directory to be filled, damaged and opened.</summary>
public sealed class StoreFolder : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public StoreFolder() => Path = _directory.File("data");

    public string Path { get; init; }

    public string Database => StoreFile.PathIn(Path);

    public string Wal => Database + "-wal";

    public string Lock => System.IO.Path.Combine(Path, "edgebroker.lock");

    public RecordedLog Log { get; } = new();

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 3, 4, 5, 6, 7, TimeSpan.Zero));

    public StorageOptions Options { get; set; } = new();

    public RowChecks Checks { get; set; } = RowChecks.None;

    /// <summary>The databases that were set aside, without what lies beside them.</summary>
    public string[] SetAside =>
        [.. Directory.GetFiles(Path, "edgebroker.db.corrupt-*").Where(f => !f.EndsWith("-wal", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    /// <summary>The names of all files, in order.</summary>
    public string[] FileNames => [.. Directory.GetFiles(Path).Select(f => System.IO.Path.GetFileName(f)).Order(StringComparer.Ordinal)];

    public StoreFile Open() => StoreFile.Open(Path, Options, Checks, Log, Time);

    /// <summary>Makes a store of sessions and messages, closed in an orderly way.</summary>
    public void Fill(int messages, int sessions = 10, int payloadBytes = 200)
    {
        using StoreFile store = Open();
        Add(store.Database, messages, sessions, payloadBytes);
    }

    /// <summary>Adds sessions with a subscription each, and messages that all have checksum 7.</summary>
    public static void Add(SqliteDatabase database, int messages, int sessions, int payloadBytes)
    {
        database.Begin();
        using (SqliteStatement session =
            database.Prepare("INSERT INTO session(id, client_id, expiry_seconds, state, ends_at_ms, sent_position) VALUES(?2, ?1, 60, 0, 0, 0)"))
        using (SqliteStatement subscription = database.Prepare("INSERT INTO subscription VALUES(?1, ?2, 1, 0)"))
        {
            long last = database.QueryInt64("SELECT ifnull(max(seq), 0) FROM sqlite_sequence WHERE name = 'session'")!.Value;
            for (int i = 0; i < sessions; i++)
            {
                session.BindText(1, string.Create(CultureInfo.InvariantCulture, $"client-{i}"));
                session.Bind(2, ++last);
                session.Run();
                subscription.Bind(1, last);
                subscription.Bind(2, "plant/#"u8);
                subscription.Run();
            }
        }

        using (SqliteStatement message = database.Prepare("INSERT INTO message(flags, topic, properties, payload, checksum) VALUES(0, ?1, x'', ?2, 7)"))
        {
            byte[] payload = new byte[payloadBytes];
            for (int i = 0; i < messages; i++)
            {
                message.Bind(1, "plant/press7/temperature"u8);
                payload.AsSpan().Fill((byte)(i % 251 + 1));
                message.Bind(2, payload);
                message.Run();
            }
        }

        database.Commit();
    }

    /// <summary>As after kill -9 or a power cut: files as they are at this moment, but for the lock file, which a living broker keeps locked.</summary>
    public StoreFolder CopyAsCrashed()
    {
        var crashed = new StoreFolder();
        Directory.CreateDirectory(crashed.Path);
        foreach (string file in Directory.GetFiles(Path).Where(f => f != Lock && !f.EndsWith("-shm", StringComparison.Ordinal)))
        {
            File.Copy(file, System.IO.Path.Combine(crashed.Path, System.IO.Path.GetFileName(file)));
        }

        return crashed;
    }

    /// <summary>The last end was not orderly.</summary>
    public void ForgetOrderlyEnd() => File.Delete(Lock);

    /// <summary>Overwrites pages, counted from 1 as SQLite does.</summary>
    public void OverwritePages(long first, long count, byte value = 0)
    {
        using FileStream file = File.OpenWrite(Database);
        file.Position = (first - 1) * StorePragmas.PageSizeBytes;
        byte[] page = new byte[count * StorePragmas.PageSizeBytes];
        page.AsSpan().Fill(value);
        file.Write(page);
    }

    /// <summary>The page that holds the message's topic and payload, from 1.</summary>
    public long PageOf(int messageNumber, int payloadBytes)
    {
        byte[] bytes = File.ReadAllBytes(Database);
        byte[] needle = [.. "plant/press7/temperature"u8, .. Enumerable.Repeat((byte)(messageNumber % 251 + 1), Math.Min(payloadBytes, 64))];
        int at = bytes.AsSpan().IndexOf(needle);
        Assert.True(at >= 0, $"message {messageNumber} is nowhere");
        return at / StorePragmas.PageSizeBytes + 1;
    }

    public void Dispose() => _directory.Dispose();
}
