namespace EdgeBroker.Storage.Sqlite;

/// <summary>What a connection may do with its file.</summary>
public enum DatabaseAccess
{
    /// <summary>Reads and writes; a missing file is made.</summary>
    ReadWriteCreate,

    /// <summary>Reads and writes; a missing file is an error.</summary>
    ReadWrite,

    /// <summary>Reads. In WAL mode the wal-index beside the file is still shared with its writer, so the folder must be writable or hold one already.</summary>
    ReadOnly,

    /// <summary>Reads the file alone, as it lies there: no lock, no WAL. Only for a file that nobody writes.</summary>
    Immutable,
}
