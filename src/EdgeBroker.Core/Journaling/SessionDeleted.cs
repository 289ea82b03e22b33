namespace EdgeBroker.Core.Journaling;

/// <summary>The session and all it held is gone.</summary>
/// <param name="session">The session.</param>
/// <param name="spilled">What waited for it on disk.</param>
public sealed class SessionDeleted(StoredSession session, IReadOnlyList<SpilledDelivery> spilled) : JournalFact
{
    /// <summary>The session.</summary>
    public StoredSession Session { get; } = session;

    /// <summary>What waited for it on disk and not in memory.</summary>
    public IReadOnlyList<SpilledDelivery> Spilled { get; } = spilled;
}
