using System.Globalization;
using EdgeBroker.Storage.Schema;
using EdgeBroker.Storage.Sqlite;

namespace EdgeBroker.Storage.Opening;

/// <summary>Rescues what can be read of a database that was set aside.</summary>
internal static class Salvage
{
    // Sessions that were lost may have had identifiers beyond those that were found; none of theirs may be given out again.
    private const long UnseenSessions = 1_000_000;

    private const string SenselessEntries = "SELECT count(*) FROM sqlite_schema WHERE ifnull(type, '') NOT IN ('table', 'index', 'trigger', 'view')";

    /// <summary>
    /// Copies what is readable into a new, empty database; of a newer version's, nothing, since its rows may mean something else. Never fails for what the old
    /// one holds, only for the new one.
    /// </summary>
    /// <param name="setAside">The old database.</param>
    /// <param name="target">The new one, with its tables and not in WAL mode.</param>
    /// <param name="schema">Its layout.</param>
    /// <param name="checks">What rows must satisfy.</param>
    /// <exception cref="SqliteException">The new database cannot be written.</exception>
    public static Salvaged Run(string setAside, SqliteDatabase target, StoreSchema schema, RowChecks checks)
    {
        string graft = target.Path + "-graft";
        try
        {
            using SqliteDatabase? source = OpenReadable(setAside)
                ?? (FirstPageGraft.TryMake(setAside, target, graft) ? OpenReadable(graft) : null);
            return Copy(source, target, schema, checks);
        }
        finally
        {
            StoreFiles.Delete(graft);
            // What reading it left behind: a wal-index, and a WAL that was not there before.
            File.Delete(setAside + "-shm");
            if (new FileInfo(setAside + "-wal") is { Exists: true, Length: 0 } wal) wal.Delete();
        }
    }

    private static Salvaged Copy(SqliteDatabase? source, SqliteDatabase target, StoreSchema schema, RowChecks checks)
    {
        if (source is null) return new Salvaged([.. schema.Tables.Select(t => new SalvagedTable(t.Name, 0, 0, IsComplete: false))], []);
        if (IsNewer(source, schema)) return Salvaged.Nothing;
        var tables = new List<SalvagedTable>(schema.Tables.Count);
        foreach (StoreTable table in schema.Tables) tables.Add(new TableSalvage(source, target, table, checks).Run());
        DropOrphans(target, tables);
        IReadOnlyList<LostDeliveries> lost = schema.Tables.Any(t => t.Name == StoreTables.Delivery) ? DeliverySalvage.Run(target) : [];
        if (schema.Tables.Any(t => t.Name == StoreTables.Session)) ContinueSessionIds(source, target);
        return new Salvaged(tables, lost);
    }

    /// <summary>With its WAL if that can be read, else the file as it is; null when neither shows a schema that makes sense.</summary>
    private static SqliteDatabase? OpenReadable(string path)
    {
        // SQLite would delete the WAL of an empty file.
        if (new FileInfo(path).Length == 0) return null;
        foreach (DatabaseAccess mode in new[] { DatabaseAccess.ReadOnly, DatabaseAccess.Immutable })
        {
            SqliteDatabase? database = null;
            try
            {
                database = SqliteDatabase.Open(path, mode);
                database.CheckpointsOnClose = false;
                // Nothing is written here; SQLite then also opens files shorter than they should be, and steps over schema entries that make no sense.
                database.Execute("PRAGMA writable_schema=ON");
                // The damaged file decides what is readable; pages that fail a check are better not believed.
                StorePragmas.ForReader(database);
                if (database.QueryInt64(SenselessEntries) == 0) return database;
            }
            catch (SqliteException)
            {
                // The next way, or none.
            }

            database?.Dispose();
        }

        return null;
    }

    private static bool IsNewer(SqliteDatabase source, StoreSchema schema) =>
        source.QueryInt64("PRAGMA application_id") == StoreSchema.ApplicationId && source.QueryInt64("PRAGMA user_version") > schema.Version;

    /// <summary>A subscription without its session must not fall to whoever gets the identifier next.</summary>
    private static void DropOrphans(SqliteDatabase target, List<SalvagedTable> tables)
    {
        for (int i = 0; i < tables.Count; i++)
        {
            SalvagedTable table = tables[i];
            if (!StoreTables.OfSessions.Contains(table.Name)) continue;
            target.Execute($"DELETE FROM {table.Name} WHERE session NOT IN (SELECT id FROM session)");
            tables[i] = table with { Rows = table.Rows - target.Changes, Skipped = table.Skipped + target.Changes };
        }
    }

    private static void ContinueSessionIds(SqliteDatabase source, SqliteDatabase target)
    {
        long found = target.QueryInt64("SELECT max(id) FROM session") ?? 0;
        long next = Math.Max(found, LastSessionId(source) ?? found + UnseenSessions);
        target.Execute("DELETE FROM sqlite_sequence WHERE name='session'");
        target.Execute(string.Create(CultureInfo.InvariantCulture, $"INSERT INTO sqlite_sequence(name, seq) VALUES('session', {next})"));
    }

    private static long? LastSessionId(SqliteDatabase source)
    {
        try
        {
            // Beyond that, SQLite could give out no further one.
            return source.QueryInt64("SELECT seq FROM sqlite_sequence WHERE name='session' AND typeof(seq)='integer' AND seq BETWEEN 0 AND 1<<62");
        }
        catch (SqliteException)
        {
            return null;
        }
    }
}
