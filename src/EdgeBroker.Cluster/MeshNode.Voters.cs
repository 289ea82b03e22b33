using EdgeBroker.Cluster.Consensus;
using EdgeBroker.Cluster.Links;
using EdgeBroker.Cluster.Liveness;
using EdgeBroker.Cluster.State;
using EdgeBroker.Cluster.Wills;
using EdgeBroker.Core.Cluster;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Cluster;

// What the voters agree on, where there are some.
public sealed partial class MeshNode
{
    private WillKeeper? _wills;
    private string? _removed;

    /// <summary>Has this node take part in what the voters agree on. Once it has started, on the thread that serves it.</summary>
    /// <param name="consensus">What they agree on.</param>
    /// <param name="self">What this node says of itself when it has started; the incarnation does not matter.</param>
    internal void Join(IMeshConsensus consensus, NodeUp self)
    {
        Consensus = consensus;
        _monitor = new NodeMonitor(self, _peers.Values, consensus, _options.DeadAfter, Sessions.StartMs);
        Sessions.Join(consensus, _monitor, _options);
        _wills = new WillKeeper(_broker, _options.Node, _peers, consensus, _monitor, StampOf, RequestRun, _log);
        Sessions.ClientConnected = _wills.Cancel;
    }

    /// <summary>Another node has told something of wills. Without voters nobody finds a node dead, and it is of no use.</summary>
    internal bool TakeWill(MeshPeer peer, in WillFrame frame) => _wills?.Take(peer, frame) ?? true;

    private Stamp StampOf(string clientId) => Sessions.StampOf(clientId) is { IsNone: false } known ? known : _clock!.Now;

    /// <summary>Why this node is no member of the cluster any more; null: it is, as far as it has been told. Any thread.</summary>
    internal string? Removed => Volatile.Read(ref _removed);

    /// <summary>Another node says that this one was removed: it serves nobody from now on.</summary>
    internal void NoteRemoved(string cause)
    {
        if (Consensus is null || Removed is not null) return;
        Volatile.Write(ref _removed, cause);
        Sessions.Refusal = cause;
        LogRemoved(_log, cause);
    }

    /// <summary>Hands a proposal on to the node that is thought to lead, or to one that has a link to it.</summary>
    /// <param name="leader">Who is thought to lead.</param>
    /// <param name="command">The command.</param>
    /// <param name="hops">How often it may be handed on from there.</param>
    /// <param name="answered">Called once.</param>
    internal void HandOn(byte leader, ReadOnlySpan<byte> command, int hops, Action<ProposalAnswer> answered)
    {
        PeerLink? link = _peers.GetValueOrDefault(leader)?.Link;
        if (link is null && hops > 0) link = _peers.Values.FirstOrDefault(one => one.Link is { IsLinked: true, Sight.IsMember: true })?.Link;
        if (link is null) answered(new ProposalAnswer(null, Cause: $"there is no link to node {leader}, which leads"));
        else link.HandOn(command, hops, answered);
    }

    /// <summary>Goes on with what has been answered to this node from elsewhere.</summary>
    internal void Resume(Action work)
    {
        _broker.Loops.Begin();
        try
        {
            work();
        }
        finally
        {
            _broker.Loops.End();
        }

        Run();
    }

    /// <summary>What speaks against a node that the voters have removed: the disk it comes with.</summary>
    private string? FindRemoval(Hello theirs, out bool isRemoved)
    {
        isRemoved = Consensus is { } consensus && consensus.View.Members.TryGetValue(theirs.Node, out ClusterMember? member)
            && member.State == MemberState.Left && member.Start.StoreId == theirs.StoreId;
        return isRemoved ? $"node {theirs.Node} was removed from the cluster: it comes back with an empty node.data_dir only" : null;
    }

    /// <summary>Forgets what waits for a node that was removed, what it wants and which sessions it had.</summary>
    private void ForgetRemoved()
    {
        if (Consensus is not { } consensus || !IsCurrent(consensus)) return;
        foreach (MeshPeer peer in _peers.Values)
        {
            bool isLeft = consensus.View.Members.TryGetValue(peer.Node, out ClusterMember? member) && member.State == MemberState.Left;
            if (!isLeft || peer.IsForgotten) continue;
            // Another one may have come by its number; after a start that shows when it links.
            if (peer.StoreId != Guid.Empty && peer.StoreId != member!.Start.StoreId) continue;
            if (peer.Link is null && _nowMs - peer.HeardMs < _options.DeadAfter.TotalMilliseconds) continue;
            if (peer.Link is { } link) Close(link, "it was removed from the cluster");
            LogForgotten(_log, peer.Node, peer.Forget());
        }
    }

    /// <summary>Whether what is applied here is all that is known to be agreed on: while a log is read again, what it says may be over.</summary>
    private bool IsCurrent(IMeshConsensus consensus)
    {
        long committed = Math.Max(consensus.CommitIndex, _peers.Values.Max(peer => peer.Link?.Sight?.CommitIndex) ?? 0);
        return consensus.HasMajority && consensus.View.Index >= committed;
    }

    [LoggerMessage(10007, LogLevel.Error, "this node serves no clients any more: {Cause}")]
    private static partial void LogRemoved(ILogger log, string cause);

    [LoggerMessage(10008, LogLevel.Warning, "node {Node} was removed: its sessions are forgotten, and {Messages} message(s) that waited for it")]
    private static partial void LogForgotten(ILogger log, int node, int messages);

    private VotersStatus? DescribeVoters()
    {
        if (Consensus is not { } consensus) return null;
        // Of voters: what others say of the log is hearsay.
        IEnumerable<MeshPeer> voters = _peers.Values.Where(peer => consensus.Voters.Contains(peer.Node));
        byte own = NodeSight.BitOf(_options.Node);
        return new VotersStatus(consensus.IsFormed, consensus.Leader, consensus.Term, consensus.HasMajority)
        {
            Voters = [.. consensus.Voters.Order()],
            Silent = [.. voters.Where(peer => peer.Link is { IsLinked: true, Sight: null }).Select(peer => peer.Node)],
            LinkedMembers = [.. voters.Where(peer => peer.Link?.Sight is { IsMember: true }).Select(peer => peer.Node)],
            // Whoever comes with another disk than the voters know has lost the one it had.
            OtherStores =
            [
                .. voters.Where(peer => peer.Link is { IsLinked: true } && consensus.View.Members.TryGetValue(peer.Node, out ClusterMember? member)
                    && member.Start.StoreId != peer.StoreId).Select(peer => peer.Node),
            ],
            Runs = [.. voters.Where(peer => peer.Link is { IsLinked: true, Sight.IsRunning: true }).Select(peer => peer.Node)],
            IsVoterElsewhere = voters.Any(peer => peer.Link?.Sight is { } sight && (sight.Voters & own) != 0),
            LinkedCommitIndex = voters.Max(peer => peer.Link?.Sight?.CommitIndex) ?? 0,
            FormedElsewhere = voters.FirstOrDefault(peer => peer.Link?.Sight is { IsMember: true })?.Node,
            Members = [.. consensus.View.Members.Values.Select(one => new MemberStatus(one.Node, one.Start.Name, one.State.ToString(), one.Incarnation))],
            Cause = Removed ?? consensus.Cause ?? _monitor?.Objection,
        };
    }
}
