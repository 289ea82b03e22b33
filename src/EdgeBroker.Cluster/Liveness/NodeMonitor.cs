using EdgeBroker.Cluster.Consensus;
using EdgeBroker.Cluster.Links;
using EdgeBroker.Cluster.State;

namespace EdgeBroker.Cluster.Liveness;

/// <summary>
/// Has the voters know that this node is there, and, while it leads them, which of the others are dead: those that it and others, together a majority of the
/// voters, have not heard for <c>dead_after</c>. Only on the thread that serves the cluster.
/// </summary>
/// <param name="self">What this node says of itself; its incarnation is given here.</param>
/// <param name="peers">The other nodes.</param>
/// <param name="consensus">What the voters agree on.</param>
/// <param name="deadAfter">How long a node is not heard until it counts as dead.</param>
/// <param name="startMs">When this node started.</param>
internal sealed class NodeMonitor(NodeUp self, IReadOnlyCollection<MeshPeer> peers, IMeshConsensus consensus, TimeSpan deadAfter, long startMs)
{
    // What the voters do not agree to is not written to their disks with each tick.
    private const long RefusedMs = 1_000;

    private bool _isProposing;
    private long _incarnation;
    private long _majorityMs = startMs;
    private long _nowMs;
    private long _notBeforeMs;

    /// <summary>The number of this start; 0: the voters have not heard of it yet.</summary>
    public long Incarnation => consensus.View.IsUp(self.Node, _incarnation) ? _incarnation : 0;

    /// <summary>Why the voters do not take this node for a member; null: they do, or have not been asked.</summary>
    public string? Objection { get; private set; }

    /// <summary>Whether no majority of the voters has been in contact for <c>dead_after</c>.</summary>
    public bool IsWithoutMajority { get; private set; }

    /// <summary>How this node sees the cluster.</summary>
    public NodeSight Sight { get; private set; }

    /// <summary>Time passes.</summary>
    /// <param name="nowMs">The time.</param>
    public void Tick(long nowMs)
    {
        byte away = 0;
        foreach (MeshPeer peer in peers)
        {
            if (peer.Link is null && nowMs - peer.HeardMs >= deadAfter.TotalMilliseconds) away |= NodeSight.BitOf(peer.Node);
        }

        byte voters = 0;
        foreach (byte voter in consensus.Members) voters |= NodeSight.BitOf(voter);
        Sight = new NodeSight(consensus.IsMember, consensus.CommitIndex, away) { IsRunning = consensus.IsRunning, Voters = voters };
        _nowMs = nowMs;
        if (consensus.HasMajority) _majorityMs = nowMs;
        IsWithoutMajority = nowMs - _majorityMs >= deadAfter.TotalMilliseconds;
        // Without a majority nothing can be decided, and what is known here may be old.
        if (_isProposing || nowMs < _notBeforeMs || consensus.Leader is null || !consensus.HasMajority) return;
        if (((ClusterCommand?)FindStart() ?? FindDead()) is not { } command) return;
        byte[] bytes = CommandCodec.Write(command);
        _isProposing = true;
        consensus.Propose(bytes, ConsensusFrames.MostHops, answer =>
        {
            _isProposing = false;
            if (answer.Applied is { Outcome: not CommandOutcome.Done }) _notBeforeMs = _nowMs + RefusedMs;
            if (command is NodeUp && answer.Applied is { } applied) Objection = Explain(applied.Outcome);
        });
    }

    // Each start has a number above that of the one before, as all know it; and one that was taken for dead begins anew.
    private NodeUp? FindStart()
    {
        ClusterView view = consensus.View;
        if (view.IsUp(self.Node, _incarnation)) return null;
        _incarnation = view.Members.TryGetValue(self.Node, out ClusterMember? former) ? former.Incarnation + 1 : 1;
        // What was claimed over this node is told over links by those who have it now; claims not applied here yet go with the next start.
        return self with { Incarnation = _incarnation, SettledThrough = view.LastGrant };
    }

    private NodeDown? FindDead()
    {
        if (consensus.Leader != self.Node) return null;
        foreach (ClusterMember member in consensus.View.Members.Values)
        {
            if (member.State == MemberState.Up && member.Node != self.Node && IsDead(member.Node)) return new NodeDown(member.Node, member.Incarnation);
        }

        return null;
    }

    private bool IsDead(byte node)
    {
        if (!Sight.Misses(node)) return false;
        int missing = 1 + peers.Count(peer => consensus.Voters.Contains(peer.Node) && peer.Link?.Sight is { } sight && sight.Misses(node));
        return missing * 2 > consensus.Voters.Count;
    }

    private static string? Explain(CommandOutcome outcome) => outcome switch
    {
        CommandOutcome.Done or CommandOutcome.NoChange or CommandOutcome.StaleIncarnation => null,
        CommandOutcome.Removed => "it was removed from the cluster; it comes back with an empty data directory and another certificate only",
        CommandOutcome.GrantTooFar => "its store is of another cluster: grants in it lie further ahead than can be",
        CommandOutcome.VersionNotSpoken => "its version is older than the cluster's: upgrade it",
        _ => $"the voters answered {outcome}",
    };
}
