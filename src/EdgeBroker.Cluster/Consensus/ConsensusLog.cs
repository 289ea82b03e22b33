using Microsoft.Extensions.Logging;

namespace EdgeBroker.Cluster.Consensus;

/// <summary>What Raft says in the log.</summary>
internal static partial class ConsensusLog
{
    [LoggerMessage(10500, LogLevel.Information, "Raft of node {Node} listens on {Address}; election time-out {Lower} to {Upper} ms")]
    public static partial void Started(ILogger log, byte node, string address, int lower, int upper);

    [LoggerMessage(10501, LogLevel.Information, "the cluster's leader is node {Leader}, term {Term}")]
    public static partial void Leads(ILogger log, byte leader, long term);

    [LoggerMessage(10502, LogLevel.Warning, "the cluster has no leader; sessions of nodes that are away cannot be claimed")]
    public static partial void NoLeader(ILogger log);

    [LoggerMessage(10503, LogLevel.Error, "Raft begins anew here, for the {Count}. time since the start: {Cause}")]
    public static partial void Restarting(ILogger log, string cause, long count);

    [LoggerMessage(10504, LogLevel.Error, "Raft does not start here; next attempt in {Seconds} s")]
    public static partial void NotRestarted(ILogger log, double seconds, Exception exception);

    [LoggerMessage(10505, LogLevel.Warning, "this node leads the cluster no longer: {Cause}")]
    public static partial void Resigned(ILogger log, string cause);

    [LoggerMessage(10506, LogLevel.Error, "no snapshot of the cluster's state at entry {Index}; the log grows until one can be written")]
    public static partial void NoSnapshot(ILogger log, long index, Exception exception);

    [LoggerMessage(10507, LogLevel.Warning, "refused on the Raft port: {Cause}")]
    public static partial void Refused(ILogger log, string cause);

    [LoggerMessage(10509, LogLevel.Information, "node {Node} is a member of the cluster now")]
    public static partial void Added(ILogger log, byte node);

    [LoggerMessage(10510, LogLevel.Error, "Raft does not start, the node serves without it: {Cause}")]
    public static partial void NotStarted(ILogger log, string cause);

    [LoggerMessage(10511, LogLevel.Warning, "node {Node} votes no more: it was removed from the cluster")]
    public static partial void Removed(ILogger log, byte node);

    [LoggerMessage(10508, LogLevel.Error, "the watch over Raft goes on after a fault")]
    public static partial void WatchFault(ILogger log, Exception exception);
}
