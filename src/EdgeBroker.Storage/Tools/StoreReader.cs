using EdgeBroker.Storage.Schema;
using EdgeBroker.Storage.Sqlite;

namespace EdgeBroker.Storage.Tools;

/// <summary>Opens a store for reading, beside a broker that runs or without one.</summary>
internal static class StoreReader
{
    // The broker holds locks that exclude readers for moments only: when the first opens the database, and when the last closes it.
    private static readonly TimeSpan BusyTimeout = TimeSpan.FromSeconds(10);

    /// <exception cref="StoreException">It is not there or may not be read.</exception>
    /// <exception cref="SqliteException">It cannot be read, or is no database.</exception>
    public static SqliteDatabase Open(string path)
    {
        if (!File.Exists(path))
        {
            throw new StoreException(StoreProblem.Missing, $"{path} is not there; is it the right configuration, and has the broker run with it?");
        }

        try
        {
            return Open(path, DatabaseAccess.ReadOnly);
        }
        catch (SqliteException failure) when ((failure.IsReadOnly || failure.IsCannotOpen) && !File.Exists(path + "-wal"))
        {
            // On a disk that cannot be written SQLite cannot coordinate with writers; without a WAL there is none.
            return Open(path, DatabaseAccess.Immutable);
        }
    }

    private static SqliteDatabase Open(string path, DatabaseAccess mode)
    {
        SqliteDatabase database = SqliteDatabase.Open(path, mode, BusyTimeout);
        try
        {
            StorePragmas.ForReader(database);
            database.QueryInt64("PRAGMA user_version");
            return database;
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }
}
