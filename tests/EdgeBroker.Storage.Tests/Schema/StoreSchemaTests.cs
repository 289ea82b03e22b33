using EdgeBroker.Storage.Schema;
using EdgeBroker.Storage.Sqlite;

namespace EdgeBroker.Storage.Tests.Schema;

public sealed class StoreSchemaTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly SqliteDatabase _database;

    public StoreSchemaTests() => _database = SqliteDatabase.Open(_directory.File("test.db"), DatabaseAccess.ReadWriteCreate);

    public void Dispose()
    {
        _database.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public void What_it_makes_it_recognises()
    {
        StoreSchema.Current.Create(_database);
        Assert.Equal(0x45424B52, _database.QueryInt64("PRAGMA application_id"));
        Assert.Equal(1, _database.QueryInt64("PRAGMA user_version"));
        Assert.Equal(new SchemaVerdict(SchemaState.Current, 1), StoreSchema.Current.Inspect(_database));
    }

    [Fact]
    public void Columns_are_described_as_they_are_made()
    {
        StoreSchema.Current.Create(_database);
        foreach (StoreTable table in StoreTables.All)
        {
            var columns = new List<StoreColumn>();
            int keys = 0;
            using SqliteStatement info = _database.Prepare($"SELECT name, type, \"notnull\", pk FROM pragma_table_info('{table.Name}')");
            while (info.Step())
            {
                bool isKey = info.Int64(3) > 0;
                keys += isKey ? 1 : 0;
                columns.Add(new StoreColumn(info.Text(0), Enum.Parse<SqliteColumnType>(info.Text(1), ignoreCase: true), info.Int64(2) == 0 && !isKey));
            }

            Assert.Equal(columns, table.Columns);
            Assert.Equal(keys, table.KeyLength);
        }
    }

    [Fact]
    public void An_empty_database_is_nobody_s() => Assert.Equal(SchemaState.Wrong, StoreSchema.Current.Inspect(_database).State);

    [Fact]
    public void Statistics_of_SQLite_s_own_are_no_change()
    {
        StoreSchema.Current.Create(_database);
        _database.Execute("INSERT INTO received VALUES(1, 1); ANALYZE");
        Assert.Equal(SchemaState.Current, StoreSchema.Current.Inspect(_database).State);
    }
}
