using EdgeBroker.Storage.Sqlite;

namespace EdgeBroker.Storage.Schema;

/// <summary>A column: what it must hold. SQLite itself lets anything into any column.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">What it holds.</param>
/// <param name="IsNullable">Whether it may be NULL.</param>
public sealed record StoreColumn(string Name, SqliteColumnType Type, bool IsNullable = false);
