namespace EdgeBroker.Storage;

/// <summary>Why a store cannot be used.</summary>
public enum StoreProblem
{
    /// <summary>Another broker has it.</summary>
    InUse,

    /// <summary>The database is damaged or not the broker's, and it was asked not to touch it.</summary>
    Damaged,

    /// <summary>A newer version of the broker wrote the database, and it was asked not to touch it.</summary>
    Newer,

    /// <summary>No room left.</summary>
    DiskFull,

    /// <summary>The file system is mounted for reading only.</summary>
    ReadOnly,

    /// <summary>The broker's user may not read or write it.</summary>
    NoPermission,

    /// <summary>What is asked for is not there.</summary>
    Missing,

    /// <summary>What was to be made is there already, and it was not asked to replace it.</summary>
    Exists,

    /// <summary>The file system lacks what the database needs.</summary>
    Unsupported,

    /// <summary>What is to be read in is not of the form it must have.</summary>
    Malformed,

    /// <summary>Reading, writing or flushing failed.</summary>
    IoError,
}
