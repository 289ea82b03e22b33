using EdgeBroker.Core.Journaling;

namespace EdgeBroker.Core.Ports;

/// <summary>Whether the store can take more.</summary>
public enum JournalCondition
{
    /// <summary>It can.</summary>
    Ready,

    /// <summary>The configured size is used up: what waits already is kept, new messages need an old one's place.</summary>
    Full,

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

    /// <summary>Bytes it may come to hold (<c>storage.max_bytes</c>).</summary>
    long MaxBytes { get; }

    /// <summary>What it has done so far, for displays.</summary>
    JournalStatistics Statistics { get; }

    /// <summary>Gives a session that begins an identity in the store. The store holds it from its first fact on.</summary>
    StoredSession Open(string clientId);

    /// <summary>Takes a fact; lock-free.</summary>
    void Append(JournalFact fact);

    /// <summary>Reads messages of a session back, in the order given, and hands them to its owner, several calls allowed. Returns at once.</summary>
    void Load(StoredSession session, IReadOnlyList<SpilledDelivery> deliveries);
}
