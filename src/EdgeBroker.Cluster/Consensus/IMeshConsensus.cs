using EdgeBroker.Cluster.State;

namespace EdgeBroker.Cluster.Consensus;

/// <summary>What became of a proposal.</summary>
/// <param name="Applied">Its outcome; null: it was not applied as far as is known.</param>
/// <param name="IsUncertain">Without an outcome: whether it may be applied all the same, now or later.</param>
/// <param name="Cause">Without an outcome: why.</param>
internal readonly record struct ProposalAnswer(Applied? Applied, bool IsUncertain = false, string Cause = "");

/// <summary>What a mesh node has of the voters' agreement. Only on the thread that serves the cluster.</summary>
internal interface IMeshConsensus
{
    /// <summary>Members, leases and level as applied here.</summary>
    ClusterView View { get; }

    /// <summary>The nodes that vote, or are to.</summary>
    IReadOnlyCollection<byte> Voters { get; }

    /// <summary>Whether this node has been made a member of a group of voters.</summary>
    bool IsMember { get; }

    /// <summary>Whether this node was ever made a member, as its disk has it: then a cluster is formed, though Raft may not run here.</summary>
    bool IsFormed { get; }

    /// <summary>Whether Raft runs here.</summary>
    bool IsRunning { get; }

    /// <summary>The voters that are members by now, as known here.</summary>
    IReadOnlyCollection<byte> Members { get; }

    /// <summary>The leader as known here; null: none is.</summary>
    byte? Leader { get; }

    /// <summary>The leader's term; 0: none is known.</summary>
    long Term { get; }

    /// <summary>The highest index known to be committed.</summary>
    long CommitIndex { get; }

    /// <summary>Whether a majority was in contact a short while ago.</summary>
    bool HasMajority { get; }

    /// <summary>Why it does not run; null: it runs.</summary>
    string? Cause { get; }

    /// <summary>The last claim to a session of a node that was dead, and has not come back since; null: there is none.</summary>
    Claim? FindClaim(string clientId);

    /// <summary>Proposes a command.</summary>
    /// <param name="command">Its bytes; not to be changed meanwhile.</param>
    /// <param name="hops">How often it may be handed on to who is thought to lead.</param>
    /// <param name="answered">Called once, on the same thread, perhaps before this returns.</param>
    void Propose(ReadOnlyMemory<byte> command, int hops, Action<ProposalAnswer> answered);
}
