using EdgeBroker.Storage.Opening;
using EdgeBroker.Storage.Schema;
using EdgeBroker.Storage.Sqlite;

namespace EdgeBroker.Storage.Tools;

/// <summary>
/// Writes what a store holds, as it is at one moment, as JSON lines: an object for each session, subscription, waiting message and retained value. Reads beside
/// a broker that runs or without one; memory is taken by what sessions have acknowledged and by the topics of retained messages, not by messages.
/// </summary>
public static class StoreExport
{
    /// <summary>Writes into a file, which is whole and on disk before it gets its name.</summary>
    /// <param name="database">The store's database.</param>
    /// <param name="target">The file; its folder must exist, and it must not be there yet.</param>
    /// <param name="cancel">Ends it; nothing is left behind.</param>
    /// <exception cref="StoreException">It failed; says why and what to do. Nothing is left behind.</exception>
    /// <exception cref="OperationCanceledException">It was asked to stop.</exception>
    public static StoreTransfer Run(string database, string target, CancellationToken cancel)
    {
        string path = Path.GetFullPath(target);
        if (Path.Exists(path)) throw new StoreException(StoreProblem.Exists, $"{path} is there already; name another file");
        string unfinished = $"{path}.{Environment.ProcessId}.new";
        try
        {
            StoreTransfer written;
            StoreFiles.CreatePrivate(unfinished);
            using (FileStream file = StoreFiles.OpenPrivate(unfinished)) written = Run(database, file, cancel);
            StoreFiles.Publish(unfinished, path, replace: false);
            return written;
        }
        catch (Exception failure)
        {
            Discard(unfinished);
            if (StoreException.From(failure, path) is not { } explained || ReferenceEquals(explained, failure)) throw;
            throw explained;
        }
    }

    /// <summary>Writes into a stream; what was written when it fails has no last line {"type":"end"}, and is refused by the import.</summary>
    /// <param name="database">The store's database.</param>
    /// <param name="target">Where to; left open.</param>
    /// <param name="cancel">Ends it.</param>
    /// <exception cref="StoreException">The store cannot be read, or a row of it is damaged.</exception>
    /// <exception cref="IOException">The stream cannot be written.</exception>
    /// <exception cref="OperationCanceledException">It was asked to stop.</exception>
    public static StoreTransfer Run(string database, Stream target, CancellationToken cancel)
    {
        try
        {
            using SqliteDatabase source = StoreReader.Open(database);
            source.Execute("BEGIN");
            SchemaVerdict verdict = StoreSchema.Current.Inspect(source);
            if (verdict.State == SchemaState.Older)
            {
                throw new StoreException(
                    StoreProblem.Unsupported, $"{database} is of version {verdict.Version}; the broker brings it up to date at its next start");
            }

            if (verdict.State != SchemaState.Current) throw new StoreException(StoreProblem.Damaged, $"{database} cannot be exported: {verdict.Problem}");
            using var lines = new ExportedLines(target);
            StoreTransfer written = new ExportedRows(source, lines, cancel).Write();
            source.Rollback();
            return written;
        }
        catch (SqliteException failure)
        {
            throw StoreException.From(failure, database);
        }
    }

    private static void Discard(string unfinished)
    {
        try
        {
            File.Delete(unfinished);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // The failure that led here is told; a file that cannot be deleted either has the same cause.
        }
    }
}

/// <summary>What was written to a file of JSON lines, or read from one.</summary>
/// <param name="Sessions">Sessions.</param>
/// <param name="Subscriptions">Their subscriptions.</param>
/// <param name="Messages">Messages that wait for someone.</param>
/// <param name="Retained">Retained messages.</param>
public readonly record struct StoreTransfer(int Sessions, int Subscriptions, long Messages, int Retained);
