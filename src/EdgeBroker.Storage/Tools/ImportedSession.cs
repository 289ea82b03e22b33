using EdgeBroker.Storage.Journal;

namespace EdgeBroker.Storage.Tools;

/// <summary>A session that is being imported.</summary>
/// <param name="Id">Its number in the new store.</param>
/// <param name="LastPosition">Up to here every position is done with that no message names.</param>
internal sealed record ImportedSession(long Id, long LastPosition)
{
    /// <summary>Positions that messages wait under.</summary>
    public DoneSet Open { get; } = new();

    /// <summary>Those of them that PUBREC came for.</summary>
    public SortedSet<long> Released { get; } = [];
}
