namespace EdgeBroker.Crash.Tests.Disk;

/// <summary>Kinds of operation that can be made to fail.</summary>
[Flags]
public enum DiskFault
{
    /// <summary>Writing, truncating, allocating.</summary>
    Write = 1,

    /// <summary>fsync and fdatasync, of files and directories.</summary>
    Sync = 2,

    /// <summary>Creating, renaming, removing, and opening for writing.</summary>
    Name = 4,

    /// <summary>All of them.</summary>
    All = Write | Sync | Name,
}
