using EdgeBroker.Storage.Opening;
using EdgeBroker.Storage.Schema;
using EdgeBroker.Storage.Sqlite;
using EdgeBroker.Storage.Tests.Opening;

namespace EdgeBroker.Storage.Tests.Schema;

public sealed class SchemaMigrationsTests : IDisposable
{
    private static readonly StoreTable Extra = new("extra", "CREATE TABLE extra(id INTEGER PRIMARY KEY)", [new("id", SqliteColumnType.Integer)]);

    private static readonly SchemaMigration To2 = new(1, database => database.Execute(Extra.Sql));
    private static readonly SchemaMigration To3 = new(2, database => database.Execute("INSERT INTO extra SELECT id FROM message"));

    private readonly StoreFolder _folder = new();

    private string Backup => _folder.Database + ".v1-backup";

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Steps_run_one_after_the_other_behind_a_copy_of_what_was()
    {
        _folder.Fill(messages: 25);
        using (StoreFile store = Open(To2, To3))
        {
            Assert.Equal(StoreOpeningKind.Opened, store.Opening.Kind);
            Assert.Equal(1, store.Opening.MigratedFrom);
            Assert.Equal(3, store.Database.QueryInt64("PRAGMA user_version"));
            Assert.Equal(25, store.Database.QueryInt64("SELECT count(*) FROM extra"));
        }

        _folder.Log.AssertSaid(7008);
        using (SqliteDatabase copy = SqliteDatabase.Open(Backup, DatabaseAccess.ReadWrite))
        {
            Assert.Equal(SchemaState.Current, StoreSchema.Current.Inspect(copy).State);
            Assert.Equal(25, copy.QueryInt64("SELECT count(*) FROM message"));
        }

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Backup));
        using StoreFile again = Open(To2, To3);
        Assert.Null(again.Opening.MigratedFrom);
    }

    [Fact]
    public void A_step_that_fails_changes_nothing_and_may_be_tried_again()
    {
        _folder.Fill(messages: 25);
        var broken = new SchemaMigration(2, _ => throw new InvalidOperationException("a bug"));
        for (int i = 0; i < 2; i++) Assert.Throws<InvalidOperationException>(() => Open(To2, broken));
        using (SqliteDatabase database = SqliteDatabase.Open(_folder.Database, DatabaseAccess.ReadOnly))
        {
            Assert.Equal(new SchemaVerdict(SchemaState.Current, 1), StoreSchema.Current.Inspect(database));
        }

        Assert.True(File.Exists(Backup));
        Assert.Empty(_folder.SetAside);
        using StoreFile store = Open(To2, To3);
        Assert.Equal(25, store.Database.QueryInt64("SELECT count(*) FROM message"));
    }

    [Fact]
    public void A_step_s_wrong_SQL_does_not_set_the_database_aside()
    {
        _folder.Fill(messages: 5);
        var broken = new SchemaMigration(2, database => database.Execute("SELECT nothing FROM nowhere"));
        Assert.Throws<StoreException>(() => Open(To2, broken));
        Assert.Empty(_folder.SetAside);
    }

    [Fact]
    public void A_step_left_out_is_a_mistake() =>
        Assert.Throws<ArgumentException>(() => new SchemaMigrations([new(1, _ => { }), new(3, _ => { })]));

    [Fact]
    public void From_a_version_without_a_way_the_rows_are_rescued()
    {
        _folder.Fill(messages: 5);
        using StoreFile store = Open(To3);
        Assert.Equal(StoreOpeningKind.Quarantined, store.Opening.Kind);
        Assert.Equal(5, store.Database.QueryInt64("SELECT count(*) FROM message"));
    }

    private StoreFile Open(params SchemaMigration[] steps)
    {
        var schema = new StoreSchema(steps[^1].From + 1, [.. StoreTables.All, Extra], new SchemaMigrations(steps));
        return StoreFile.Open(_folder.Path, new StoreSettings(_folder.Options, schema, RowChecks.None, _folder.Log, _folder.Time));
    }
}
