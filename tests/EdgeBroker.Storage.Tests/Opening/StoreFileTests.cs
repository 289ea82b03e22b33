using EdgeBroker.Storage.Opening;
using EdgeBroker.Storage.Schema;
using EdgeBroker.Storage.Sqlite;
using EdgeBroker.Testing.Published;

namespace EdgeBroker.Storage.Tests.Opening;

public sealed class StoreFileTests : IDisposable
{
    private readonly StoreFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_store_that_is_not_there_is_made_for_its_owner_only()
    {
        using StoreFile store = _folder.Open();
        Assert.Equal(StoreOpeningKind.Created, store.Opening.Kind);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(_folder.Path));
        store.Database.Execute("INSERT INTO clock VALUES(1, 0, 0, 0)");
        foreach (string file in new[] { _folder.Database, _folder.Wal, _folder.Lock })
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        }

        _folder.Log.AssertSaid(7002);
    }

    [Theory]
    [InlineData(StoreDurability.Strict, 2)]
    [InlineData(StoreDurability.Balanced, 2)]
    [InlineData(StoreDurability.FlashSaver, 2)]
    public void The_connection_is_set_as_flash_wants_it(StoreDurability durability, long synchronous)
    {
        _folder.Options = new StorageOptions { Durability = durability, MaxBytes = 1_000_000 };
        for (int i = 0; i < 2; i++)
        {
            using StoreFile store = _folder.Open();
            SqliteDatabase database = store.Database;
            Assert.Equal("wal", database.QueryText("PRAGMA journal_mode"));
            Assert.Equal(synchronous, database.QueryInt64("PRAGMA synchronous"));
            Assert.Equal(4096, database.QueryInt64("PRAGMA page_size"));
            Assert.Equal(2, database.QueryInt64("PRAGMA auto_vacuum"));
            Assert.Equal(0, database.QueryInt64("PRAGMA wal_autocheckpoint"));
            Assert.Equal(4 * 1024 * 1024, database.QueryInt64("PRAGMA journal_size_limit"));
            Assert.Equal(0, database.QueryInt64("PRAGMA mmap_size") ?? 0);
            Assert.Equal(2, database.QueryInt64("PRAGMA temp_store"));
            Assert.Equal(-2048, database.QueryInt64("PRAGMA cache_size"));
            Assert.Equal(0, database.QueryInt64("PRAGMA foreign_keys"));
            Assert.Equal(0, database.QueryInt64("PRAGMA secure_delete"));
            Assert.Equal(0, database.QueryInt64("PRAGMA trusted_schema"));
            // A last stop, behind the limit the journal keeps to.
            Assert.InRange(database.QueryInt64("PRAGMA max_page_count")!.Value, 245, 20_000);
        }
    }

    [Fact]
    public void A_store_in_memory_has_no_file()
    {
        _folder.Options = new StorageOptions { Durability = StoreDurability.Memory };
        Assert.Throws<ArgumentException>(() => _folder.Open());
        Assert.False(Directory.Exists(_folder.Path));
    }

    [Fact]
    public void What_was_committed_is_there_again()
    {
        _folder.Fill(messages: 100);
        Assert.False(File.Exists(_folder.Wal));
        using StoreFile store = _folder.Open();
        Assert.Equal(StoreOpeningKind.Opened, store.Opening.Kind);
        Assert.Equal(100, Count(store, "message"));
        _folder.Log.AssertSaid(7001);
        Assert.DoesNotContain(_folder.Log.Entries, e => e.Id == 7006);
    }

    [Fact]
    public void After_a_crash_the_file_is_checked_and_what_was_committed_is_there()
    {
        using StoreFile living = _folder.Open();
        StoreFolder.Add(living.Database, messages: 100, sessions: 5, payloadBytes: 200);
        living.Database.Begin();
        living.Database.Execute("DELETE FROM message");
        using StoreFolder crashed = _folder.CopyAsCrashed();
        using StoreFile store = crashed.Open();
        Assert.Equal(StoreOpeningKind.Opened, store.Opening.Kind);
        Assert.Equal(100, Count(store, "message"));
        crashed.Log.AssertSaid(7006);
    }

    [Fact]
    public void A_second_broker_is_refused_and_told_the_cure()
    {
        using StoreFile first = _folder.Open();
        StoreException refused = Assert.Throws<StoreException>(() => _folder.Open());
        Assert.Equal(StoreProblem.InUse, refused.Problem);
        Assert.Contains($"(process {Environment.ProcessId})", refused.Message, StringComparison.Ordinal);
        Assert.Contains("data_dir", refused.Message, StringComparison.Ordinal);
        first.Close();
        using StoreFile second = _folder.Open();
    }

    [Fact]
    public async Task A_directory_that_another_process_locked_is_refused()
    {
        _folder.Fill(messages: 1);
        using (var holder = new ChildProcess(new("flock", [_folder.Lock, "sh", "-c", "echo locked; read line"]), keepsInput: true))
        {
            await holder.LineAsync(line => line == "locked");
            Assert.Equal(StoreProblem.InUse, Assert.Throws<StoreException>(() => _folder.Open()).Problem);
            holder.EndInput();
            await holder.ExitAsync();
        }

        using StoreFile store = _folder.Open();
        Assert.Equal(1, Count(store, "message"));
    }

    [Fact]
    public void Closing_twice_is_closing_once()
    {
        StoreFile store = _folder.Open();
        store.Close();
        using StoreFile next = _folder.Open();
        store.Dispose();
        Assert.Throws<StoreException>(() => _folder.Open());
    }

    [Fact]
    public void A_reader_does_not_keep_the_broker_from_ending()
    {
        StoreFile store = _folder.Open();
        StoreFolder.Add(store.Database, messages: 50, sessions: 1, payloadBytes: 100);
        using (SqliteDatabase reader = SqliteDatabase.Open(_folder.Database, DatabaseAccess.ReadOnly))
        using (SqliteStatement read = reader.Prepare("SELECT id FROM message"))
        {
            Assert.True(read.Step());
            // The broker's own wait for the reader: ten seconds would be too long for a test.
            store.Database.Execute("PRAGMA busy_timeout=1");
            store.Close();
            Assert.StartsWith("stopped", File.ReadAllText(_folder.Lock), StringComparison.Ordinal);
        }

        using StoreFile next = _folder.Open();
        Assert.Equal(50, Count(next, "message"));
    }

    [Fact]
    public void Damage_that_was_reported_leaves_the_files_alone_and_has_them_checked_next_time()
    {
        StoreFile store = _folder.Open();
        StoreFolder.Add(store.Database, messages: 50, sessions: 1, payloadBytes: 100);
        long walBytes = new FileInfo(_folder.Wal).Length;
        store.ReportDamage();
        store.Close();
        Assert.Equal(walBytes, new FileInfo(_folder.Wal).Length);
        using StoreFile next = _folder.Open();
        _folder.Log.AssertSaid(7006);
        Assert.Equal(50, Count(next, "message"));
    }

    [Theory]
    [InlineData(false, 7007)]
    [InlineData(true, 7006)]
    public void A_large_store_is_checked_only_if_damage_was_seen(bool damageWasSeen, int logged)
    {
        _folder.Fill(messages: 1_000);
        if (damageWasSeen) File.WriteAllText(_folder.Lock, "damaged\n1\n");
        else _folder.ForgetOrderlyEnd();
        var settings = new StoreSettings(_folder.Options, StoreSchema.Current, RowChecks.None, _folder.Log, _folder.Time) { LargestCheckedBytes = 100_000 };
        using StoreFile store = StoreFile.Open(_folder.Path, settings);
        Assert.Equal([logged], _folder.Log.Entries.Select(e => e.Id).Where(id => id is 7006 or 7007));
    }

    [Fact]
    public void A_full_store_refuses_and_says_so()
    {
        _folder.Options = new StorageOptions { MaxBytes = 200 * StorePragmas.PageSizeBytes };
        using StoreFile store = _folder.Open();
        // The last stop is 64 MB behind the limit; it is brought nearer here.
        store.Database.Execute("PRAGMA max_page_count=300");
        SqliteException full = Assert.Throws<SqliteException>(() => StoreFolder.Add(store.Database, messages: 10_000, sessions: 1, payloadBytes: 200));
        Assert.True(full.IsFull);
        store.Database.Rollback();
        Assert.Equal(0, Count(store, "message"));
        Assert.Contains("max_bytes", StoreException.From(full, store.Path).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Random_bytes_for_a_lock_file_do_no_harm()
    {
        _folder.Fill(messages: 10);
        foreach (string text in new[] { "", "\0\0\0\0", "setting-aside ../../etc/passwd\n1\n", "setting-aside "
            + "edgebroker.db.corrupt-/../x", "running", new string('x', 100_000) })
        {
            File.WriteAllText(_folder.Lock, text);
            using StoreFile store = _folder.Open();
            Assert.Equal(StoreOpeningKind.Opened, store.Opening.Kind);
            Assert.Equal(10, Count(store, "message"));
        }
    }

    private static long? Count(StoreFile store, string table) => store.Database.QueryInt64($"SELECT count(*) FROM {table}");
}
