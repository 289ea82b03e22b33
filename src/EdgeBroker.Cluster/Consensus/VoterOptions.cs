using System.Net;

namespace EdgeBroker.Cluster.Consensus;

/// <summary>How long a voter hears nothing of a leader before it stands for election.</summary>
public enum ElectionPace
{
    /// <summary>By how fast the disk flushes at the start.</summary>
    Auto,

    /// <summary>300 to 600 ms.</summary>
    Fast,

    /// <summary>1 to 2 s, for SD cards.</summary>
    Slow,
}

/// <summary>A node that votes: where, and with whom.</summary>
/// <param name="Voters">Where Raft listens at each voter, this one included.</param>
/// <param name="Folder">Where it keeps what has been agreed on.</param>
/// <param name="LinkAddress">Where others reach this node's links, as told to them.</param>
/// <param name="Election">When it stands for election.</param>
public sealed record VoterOptions(IReadOnlyDictionary<byte, IPEndPoint> Voters, string Folder, string LinkAddress, ElectionPace Election);
