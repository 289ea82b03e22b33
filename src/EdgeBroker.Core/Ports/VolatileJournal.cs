using EdgeBroker.Core.Journaling;

namespace EdgeBroker.Core.Ports;

/// <summary>
/// The journal of a broker whose sessions and retained messages live as long as the process: they are all in memory already, so it keeps nothing.
/// </summary>
public sealed class VolatileJournal : IJournal
{
    /// <summary>The only one needed.</summary>
    public static readonly VolatileJournal Instance = new();

    /// <inheritdoc/>
    public bool IsDurable => false;

    /// <inheritdoc/>
    public JournalCondition Condition => JournalCondition.Ready;

    /// <inheritdoc/>
    public long MaxBytes => long.MaxValue;

    /// <inheritdoc/>
    public JournalStatistics Statistics => default;

    /// <inheritdoc/>
    public StoredSession Open(string clientId) => throw new NotSupportedException("a volatile journal holds no sessions");

    /// <inheritdoc/>
    public void Append(JournalFact fact) => throw new NotSupportedException("a volatile journal takes no facts");

    /// <inheritdoc/>
    public void Load(StoredSession session, IReadOnlyList<SpilledDelivery> deliveries) =>
        throw new NotSupportedException("a volatile journal holds no messages");
}
