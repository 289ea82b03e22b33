using EdgeBroker.Storage.Sqlite;

namespace EdgeBroker.Storage;

/// <summary>Whether a row is what was once written: its checksum, its blobs' inner form. The row is untrusted; types of columns are already checked.</summary>
/// <param name="row">A statement at the row, with all the table's columns in their order. It must not be stepped or reset.</param>
public delegate bool RowCheck(SqliteStatement row);
