using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Metrics;

namespace EdgeBroker.Core.Ports;

/// <summary>Whether the store can take more.</summary>
public enum JournalCondition
{
    /// <summary>It can.</summary>
    Ready,

    /// <summary>The configured size, or the disk, is used up: what waits already is kept, new messages need an old one's place.</summary>
    Full,

    /// <summary>So much waits to be written that what comes has to wait for a moment.</summary>
    Busy,

    /// <summary>It has not been able to write for a while: nothing new that must be kept is taken.</summary>
    Failing,
}

/// <summary>
/// Where sessions and retained messages live beyond the process. The core appends facts under the lock of the session or topic they concern: appending must not
/// block, call back or do IO. What an acknowledgement promises waits for the fact's commit.
/// </summary>
public interface IJournal
{
    /// <summary>Whether anything outlives the process; if not, no facts are made.</summary>
    bool IsDurable { get; }

    /// <summary>Whether it can take more; a hint that may be out of date when it is used.</summary>
    JournalCondition Condition { get; }

    /// <summary>Where it is <see cref="JournalCondition.Full"/>: whether the disk is, and not the configured size.</summary>
    bool IsDiskFull => false;

    /// <summary>
    /// Whether retained values come faster than it writes them. Who publishes one at QoS 0, and waits for nothing, is to wait then; a hint as well.
    /// </summary>
    bool IsFullOfValues => false;

    /// <summary>Bytes it may come to hold (<c>storage.max_bytes</c>).</summary>
    long MaxBytes { get; }

    /// <summary>What it has done so far, for displays.</summary>
    JournalStatistics Statistics { get; }

    /// <summary>How long its transactions take; null: it does not measure them.</summary>
    HistogramMeter? CommitDurations => null;

    /// <summary>Where waking the journal's thread waits until the thread that appends holds no lock. Set before the first connection.</summary>
    void UseLoops(ILoopRequests loops)
    {
        // One without a thread has none to wake.
    }

    /// <summary>
    /// Is called back when it has become able to take what it could not, on a thread of its own and with no lock held. Set before the first connection.
    /// </summary>
    void WhenCaughtUp(Action action)
    {
        // One that takes everything never catches up.
    }

    /// <summary>Gives a session that begins an identity in the store. The store holds it from its first fact on.</summary>
    StoredSession Open(string clientId);

    /// <summary>Takes a fact; lock-free.</summary>
    void Append(JournalFact fact);

    /// <summary>Reads messages of a session back, in the order given, and hands them to its owner, several calls allowed. Returns at once.</summary>
    void Load(StoredSession session, IReadOnlyList<SpilledDelivery> deliveries);
}

/// <summary>What a journal has done since the start.</summary>
/// <param name="Facts">Facts appended.</param>
/// <param name="Coalesced">Deliveries and values that were superseded or done with before they had to be written.</param>
/// <param name="MessagesWritten">Messages written.</param>
/// <param name="Commits">Transactions committed.</param>
/// <param name="Fsyncs">Times the disk was asked to make what it has durable.</param>
/// <param name="BytesWritten">Bytes handed to the disk, journal and checkpoints together; rather too many than too few.</param>
/// <param name="LastCommitMs">How long the last commit took, in milliseconds.</param>
/// <param name="SlowestCommitMs">How long the slowest took, in milliseconds.</param>
/// <param name="Failures">Transactions that failed and were tried again.</param>
/// <param name="StoreBytes">Bytes in use in the database.</param>
/// <param name="Quarantined">Damaged databases set aside at the start of this process.</param>
/// <param name="CommitsLeft">Transactions left in the budget of those that begin as soon as somebody waits; null: there is no end of them.</param>
/// <param name="WindowMs">How long who waits for a transaction may have to wait for others, in milliseconds: 0 while the budget has room.</param>
public readonly record struct JournalStatistics(
    long Facts,
    long Coalesced,
    long MessagesWritten,
    long Commits,
    long Fsyncs,
    long BytesWritten,
    long LastCommitMs,
    long SlowestCommitMs,
    long Failures,
    long StoreBytes,
    int Quarantined,
    long? CommitsLeft = null,
    long WindowMs = 0);
