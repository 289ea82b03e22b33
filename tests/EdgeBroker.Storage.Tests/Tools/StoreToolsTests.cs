using EdgeBroker.Storage.Opening;
using EdgeBroker.Storage.Schema;
using EdgeBroker.Storage.Sqlite;
using EdgeBroker.Storage.Tests.Opening;
using EdgeBroker.Storage.Tools;

namespace EdgeBroker.Storage.Tests.Tools;

public sealed class StoreToolsTests : IDisposable
{
    private readonly StoreFolder _folder = new();
    private readonly TemporaryDirectory _target = new();

    private string Copy => _target.File("copy.db");

    public void Dispose()
    {
        _target.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_copy_is_one_file_a_broker_can_start_from(bool running)
    {
        _folder.Fill(messages: 500);
        using (StoreFile? store = running ? _folder.Open() : null)
        {
            if (store is not null) StoreFolder.Add(store.Database, messages: 300, sessions: 0, payloadBytes: 100);
            long size = StoreBackup.Run(_folder.Database, Copy, replace: false, CancellationToken.None);
            Assert.Equal(new FileInfo(Copy).Length, size);
        }

        Assert.Equal([Copy], Directory.GetFiles(_target.Path));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Copy));
        using var restored = new StoreFolder();
        Directory.CreateDirectory(restored.Path);
        File.Move(Copy, restored.Database);
        using StoreFile opened = restored.Open();
        Assert.Equal(StoreOpeningKind.Opened, opened.Opening.Kind);
        Assert.Equal(running ? 800 : 500, opened.Database.QueryInt64("SELECT count(*) FROM message"));
    }

    [Fact]
    public async Task Copies_are_whole_while_a_broker_writes()
    {
        using StoreFile store = _folder.Open();
        StoreFolder.Add(store.Database, messages: 2_000, sessions: 1, payloadBytes: 200);
        using var stop = new CancellationTokenSource();
        long commits = 0;
        Task writer = Task.Run(() =>
        {
            // Two facts in a transaction, so that half of one would show.
            store.Database.Execute("INSERT INTO clock VALUES(1, 0, 0, 0)");
            while (!stop.IsCancellationRequested)
            {
                store.Database.Begin();
                store.Database.Execute("INSERT INTO message(flags, topic, properties, payload, checksum) VALUES(0, x'', x'', zeroblob(5000), 7)");
                store.Database.Execute("UPDATE clock SET age_ms=age_ms+1");
                store.Database.Commit();
                Interlocked.Increment(ref commits);
            }
        });
        try
        {
            for (int i = 0; i < 5; i++)
            {
                long before = Interlocked.Read(ref commits);
                StoreBackup.Run(_folder.Database, Copy, replace: i > 0, CancellationToken.None);
                long after = Interlocked.Read(ref commits);
                using SqliteDatabase copy = SqliteDatabase.Open(Copy, DatabaseAccess.ReadOnly);
                long counted = copy.QueryInt64("SELECT age_ms FROM clock") ?? 0;
                Assert.Equal(2_000 + counted, copy.QueryInt64("SELECT count(*) FROM message"));
                // The commit under way at either end may be counted or not.
                Assert.InRange(counted, before, after + 1);
                while (Interlocked.Read(ref commits) == after && !writer.IsCompleted) await Task.Yield();
            }
        }
        finally
        {
            await stop.CancelAsync();
        }

        await writer;
        Assert.True(commits > 5, $"{commits} commits");
    }

    [Fact]
    public void A_file_that_is_there_is_replaced_only_when_asked()
    {
        _folder.Fill(messages: 10);
        File.WriteAllText(Copy, "something dear");
        Assert.Equal(StoreProblem.Exists, Backup().Problem);
        Assert.Equal("something dear", File.ReadAllText(Copy));
        StoreBackup.Run(_folder.Database, Copy, replace: true, CancellationToken.None);
        using SqliteDatabase copy = SqliteDatabase.Open(Copy, DatabaseAccess.ReadOnly);
        Assert.Equal(10, copy.QueryInt64("SELECT count(*) FROM message"));
    }

    [Fact]
    public void A_store_is_not_copied_onto_itself()
    {
        _folder.Fill(messages: 10);
        string roundabout = Path.Combine(_folder.Path, ".", "edgebroker.db");
        StoreException failure = Assert.Throws<StoreException>(() => StoreBackup.Run(_folder.Database, roundabout, replace: true, CancellationToken.None));
        Assert.Equal(StoreProblem.Exists, failure.Problem);
    }

    [Fact]
    public void Where_there_is_no_store_nothing_is_made()
    {
        StoreException failure = Assert.Throws<StoreException>(() => StoreBackup.Run(_folder.Database, Copy, replace: false, CancellationToken.None));
        Assert.Equal(StoreProblem.Missing, failure.Problem);
        Assert.Empty(Directory.GetFiles(_target.Path));
        Assert.False(Directory.Exists(_folder.Path));
    }

    [Fact]
    public void Without_its_folder_a_copy_is_refused()
    {
        _folder.Fill(messages: 10);
        StoreException failure =
            Assert.Throws<StoreException>(() => StoreBackup.Run(_folder.Database, _target.File("no/copy.db"), replace: false, CancellationToken.None));
        Assert.Equal(StoreProblem.Missing, failure.Problem);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(20)]
    public void A_damaged_store_yields_no_copy(long page)
    {
        _folder.Fill(messages: 1_000);
        _folder.OverwritePages(page, 1, value: 0x55);
        StoreException failure = Backup();
        Assert.Equal(StoreProblem.Damaged, failure.Problem);
        Assert.Contains(_folder.Database, failure.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_target.Path));
    }

    [Fact]
    public void A_copy_that_is_stopped_leaves_nothing()
    {
        _folder.Fill(messages: 10);
        Assert.Throws<OperationCanceledException>(() => StoreBackup.Run(_folder.Database, Copy, replace: false, new CancellationToken(true)));
        Assert.Empty(Directory.GetFiles(_target.Path));
    }

    [Fact]
    public void A_sound_store_is_found_sound_while_the_broker_runs_and_after()
    {
        using (StoreFile store = _folder.Open())
        {
            StoreFolder.Add(store.Database, messages: 100, sessions: 3, payloadBytes: 10);
            StoreVerification running = StoreVerify.Run(_folder.Database, RowChecks.None);
            Assert.Empty(running.Problems);
            Assert.Equal(107, running.Rows);
        }

        Assert.True(StoreVerify.Run(_folder.Database, RowChecks.None).IsSound);
    }

    [Theory]
    [InlineData("UPDATE message SET checksum=8 WHERE id=3", "message: 1 row(s) are not what was once written, the first with id 3")]
    [InlineData("UPDATE message SET payload='text' WHERE id IN (4, 5)", "message: 2 row(s) are not what was once written, the first with id 4")]
    [InlineData("UPDATE session SET client_id='' WHERE id=1", "session: 1 row(s) are not what was once written, the first with id 1")]
    [InlineData("DELETE FROM session WHERE id=2", "subscription: 1 row(s) belong to no session")]
    [InlineData("INSERT INTO received VALUES(1, 0)", "received: 1 row(s) are not what was once written, the first with session 1")]
    [InlineData("CREATE INDEX surprise ON message(topic)", "it holds an unknown index \"surprise\"")]
    [InlineData("PRAGMA user_version=5", "it is of version 5, and this broker knows versions up to 1")]
    public void Each_thing_that_is_wrong_is_named(string tampering, string problem)
    {
        _folder.Fill(messages: 10);
        using (SqliteDatabase database = SqliteDatabase.Open(_folder.Database, DatabaseAccess.ReadWrite)) database.Execute(tampering);
        var checks = new RowChecks([new(StoreTables.Message, row => row.Int64(7) == 7)]);
        Assert.Equal([problem], StoreVerify.Run(_folder.Database, checks).Problems);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(20)]
    public void Damaged_pages_are_problems_and_no_failure(long page)
    {
        _folder.Fill(messages: 1_000);
        _folder.OverwritePages(page, 1, value: 0x55);
        Assert.NotEmpty(StoreVerify.Run(_folder.Database, RowChecks.None).Problems);
    }

    [Fact]
    public void What_is_in_a_store_is_counted()
    {
        _folder.Fill(messages: 10, sessions: 3, payloadBytes: 100);
        using StoreFile store = _folder.Open();
        store.Database.Execute("DELETE FROM message WHERE id > 4");
        StoreStatistics statistics = StoreStats.Run(_folder.Database);
        Assert.Equal(1, statistics.Version);
        Assert.Equal(new TableStatistics("message", 4, 4 * (100 + "plant/press7/temperature".Length)), statistics.Tables.Single(t => t.Name == "message"));
        Assert.Equal(new TableStatistics("session", 3, 3 * "client-0".Length), statistics.Tables.Single(t => t.Name == "session"));
        Assert.Equal(new TableStatistics("received", 0, 0), statistics.Tables.Single(t => t.Name == "received"));
        Assert.Equal(4096, statistics.PageSizeBytes);
        Assert.Equal(statistics.FileBytes, statistics.Pages * statistics.PageSizeBytes);
        Assert.Equal(new FileInfo(_folder.Wal).Length, statistics.WalBytes);
        Assert.True(statistics.WalBytes > 0);
        Assert.Equal((0, 0L), (statistics.SetAsideCount, statistics.SetAsideBytes));
    }

    [Fact]
    public void What_was_set_aside_is_counted_too()
    {
        _folder.Fill(messages: 10);
        _folder.OverwritePages(1, 1, value: 0x55);
        _folder.Open().Close();
        StoreStatistics statistics = StoreStats.Run(_folder.Database);
        Assert.Equal((1, new FileInfo(_folder.SetAside.Single()).Length), (statistics.SetAsideCount, statistics.SetAsideBytes));
    }

    private StoreException Backup() => Assert.Throws<StoreException>(() => StoreBackup.Run(_folder.Database, Copy, replace: false, CancellationToken.None));
}
