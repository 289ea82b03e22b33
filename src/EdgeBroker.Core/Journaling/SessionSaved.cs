using EdgeBroker.Core.Sessions;

namespace EdgeBroker.Core.Journaling;

/// <summary>The session exists, and this is how it stands. The last one counts.</summary>
/// <param name="session">The session.</param>
public sealed class SessionSaved(StoredSession session) : JournalFact
{
    /// <summary>The value of a time that does not come.</summary>
    public const long Never = long.MaxValue;

    /// <summary>The session.</summary>
    public StoredSession Session { get; } = session;

    /// <summary>How long it outlives a connection; 0: not at all, though it has to last as long as the one it has.</summary>
    public required uint ExpirySeconds { get; init; }

    /// <summary>Whether it has a connection.</summary>
    public required bool IsConnected { get; init; }

    /// <summary>When it ends, in the broker clock's milliseconds; <see cref="Never"/> while it is connected.</summary>
    public required long EndsAtMs { get; init; }

    /// <summary>When its will is due, in the broker clock's milliseconds; <see cref="Never"/> while it is connected.</summary>
    public required long WillAtMs { get; init; }

    /// <summary>The last position that was ever sent to the client.</summary>
    public required long SentPosition { get; init; }

    /// <summary>The will, or null.</summary>
    public required Will? Will { get; init; }

    /// <summary>The user who began the session, and who alone resumes it; null: anonymous.</summary>
    public required string? UserName { get; init; }

    /// <summary>How its queue behaves; null: as the options of all say.</summary>
    public required QueuePolicy? QueuePolicy { get; init; }
}
