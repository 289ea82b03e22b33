using EdgeBroker.Storage.Opening;
using EdgeBroker.Storage.Schema;
using EdgeBroker.Storage.Sqlite;

namespace EdgeBroker.Storage.Tools;

/// <summary>
/// Copies a store, as it is at one moment, into one file that is whole and checked before it gets its name. A broker that runs on the store is not held up; its
/// WAL grows until the copy is done. The copy is restored by stopping the broker and putting it in place of edgebroker.db, without files of the same name and
/// -wal or -shm.
/// </summary>
public static class StoreBackup
{
    private const int PagesPerStep = 256;

    /// <summary>Makes the copy and returns its size in bytes.</summary>
    /// <param name="database">The store's database.</param>
    /// <param name="target">The copy; its folder must exist.</param>
    /// <param name="replace">Whether a file of that name may be replaced.</param>
    /// <param name="cancel">Ends it; nothing is left behind.</param>
    /// <exception cref="StoreException">It failed; says why and what to do. Nothing is left behind, and what was there before is there still.</exception>
    /// <exception cref="OperationCanceledException">It was asked to stop.</exception>
    public static long Run(string database, string target, bool replace, CancellationToken cancel)
    {
        string path = Path.GetFullPath(target);
        if (Path.GetFullPath(database) == path) throw new StoreException(StoreProblem.Exists, $"{path} is the store itself; name another file");
        if (Directory.Exists(path)) throw new StoreException(StoreProblem.Exists, $"{path} is a folder; name a file in it");
        if (File.Exists(path) && !replace)
        {
            throw new StoreException(StoreProblem.Exists, $"{path} is there already; name another file, or say that it is to be replaced");
        }

        string unfinished = $"{path}.{Environment.ProcessId}.new";
        // Whose fault a failure is: until the copy begins, the store's.
        string blamed = database;
        try
        {
            using SqliteDatabase source = StoreReader.Open(database);
            blamed = path;
            StoreFiles.CreatePrivate(unfinished);
            source.BackupTo(unfinished, PagesPerStep, cancel);
            Complete(unfinished, database);
            StoreFiles.Publish(unfinished, path, replace);
            return new FileInfo(path).Length;
        }
        catch (Exception failure)
        {
            Discard(unfinished);
            if (StoreException.From(failure, failure is SqliteException { IsCorrupt: true } ? database : blamed) is not { } explained
                || ReferenceEquals(explained, failure))
            {
                throw;
            }

            throw explained;
        }
    }

    private static void Complete(string copy, string database)
    {
        using SqliteDatabase opened = SqliteDatabase.Open(copy, DatabaseAccess.ReadWrite);
        StorePragmas.ForReader(opened);
        // One file, to be carried about: no WAL beside it. The broker turns it on again.
        opened.Execute("PRAGMA journal_mode=DELETE");
        string? problem = opened.QueryText("PRAGMA quick_check(1)");
        if (problem == "ok")
        {
            SchemaVerdict verdict = StoreSchema.Current.Inspect(opened);
            problem = verdict.State == SchemaState.Wrong ? verdict.Problem : null;
            if (verdict.State == SchemaState.Current) StoreIdentity.MarkCopy(opened);
        }

        if (problem is null) return;
        throw new StoreException(
            StoreProblem.Damaged,
            $"{database} is damaged ({problem}), so no copy was kept; \"edgebroker store verify\" says more, "
            + "and restarting the broker rescues what is readable");
    }

    private static void Discard(string unfinished)
    {
        try
        {
            StoreFiles.Delete(unfinished);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // The failure that led here is told; a copy that cannot be deleted either has the same cause.
        }
    }
}
