using EdgeBroker.Storage.Opening;

namespace EdgeBroker.Storage.Tools;

/// <summary>Puts a database that was made beside a store into its place.</summary>
internal static class StoreReplacement
{
    /// <summary>
    /// Gives <see cref="StorePaths.Unfinished"/> the store's name. With the old one's new name noted first, the broker's start goes on wherever a power cut
    /// ends this.
    /// </summary>
    /// <param name="paths">The store.</param>
    /// <param name="heldLock">Its lock.</param>
    /// <param name="setAsideAs">The name of what is there; null: it holds nothing, and goes.</param>
    /// <returns>That name.</returns>
    public static string? Publish(StorePaths paths, StoreLock heldLock, string? setAsideAs)
    {
        if (setAsideAs is null)
        {
            StoreFiles.Delete(paths.Database);
        }
        else
        {
            if (File.Exists(paths.Database)) heldLock.RecordSettingAside(setAsideAs);
            StoreFiles.MoveDatabase(paths.Database, paths.SetAside(setAsideAs));
        }

        StoreFiles.Publish(paths.Unfinished, paths.Database, replace: false);
        heldLock.RecordStopped();
        return setAsideAs;
    }
}
