namespace EdgeBroker.Storage.Sqlite;

/// <summary>How much a checkpoint insists; the numbers are SQLite's.</summary>
public enum CheckpointMode
{
    /// <summary>Copies what it can without waiting for anyone.</summary>
    Passive = 0,

    /// <summary>Waits for readers, copies everything, and cuts the WAL file to nothing.</summary>
    Truncate = 3,
}
