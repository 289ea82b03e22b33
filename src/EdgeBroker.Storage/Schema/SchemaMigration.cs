using EdgeBroker.Storage.Sqlite;

namespace EdgeBroker.Storage.Schema;

/// <summary>One step, from one version of the layout to the next. Runs inside a transaction, which it neither ends nor leaves.</summary>
/// <param name="From">The version it starts from; it leads to the one after.</param>
/// <param name="Apply">Changes tables and rows. The version number is not its business.</param>
public sealed record SchemaMigration(int From, Action<SqliteDatabase> Apply);
