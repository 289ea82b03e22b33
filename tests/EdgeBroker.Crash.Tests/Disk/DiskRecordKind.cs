namespace EdgeBroker.Crash.Tests.Disk;

/// <summary>What a record of the shim's log says; the numbers are those of enum kind.</summary>
public enum DiskRecordKind
{
    /// <summary>A program began under the shim.</summary>
    Start = 1,

    /// <summary>A file that existed was opened for writing.</summary>
    Open,

    /// <summary>A file was created.</summary>
    Create,

    /// <summary>Data was written at an offset.</summary>
    Write,

    /// <summary>A file was given a length.</summary>
    Truncate,

    /// <summary>A name changed, replacing what had the new one.</summary>
    Rename,

    /// <summary>A name was removed.</summary>
    Unlink,

    /// <summary>A file got a second name.</summary>
    Link,

    /// <summary>A directory was created.</summary>
    MakeDirectory,

    /// <summary>A directory was removed.</summary>
    RemoveDirectory,

    /// <summary>A file was synced, or failed to be.</summary>
    Sync,

    /// <summary>A directory's names were synced, or failed to be.</summary>
    SyncDirectory,

    /// <summary>Everything was synced.</summary>
    SyncAll,

    /// <summary>Something happened that the log cannot hold.</summary>
    Unfollowed,
}
