using EdgeBroker.Cli.Control;
using EdgeBroker.Cluster;
using EdgeBroker.Http.Health;

namespace EdgeBroker.Hosting;

/// <summary>The state of the cluster for those who ask: over HTTP and on the control socket.</summary>
internal static class ClusterStatus
{
    /// <summary>For <c>/cluster/status</c>.</summary>
    public static ClusterAnswer ToHttp(MeshStatus status) => new(Word(status), status.Name, status.Peers.Count + 1)
    {
        Nodes = [.. status.Peers.Select(peer => new ClusterNodeAnswer(peer.Node, peer.Name, peer.State, peer.Since / 1000, peer.Outbox)
        {
            Member = MemberOf(status, peer.Node),
        })],
        Raft = status.Voters is { } voters ? new RaftAnswer(Word(voters), voters.Leader, voters.Term, MemberOf(status, status.Node)) : null,
    };

    /// <summary>For <c>edgebroker cluster status</c>.</summary>
    public static ClusterStatusAnswer ToVerb(MeshStatus status) => new()
    {
        Node = status.Node,
        Name = status.Name,
        Filters = status.Filters,
        Sessions = status.Sessions.Owned,
        PassedOver = status.Sessions.PassedOver,
        Waiting = status.Sessions.Waiting,
        Raft = status.Voters is { } voters ? ToVerb(voters) : null,
        Peers = [.. status.Peers.Select(peer => new PeerAnswer
        {
            Node = peer.Node,
            Name = peer.Name,
            State = peer.State,
            SinceSeconds = peer.Since / 1000,
            Outbox = peer.Outbox,
            Filters = peer.Filters,
            Taken = peer.Taken,
            Repeated = peer.Repeated,
            LastError = peer.Cause,
        })],
    };

    private static VotersAnswer ToVerb(VotersStatus voters) => new()
    {
        State = Word(voters),
        Leader = voters.Leader,
        Term = voters.Term,
        Voters = [.. voters.Voters.Select(one => (int)one)],
        LastError = voters.Cause,
        Members = [.. voters.Members.Select(one => new MemberAnswer(one.Node, one.Name, one.State, one.Incarnation))],
    };

    private static string? MemberOf(MeshStatus status, int node) => status.Voters?.Members.FirstOrDefault(one => one.Node == node)?.State;

    private static string Word(VotersStatus voters) =>
        !voters.IsFormed ? "forming" : voters.Leader is null ? "leaderless" : voters.HasMajority ? "ready" : "no-majority";

    private static string Word(MeshStatus status)
    {
        int linked = status.Peers.Count(peer => peer.State == "linked");
        return linked == status.Peers.Count ? "linked" : linked == 0 ? "alone" : "partly linked";
    }
}
