using EdgeBroker.Storage.Sqlite;

namespace EdgeBroker.Storage.Tests.Sqlite;

public sealed class SqliteDatabaseTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private string File => _directory.File("test.db");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void The_library_is_one_that_does_not_corrupt() =>
        Assert.True(Version.Parse(SqliteLibrary.Version) >= new Version(3, 51, 3), SqliteLibrary.Version);

    [Theory]
    [InlineData(DatabaseAccess.ReadWrite)]
    [InlineData(DatabaseAccess.ReadOnly)]
    [InlineData(DatabaseAccess.Immutable)]
    public void A_missing_file_is_an_error_unless_it_is_to_be_made(DatabaseAccess mode)
    {
        SqliteException failure = Assert.Throws<SqliteException>(() => SqliteDatabase.Open(File, mode));
        Assert.True(failure.IsCannotOpen);
        Assert.Contains(File, failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a b?c#d%20e.db")]
    [InlineData(":memory:")]
    [InlineData("file:x?mode=memory")]
    public void Any_name_is_a_file_name(string name)
    {
        string path = _directory.File(name);
        using (SqliteDatabase made = SqliteDatabase.Open(path, DatabaseAccess.ReadWriteCreate)) made.Execute("CREATE TABLE t(v); INSERT INTO t VALUES(42)");
        Assert.True(System.IO.File.Exists(path));
        foreach (DatabaseAccess mode in Enum.GetValues<DatabaseAccess>())
        {
            using SqliteDatabase opened = SqliteDatabase.Open(path, mode);
            Assert.Equal(42, opened.QueryInt64("SELECT v FROM t"));
        }
    }

    [Theory]
    [InlineData(DatabaseAccess.ReadOnly)]
    [InlineData(DatabaseAccess.Immutable)]
    public void A_reader_does_not_write(DatabaseAccess mode)
    {
        Make().Dispose();
        using SqliteDatabase reader = SqliteDatabase.Open(File, mode);
        SqliteException failure = Assert.Throws<SqliteException>(() => reader.Execute("INSERT INTO t VALUES(1)"));
        Assert.True(failure.IsReadOnly);
    }

    [Fact]
    public void What_is_no_database_is_corrupt()
    {
        System.IO.File.WriteAllText(File, new string('x', 5000));
        using SqliteDatabase database = SqliteDatabase.Open(File, DatabaseAccess.ReadWrite);
        SqliteException failure = Assert.Throws<SqliteException>(() => database.QueryInt64("SELECT count(*) FROM sqlite_master"));
        Assert.True(failure.IsCorrupt);
    }

    [Fact]
    public void A_transaction_is_whole_or_not_at_all()
    {
        using SqliteDatabase database = Make();
        database.Begin();
        Assert.True(database.InTransaction);
        database.Execute("INSERT INTO t VALUES(1)");
        database.Rollback();
        Assert.False(database.InTransaction);
        database.Rollback();
        database.Begin();
        database.Execute("INSERT INTO t VALUES(2)");
        database.Commit();
        Assert.Equal(2, database.QueryInt64("SELECT sum(v) FROM t"));
    }

    [Fact]
    public void A_second_writer_is_told_that_it_is_busy()
    {
        using SqliteDatabase first = Make();
        using SqliteDatabase second = SqliteDatabase.Open(File, DatabaseAccess.ReadWrite);
        first.Begin();
        SqliteException failure = Assert.Throws<SqliteException>(second.Begin);
        Assert.True(failure.IsBusy);
        first.Commit();
        second.Begin();
        second.Rollback();
    }

    [Fact]
    public void A_database_at_its_limit_is_full()
    {
        using SqliteDatabase database = Make();
        database.Execute("PRAGMA max_page_count=10");
        SqliteException failure = Assert.Throws<SqliteException>(() => database.Execute("INSERT INTO t VALUES(zeroblob(1000000))"));
        Assert.True(failure.IsFull);
    }

    [Fact]
    public void A_checkpoint_says_what_it_moved_and_what_a_reader_keeps_it_from()
    {
        using SqliteDatabase database = Make();
        database.Checkpoint(CheckpointMode.Truncate);
        using SqliteDatabase reader = SqliteDatabase.Open(File, DatabaseAccess.ReadOnly);
        using SqliteStatement read = reader.Prepare("SELECT count(*) FROM t");
        Assert.True(read.Step());
        database.Execute("INSERT INTO t VALUES(1)");
        CheckpointResult held = database.Checkpoint(CheckpointMode.Passive);
        Assert.False(held.IsComplete);
        Assert.InRange(held.CheckpointedFrames, 0, held.WalFrames - 1);
        Assert.False(database.Checkpoint(CheckpointMode.Truncate).IsComplete);
        read.Reset();
        Assert.Equal(new CheckpointResult(true, 0, 0), database.Checkpoint(CheckpointMode.Truncate));
        Assert.Equal(0, new FileInfo(File + "-wal").Length);
    }

    [Fact]
    public void Without_a_WAL_a_checkpoint_has_nothing_to_do()
    {
        using SqliteDatabase database = SqliteDatabase.Open(File, DatabaseAccess.ReadWriteCreate);
        Assert.Equal(new CheckpointResult(true, -1, -1), database.Checkpoint(CheckpointMode.Truncate));
    }

    [Fact]
    public void A_backup_holds_what_was_there_and_not_what_comes_meanwhile()
    {
        using SqliteDatabase database = Make();
        database.Execute("INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 5000) SELECT i FROM n");
        using SqliteDatabase reader = SqliteDatabase.Open(File, DatabaseAccess.ReadOnly);
        string copy = _directory.File("copy.db");
        reader.BackupTo(copy, 1, CancellationToken.None);
        using SqliteDatabase copied = SqliteDatabase.Open(copy, DatabaseAccess.ReadOnly);
        Assert.Equal(5000, copied.QueryInt64("SELECT count(*) FROM t"));
        Assert.Equal("ok", copied.QueryText("PRAGMA integrity_check"));
    }

    [Fact]
    public void A_backup_can_be_stopped()
    {
        using SqliteDatabase database = Make();
        Assert.Throws<OperationCanceledException>(() => database.BackupTo(_directory.File("copy.db"), 1, new CancellationToken(true)));
        Assert.False(database.InTransaction);
    }

    private SqliteDatabase Make()
    {
        SqliteDatabase database = SqliteDatabase.Open(File, DatabaseAccess.ReadWriteCreate);
        database.Execute("PRAGMA journal_mode=WAL; CREATE TABLE t(v)");
        return database;
    }
}
