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
        Nodes = [.. status.Peers.Select(peer => new ClusterNodeAnswer(peer.Node, peer.Name, peer.State, peer.Since / 1000, peer.Outbox))],
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

    private static string Word(MeshStatus status)
    {
        int linked = status.Peers.Count(peer => peer.State == "linked");
        return linked == status.Peers.Count ? "linked" : linked == 0 ? "alone" : "partly linked";
    }
}
