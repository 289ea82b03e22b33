namespace EdgeBroker.Cluster.Consensus;

/// <summary>What is seen of a member at one time.</summary>
/// <param name="Now">The time, from any beginning.</param>
/// <param name="HasLeader">Whether it knows a leader.</param>
/// <param name="IsLeader">Whether it leads.</param>
/// <param name="SeesMajority">Whether links to a majority are up.</param>
/// <param name="Applied">The index of the last entry applied.</param>
/// <param name="LeaderCommit">The highest index known to be committed.</param>
/// <param name="Fault">Why its log does nothing any more; null: it works.</param>
/// <param name="Unfit">Why it must not lead; null: it may.</param>
internal readonly record struct RaftSight(
    TimeSpan Now, bool HasLeader, bool IsLeader, bool SeesMajority, long Applied, long LeaderCommit, string? Fault, string? Unfit);

/// <summary>What is to be done with a member.</summary>
internal enum WatchOrder : byte
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Let it begin anew from its disk.</summary>
    Restart,

    /// <summary>Let it give leadership up.</summary>
    Resign,
}

/// <summary>
/// Finds a member that does nothing any more though it could: one that stays behind, that finds no leader though a majority is there, whose log has failed, or
/// that leads with a disk that does not answer. It never lets a member leave; that is for people to decide.
/// </summary>
internal sealed class RaftWatch(TimeSpan electionTimeout)
{
    private const int LeaderlessElections = 10;
    private static readonly TimeSpan MostBehind = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan BetweenRestarts = TimeSpan.FromSeconds(10);

    private long _target;
    private TimeSpan? _behindSince;
    private TimeSpan? _leaderlessSince;
    private TimeSpan? _restartedAt;

    /// <summary>Judges what is seen.</summary>
    /// <param name="sight">What is seen now.</param>
    /// <param name="cause">Why something is to be done.</param>
    public WatchOrder Look(in RaftSight sight, out string cause)
    {
        cause = Fault(sight) ?? Behind(sight) ?? Leaderless(sight) ?? "";
        if (cause.Length > 0 && (_restartedAt is not { } last || sight.Now - last >= BetweenRestarts))
        {
            _restartedAt = sight.Now;
            _behindSince = null;
            _leaderlessSince = null;
            return WatchOrder.Restart;
        }

        if (!sight.IsLeader || sight.Unfit is null) return WatchOrder.None;
        cause = sight.Unfit;
        return WatchOrder.Resign;
    }

    private static string? Fault(in RaftSight sight) => sight.Fault is { } fault ? $"its log has failed: {fault}" : null;

    // Under load it is always a little behind: what counts is whether it reaches where the others were.
    private string? Behind(in RaftSight sight)
    {
        if (_behindSince is null || sight.Applied >= _target)
        {
            _target = sight.LeaderCommit;
            _behindSince = sight.Applied < _target ? sight.Now : null;
        }

        return sight.Now - _behindSince > MostBehind ? $"it has applied {sight.Applied} of {_target} entries and gets no further" : null;
    }

    private string? Leaderless(in RaftSight sight)
    {
        if (sight.HasLeader || !sight.SeesMajority) _leaderlessSince = null;
        else _leaderlessSince ??= sight.Now;
        return sight.Now - _leaderlessSince > electionTimeout * LeaderlessElections ? "it finds no leader, though links to a majority are up" : null;
    }
}
