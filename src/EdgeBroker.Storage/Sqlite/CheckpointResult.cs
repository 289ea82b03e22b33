namespace EdgeBroker.Storage.Sqlite;

/// <summary>What a checkpoint achieved. A frame is one page in the WAL.</summary>
/// <param name="IsComplete">False when a reader or another checkpoint stood in the way; that is no error, later is good enough.</param>
/// <param name="WalFrames">Frames in the WAL; -1 when the database is not in WAL mode.</param>
/// <param name="CheckpointedFrames">How many of them are in the database file now; -1 when it is not in WAL mode.</param>
public readonly record struct CheckpointResult(bool IsComplete, int WalFrames, int CheckpointedFrames);
