using EdgeBroker.Storage.Sqlite;
using Microsoft.Data.Sqlite;

namespace EdgeBroker.Storage.Opening;

/// <summary>
/// Which store a database is: 128 random bits, for other nodes to know it by, and never those of two that are in use. A backup is marked as a copy; whoever
/// uses it gets an identity of its own.
/// </summary>
public static class StoreIdentity
{
    /// <summary>Bytes of an identity.</summary>
    public const int Bytes = 16;

    /// <summary>Reads a store's identity, after giving it one where it has none or is a copy.</summary>
    /// <param name="database">A connection that may write.</param>
    /// <exception cref="SqliteException">It failed.</exception>
    internal static Guid Take(SqliteDatabase database)
    {
        if (database.QueryInt64($"SELECT 1 FROM identity WHERE is_copy = 0 AND typeof(store_id) = 'blob' AND length(store_id) = {Bytes}") is null)
        {
            using SqliteCommand make = database.Command("INSERT OR REPLACE INTO identity(id, store_id, is_copy) VALUES(1, $id, 0)");
            make.Parameters.AddWithValue("$id", Guid.NewGuid().ToByteArray(bigEndian: true));
            make.ExecuteNonQuery();
        }

        using SqliteCommand read = database.Command("SELECT store_id FROM identity WHERE id = 1");
        using SqliteDataReader row = read.ExecuteReader();
        row.Read();
        return new Guid(row.GetFieldValue<byte[]>(0), bigEndian: true);
    }

    /// <summary>Marks a database as a copy.</summary>
    /// <param name="copy">The copy, of whatever version.</param>
    /// <exception cref="SqliteException">It failed.</exception>
    internal static void MarkCopy(SqliteDatabase copy) => copy.Execute("UPDATE identity SET is_copy = 1");
}
