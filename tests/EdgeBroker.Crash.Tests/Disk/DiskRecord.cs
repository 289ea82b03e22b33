namespace EdgeBroker.Crash.Tests.Disk;

/// <summary>One record of the shim's log.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="End">The log's position after it: a cut here still has it.</param>
/// <param name="TimeNanoseconds">When, on the monotonic clock.</param>
/// <param name="File">The file's inode number.</param>
/// <param name="A">Offset, length, or where the log ended when a sync began.</param>
/// <param name="B">A sync's error; 0: it succeeded.</param>
/// <param name="Data">What was written, or names.</param>
public readonly record struct DiskRecord(DiskRecordKind Kind, long End, long TimeNanoseconds, ulong File, long A, long B, ReadOnlyMemory<byte> Data);
