using EdgeBroker.Storage.Opening;
using EdgeBroker.Storage.Rows;

namespace EdgeBroker.Storage.Tools;

/// <summary>
/// Puts a copy made by <see cref="StoreBackup"/> in the store's place. What was there is set aside, not deleted. The broker must be stopped: the directory is
/// locked meanwhile.
/// </summary>
public static class StoreRestore
{
    /// <summary>Restores a copy.</summary>
    /// <param name="copy">The copy; it stays as it is.</param>
    /// <param name="directory">The data directory; made if it is missing.</param>
    /// <param name="time">Dates that name.</param>
    /// <param name="cancel">Ends it; nothing has changed then.</param>
    /// <param name="setAsideAs">The name of what was there, edgebroker.db.replaced-DATE; null: nothing was.</param>
    /// <returns>The size of the store, in bytes.</returns>
    /// <exception cref="StoreException">It failed; says why and what to do. The store is what it was.</exception>
    /// <exception cref="OperationCanceledException">It was asked to stop.</exception>
    public static long Run(string copy, string directory, TimeProvider time, CancellationToken cancel, out string? setAsideAs)
    {
        string source = Path.GetFullPath(copy);
        string blamed = source;
        try
        {
            var paths = new StorePaths(directory);
            if (source == paths.Database) throw new StoreException(StoreProblem.Exists, $"{source} is the store itself; name a copy of it");
            Check(source);
            blamed = paths.Database;
            StoreFiles.CreateDirectory(paths.Directory);
            using StoreLock heldLock = StoreLock.TakeForReplacement(paths.Directory);
            CopyTo(paths.Unfinished, source, cancel);
            bool isThere = File.Exists(paths.Database) || File.Exists(paths.Wal);
            setAsideAs = StoreReplacement.Publish(paths, heldLock, isThere ? paths.NewReplacedName(time.GetUtcNow()) : null);
            return new FileInfo(paths.Database).Length;
        }
        catch (Exception failure)
        {
            if (StoreException.From(failure, blamed) is not { } explained || ReferenceEquals(explained, failure)) throw;
            throw explained;
        }
    }

    private static void Check(string source)
    {
        if (!File.Exists(source)) throw new StoreException(StoreProblem.Missing, $"there is no file {source}; name a copy made by \"edgebroker backup\"");
        StoreVerification found = StoreVerify.Run(source, StoreRows.Checks);
        if (found.IsSound) return;
        throw new StoreException(
            StoreProblem.Damaged, $"{source} is no sound copy of a store ({found.Problems[0]}), so nothing was changed; use another one");
    }

    private static void CopyTo(string unfinished, string source, CancellationToken cancel)
    {
        StoreFiles.Delete(unfinished);
        try
        {
            using FileStream from = File.OpenRead(source);
            using FileStream to = StoreFiles.OpenPrivate(unfinished);
            byte[] part = new byte[1024 * 1024];
            for (int count; (count = from.Read(part)) > 0;)
            {
                cancel.ThrowIfCancellationRequested();
                to.Write(part.AsSpan(0, count));
            }
        }
        catch
        {
            StoreFiles.Delete(unfinished);
            throw;
        }
    }
}
