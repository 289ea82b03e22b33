namespace EdgeBroker.Core.Ports;

/// <summary>What a journal has done since the start.</summary>
/// <param name="Facts">Facts appended.</param>
/// <param name="Elided">Deliveries and values that were superseded or done with before they had to be written.</param>
/// <param name="MessagesWritten">Messages written.</param>
/// <param name="Commits">Transactions committed.</param>
/// <param name="Fsyncs">Times the disk was asked to make what it has durable.</param>
/// <param name="BytesWritten">Bytes handed to the disk, journal and checkpoints together.</param>
/// <param name="LastCommitMs">How long the last commit took, in milliseconds.</param>
/// <param name="SlowestCommitMs">How long the slowest took, in milliseconds.</param>
/// <param name="Failures">Transactions that failed and were tried again.</param>
/// <param name="StoreBytes">Bytes in use in the database.</param>
/// <param name="Quarantined">Damaged databases set aside at the start of this process.</param>
public readonly record struct JournalStatistics(
    long Facts,
    long Elided,
    long MessagesWritten,
    long Commits,
    long Fsyncs,
    long BytesWritten,
    long LastCommitMs,
    long SlowestCommitMs,
    long Failures,
    long StoreBytes,
    int Quarantined);
