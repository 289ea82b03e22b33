using System.Globalization;
using EdgeBroker.Core.Metrics;

namespace EdgeBroker.Cluster.Sockets;

/// <summary>What a mesh node tells of itself, as of its last round: <c>$SYS/broker/cluster/...</c> and <c>edgebroker.cluster.*</c>.</summary>
internal static class MeshMeters
{
    /// <summary>Registers it.</summary>
    /// <param name="meters">Where.</param>
    /// <param name="node">The node.</param>
    /// <param name="peers">The numbers of the others.</param>
    /// <param name="votes">Whether the node votes.</param>
    public static void Register(MeterRegistry meters, MeshNode node, IEnumerable<byte> peers, bool votes)
    {
        meters.Gauge(
            "edgebroker.cluster.peers.linked", "{node}", "other nodes that are linked",
            () => node.Status.Peers.Count(peer => peer.State == "linked"), "cluster/peers/linked");
        meters.Gauge(
            "edgebroker.cluster.filters", "{filter}", "filters that subscribers of a node want", () => node.Status.Filters, "cluster/filters",
            tags: new MeterTag("node", Text(node.Status.Node)));
        if (votes)
        {
            meters.State(
                "cluster/leader", "the node that leads the voters; none: nobody does", () => node.Status.Voters?.Leader is { } leader ? Text(leader) : "none");
            meters.Gauge("edgebroker.cluster.term", "{term}", "term of the voters' leader", () => node.Status.Voters?.Term, "cluster/term");
            meters.Gauge(
                "edgebroker.cluster.majority", "{majority}", "1 while a majority of the voters is in contact",
                () => node.Status.Voters is { } voters ? voters.HasMajority ? 1 : 0 : null, "cluster/majority");
            meters.Gauge(
                "edgebroker.cluster.wills.copies", "{will}", "wills of other nodes' clients that are kept for the case that their node dies",
                () => node.Status.Wills?.Copies, "cluster/wills/copies");
            meters.Counter(
                "edgebroker.cluster.wills.not_copied", "{will}", "wills of this node's clients that no other node got: more than 4 MB",
                () => node.Status.Wills?.NotCopied, "cluster/wills/not_copied");
            meters.Counter(
                "edgebroker.cluster.wills.published", "{will}", "wills of dead nodes' clients that this node has published",
                () => node.Status.Wills?.Published, "cluster/wills/published");
        }

        foreach (byte peer in peers) Register(meters, node, peer, votes);
    }

    private static void Register(MeterRegistry meters, MeshNode node, byte peer, bool votes)
    {
        string topic = "cluster/peers/" + Text(peer);
        var tag = new MeterTag("node", Text(peer));
        if (votes)
        {
            meters.State(topic + "/member", "what the voters hold it for: Up, Down or Left", () =>
                node.Status.Voters?.Members.FirstOrDefault(one => one.Node == peer)?.State);
        }

        meters.State(topic + "/state", "linked, linking or away", () => Find(node, peer)?.State);
        meters.Gauge(
            "edgebroker.cluster.filters", "{filter}", "filters that subscribers of a node want", () => Find(node, peer)?.Filters, topic + "/filters",
            tags: tag);
        meters.Gauge(
            "edgebroker.cluster.outbox.messages", MeterUnit.Messages, "messages that wait for another node", () => Find(node, peer)?.Outbox,
            topic + "/outbox", tags: tag);
        meters.Counter(
            "edgebroker.cluster.messages.taken", MeterUnit.Messages, "messages taken from another node", () => Find(node, peer)?.Taken, topic + "/taken",
            tags: tag);
        meters.Counter(
            "edgebroker.cluster.messages.repeated", MeterUnit.Messages, "messages that came from another node again, and were known",
            () => Find(node, peer)?.Repeated, topic + "/repeated", tags: tag);
    }

    // Before the node has started there is none.
    private static PeerStatus? Find(MeshNode node, byte peer) => node.Status.Peers.FirstOrDefault(one => one.Node == peer);

    private static string Text(byte number) => number.ToString(CultureInfo.InvariantCulture);
}
