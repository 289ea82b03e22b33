using EdgeBroker.Storage.Sqlite;

namespace EdgeBroker.Storage.Schema;

/// <summary>A table of the store.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Sql">What makes it; SQLite keeps this text, letter by letter.</param>
/// <param name="Columns">All its columns, in their order.</param>
/// <param name="KeyLength">How many of the first columns are the primary key.</param>
public sealed record StoreTable(string Name, string Sql, IReadOnlyList<StoreColumn> Columns, int KeyLength = 1)
{
    /// <summary>The columns' names, separated by commas.</summary>
    public string ColumnList { get; } = string.Join(", ", Columns.Select(c => c.Name));

    /// <summary>The key columns' names, separated by commas.</summary>
    public string KeyList { get; } = string.Join(", ", Columns.Take(KeyLength).Select(c => c.Name));
}

/// <summary>A column: what it must hold. SQLite itself lets anything into any column.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">What it holds.</param>
/// <param name="IsNullable">Whether it may be NULL.</param>
public sealed record StoreColumn(string Name, SqliteColumnType Type, bool IsNullable = false);
