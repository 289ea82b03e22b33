using EdgeBroker.Storage.Sqlite;

namespace EdgeBroker.Storage.Tests.Sqlite;

public sealed class SqliteStatementTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly SqliteDatabase _database;

    public SqliteStatementTests()
    {
        _database = SqliteDatabase.Open(_directory.File("test.db"), DatabaseAccess.ReadWriteCreate);
        _database.Execute("CREATE TABLE t(id INTEGER PRIMARY KEY, v ANY)");
    }

    public void Dispose()
    {
        _database.Dispose();
        _directory.Dispose();
    }

    [Theory]
    [InlineData(long.MinValue)]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(long.MaxValue)]
    public void Integers_come_back(long value)
    {
        Insert(s => s.Bind(1, value));
        using SqliteStatement read = Read();
        Assert.Equal(value, read.Int64(0));
        Assert.Equal(SqliteColumnType.Integer, read.ColumnType(0));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(100_000)]
    public void Blobs_come_back_the_empty_one_too(int length)
    {
        byte[] value = new byte[length];
        new Random(length).NextBytes(value);
        Insert(s => s.Bind(1, value));
        using SqliteStatement read = Read();
        Assert.Equal(SqliteColumnType.Blob, read.ColumnType(0));
        Assert.False(read.IsNull(0));
        Assert.Equal(value, read.Blob(0).ToArray());
    }

    [Theory]
    [InlineData("")]
    [InlineData("press-7")]
    [InlineData("Überdruck \U0001F525")]
    public void Texts_come_back_as_string_and_as_bytes(string value)
    {
        byte[] utf8 = System.Text.Encoding.UTF8.GetBytes(value);
        foreach (Action<SqliteStatement> bind in new Action<SqliteStatement>[] { s => s.BindText(1, value), s => s.BindText(1, utf8) })
        {
            Insert(bind);
            using SqliteStatement read = Read();
            Assert.Equal(SqliteColumnType.Text, read.ColumnType(0));
            Assert.Equal(value, read.Text(0));
            Assert.Equal(utf8, read.Blob(0).ToArray());
        }
    }

    [Fact]
    public void Null_is_null_and_reads_as_nothing()
    {
        Insert(s => s.BindNull(1));
        using SqliteStatement read = Read();
        Assert.True(read.IsNull(0));
        Assert.Equal(0, read.Int64(0));
        Assert.True(read.Blob(0).IsEmpty);
        Assert.Equal("", read.Text(0));
    }

    [Fact]
    public void A_statement_runs_again_after_its_end_and_after_a_reset()
    {
        using SqliteStatement insert = _database.Prepare("INSERT INTO t(v) VALUES(?1)");
        for (int i = 1; i <= 3; i++)
        {
            insert.Bind(1, i);
            Assert.False(insert.Step());
            Assert.Equal(1, _database.Changes);
        }

        using SqliteStatement read = _database.Prepare("SELECT v FROM t ORDER BY id");
        Assert.True(read.Step());
        Assert.Equal(1, read.Int64(0));
        read.Reset();
        for (int i = 1; i <= 3; i++)
        {
            Assert.True(read.Step());
            Assert.Equal(i, read.Int64(0));
        }

        Assert.False(read.Step());
    }

    [Fact]
    public void A_step_that_failed_says_why_and_leaves_the_statement_usable()
    {
        using SqliteStatement insert = _database.Prepare("INSERT INTO t(id, v) VALUES(?1, 0)");
        insert.Bind(1, 7);
        insert.Run();
        SqliteException failure = Assert.Throws<SqliteException>(insert.Run);
        Assert.Equal(1555, failure.SqliteExtendedErrorCode);
        Assert.Contains("UNIQUE constraint failed: t.id", failure.Message, StringComparison.Ordinal);
        insert.Bind(1, 8);
        insert.Run();
        Assert.Equal(2, _database.QueryInt64("SELECT count(*) FROM t"));
    }

    [Fact]
    public void A_parameter_that_does_not_exist_is_refused()
    {
        using SqliteStatement insert = _database.Prepare("INSERT INTO t(v) VALUES(?1)");
        Assert.Throws<SqliteException>(() => insert.Bind(2, 1));
    }

    [Theory]
    [InlineData("SELECT 1; SELECT 2")]
    [InlineData("")]
    [InlineData("-- nothing")]
    public void What_is_not_one_statement_is_not_prepared(string sql) => Assert.Throws<ArgumentException>(() => _database.Prepare(sql));

    [Fact]
    public void A_forgotten_statement_is_freed_while_the_connection_works()
    {
        for (int i = 0; i < 200; i++) Forget();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Insert(s => s.Bind(1, 1));
        Assert.Equal(1, _database.QueryInt64("SELECT count(*) FROM t"));

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        void Forget() => _database.Prepare("SELECT v FROM t").Step();
    }

    private void Insert(Action<SqliteStatement> bind)
    {
        using SqliteStatement insert = _database.Prepare("INSERT INTO t(v) VALUES(?1)");
        bind(insert);
        insert.Run();
    }

    private SqliteStatement Read()
    {
        SqliteStatement read = _database.Prepare("SELECT v FROM t ORDER BY id DESC LIMIT 1");
        Assert.True(read.Step());
        return read;
    }
}
