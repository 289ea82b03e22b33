using System.Globalization;
using EdgeBroker.Storage.Sqlite;

namespace EdgeBroker.Storage.Schema;

/// <summary>How connections to the store are set.</summary>
public static class StorePragmas
{
    /// <summary>Bytes of a page, and of most flash pages.</summary>
    public const int PageSizeBytes = 4096;

    // What the WAL may keep after a checkpoint has emptied it.
    private const int WalBytes = 4 * 1024 * 1024;
    private const int CacheKilobytes = 2048;

    // The journal refuses new messages at max_bytes; what makes room must still find some. This is the last stop behind it.
    private const long SlackBytes = 64L * 1024 * 1024;

    /// <summary>What can only be said before the first table is made.</summary>
    internal static void BeforeFirstTable(SqliteDatabase database) =>
        database.Execute(string.Create(CultureInfo.InvariantCulture, $"PRAGMA page_size={PageSizeBytes}; PRAGMA auto_vacuum=INCREMENTAL"));

    /// <summary>
    /// Sets the connection that writes: WAL; checkpoints when the journal says so and not on its own; nothing in temporary files; files are hostile, so their
    /// schema may run no function that has effects, and pages are checked as they are read.
    /// </summary>
    /// <exception cref="StoreException">The file system cannot do WAL (Unsupported).</exception>
    /// <exception cref="SqliteException">Reading or writing failed.</exception>
    public static void ForWriter(SqliteDatabase database, StorageOptions options)
    {
        ForReader(database);
        UseWal(database);
        database.Execute(string.Create(
            CultureInfo.InvariantCulture,
            $"PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0; PRAGMA journal_size_limit={WalBytes}; PRAGMA secure_delete=OFF"));
        Limit(database, options);
    }

    /// <summary>Has the database, now and from now on, write to a WAL.</summary>
    /// <exception cref="StoreException">The file system cannot do that (Unsupported).</exception>
    /// <exception cref="SqliteException">Reading or writing failed.</exception>
    internal static void UseWal(SqliteDatabase database)
    {
        if (database.QueryText("PRAGMA journal_mode=WAL") == "wal") return;
        throw new StoreException(
            StoreProblem.Unsupported,
            $"{database.Path} lies on a file system without shared memory, such as a network drive; set [node] data_dir to a local disk");
    }

    /// <summary>Sets how large the database may become on this connection, whatever is written.</summary>
    internal static void Limit(SqliteDatabase database, StorageOptions options) => database.Execute(string.Create(
        CultureInfo.InvariantCulture,
        $"PRAGMA max_page_count={Math.Clamp((options.MaxBytes + (options.MaxBytes / 8) + SlackBytes) / PageSizeBytes, 1, uint.MaxValue - 1)}"));

    /// <summary>Sets a connection that only reads.</summary>
    /// <exception cref="SqliteException">It failed.</exception>
    public static void ForReader(SqliteDatabase database) => database.Execute(string.Create(
        CultureInfo.InvariantCulture,
        $"PRAGMA cache_size=-{CacheKilobytes}; PRAGMA mmap_size=0; PRAGMA temp_store=MEMORY; PRAGMA foreign_keys=OFF;"
        + $" PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON"));
}
