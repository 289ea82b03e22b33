namespace EdgeBroker.Core.Journaling;

/// <summary>
/// The session is over, and of what it held only the messages of shared subscriptions count any more, until another member has them:
/// <see cref="SessionDeleted"/> follows. A start that finds
/// it so goes on handing them over, whoever uses the client id by now.
/// </summary>
/// <param name="session">The session.</param>
public sealed class SessionEnded(StoredSession session) : JournalFact
{
    /// <summary>The session.</summary>
    public StoredSession Session { get; } = session;
}
