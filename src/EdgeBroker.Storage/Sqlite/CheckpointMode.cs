namespace EdgeBroker.Storage.Sqlite;

/// <summary>How much a checkpoint insists; the numbers are SQLite's.</summary>
public enum CheckpointMode
{
    /// <summary>Copies what it can without waiting for anyone.</summary>
    Passive = 0,

    /// <summary>Waits for readers, then copies everything.</summary>
    Full = 1,

    /// <summary>As <see cref="Full"/>, and the next writer starts the WAL from its beginning.</summary>
    Restart = 2,

    /// <summary>As <see cref="Restart"/>, and the WAL file is cut to nothing.</summary>
    Truncate = 3,
}
