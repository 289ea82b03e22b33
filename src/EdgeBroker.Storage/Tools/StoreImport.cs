using EdgeBroker.Storage.Opening;
using EdgeBroker.Storage.Rows;
using EdgeBroker.Storage.Schema;
using EdgeBroker.Storage.Sqlite;

namespace EdgeBroker.Storage.Tools;

/// <summary>
/// Makes a store from the lines of <see cref="StoreExport"/>, where none is or an empty one. The database is built beside, checked, and gets its name when it
/// is whole. The broker must be stopped: the directory is locked meanwhile.
/// </summary>
public static class StoreImport
{
    /// <summary>Reads the lines in.</summary>
    /// <param name="source">The file.</param>
    /// <param name="directory">The data directory; made if it is missing.</param>
    /// <param name="options">How large a store may be.</param>
    /// <param name="replace">Whether a store that holds something may be set aside, as edgebroker.db.replaced-DATE.</param>
    /// <param name="time">Dates that name.</param>
    /// <param name="cancel">Ends it; nothing has changed then.</param>
    /// <param name="setAsideAs">The name of what was set aside; null: nothing was.</param>
    /// <exception cref="StoreException">It failed; says why and what to do, for a line that is wrong (Malformed) its number and cause. No new store is there
    /// then.</exception>
    /// <exception cref="OperationCanceledException">It was asked to stop.</exception>
    public static StoreTransfer Run(
        string source, string directory, StorageOptions options, bool replace, TimeProvider time, CancellationToken cancel, out string? setAsideAs)
    {
        string file = Path.GetFullPath(source);
        var paths = new StorePaths(directory);
        using FileStream lines = OpenSource(file);
        try
        {
            StoreFiles.CreateDirectory(paths.Directory);
            using StoreLock heldLock = StoreLock.TakeForReplacement(paths.Directory);
            bool isEmpty = IsEmpty(paths);
            if (!isEmpty && !replace)
            {
                throw new StoreException(
                    StoreProblem.Exists, $"{paths.Database} holds something; name another data directory, or say that it is to be set aside");
            }

            StoreTransfer read = Build(paths.Unfinished, file, lines, options, cancel);
            setAsideAs = StoreReplacement.Publish(paths, heldLock, isEmpty ? null : paths.NewReplacedName(time.GetUtcNow()));
            return read;
        }
        catch (Exception failure)
        {
            if (StoreException.From(failure, paths.Database) is not { } explained || ReferenceEquals(explained, failure)) throw;
            throw explained;
        }
    }

    private static FileStream OpenSource(string file)
    {
        try
        {
            return new FileStream(file, new FileStreamOptions { BufferSize = 0, Options = FileOptions.SequentialScan });
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new StoreException(
                failure is FileNotFoundException or DirectoryNotFoundException ? StoreProblem.Missing : StoreProblem.IoError,
                $"{file} cannot be read: {failure.Message}", failure);
        }
    }

    /// <summary>Whether there is no database, or a sound one without sessions and messages.</summary>
    private static bool IsEmpty(StorePaths paths)
    {
        bool hasWal = new FileInfo(paths.Wal) is { Exists: true, Length: > 0 };
        if (new FileInfo(paths.Database) is not { Exists: true, Length: > 0 }) return !hasWal;
        try
        {
            using SqliteDatabase database = StoreReader.Open(paths.Database);
            return StoreSchema.Current.Inspect(database).State == SchemaState.Current
                && StoreTables.All.Where(table => table.Name is not (StoreTables.Clock or StoreTables.Identity))
                    .All(table => database.QueryInt64($"SELECT 1 FROM {table.Name} LIMIT 1") is null);
        }
        catch (SqliteException failure) when (failure.IsCorrupt)
        {
            return false;
        }
    }

    private static StoreTransfer Build(string unfinished, string file, Stream lines, StorageOptions options, CancellationToken cancel)
    {
        StoreFiles.Delete(unfinished);
        try
        {
            StoreFiles.CreatePrivate(unfinished);
            StoreTransfer read;
            using (SqliteDatabase database = SqliteDatabase.Open(unfinished, DatabaseAccess.ReadWrite)) read = Fill(database, file, lines, options, cancel);
            StoreVerification check = StoreVerify.Run(unfinished, StoreRows.Checks);
            if (!check.IsSound)
            {
                throw new StoreException(StoreProblem.IoError, $"what was written is not what is read back ({check.Problems[0]}); check the disk (dmesg)");
            }

            return read;
        }
        catch
        {
            StoreFiles.Delete(unfinished);
            throw;
        }
    }

    private static StoreTransfer Fill(SqliteDatabase database, string file, Stream source, StorageOptions options, CancellationToken cancel)
    {
        // Nobody else sees it, and an interruption throws it away: flushing once at the end is enough.
        database.Execute("PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF");
        StorePragmas.BeforeFirstTable(database);
        StorePragmas.ForReader(database);
        StorePragmas.Limit(database, options);
        StoreSchema.Current.Create(database);
        var lines = new JsonLines(source);
        try
        {
            using var rows = new ImportedRows(database);
            database.Begin();
            while (lines.TryRead(out ReadOnlyMemory<byte> line))
            {
                cancel.ThrowIfCancellationRequested();
                rows.Add(line);
            }

            StoreTransfer read = rows.Complete();
            database.Commit();
            return read;
        }
        catch (FormatException wrong)
        {
            throw new StoreException(StoreProblem.Malformed, $"{file}, line {lines.Number}: {wrong.Message}; nothing was imported", wrong);
        }
    }
}
