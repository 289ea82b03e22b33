using System.Net;
using EdgeBroker.Cluster;
using EdgeBroker.Cluster.Consensus;
using EdgeBroker.Configuration.Rules;

namespace EdgeBroker.Tests.Configuration;

/// <summary>The table <c>[cluster]</c>.</summary>
public sealed class ClusterTests
{
    private const string Local =
        "[cluster]\nnode_id = 2\nbind = \"127.0.0.1:7002\"\npeers = { 1 = \"127.0.0.1:7001\", 2 = \"127.0.0.1:7002\", 3 = \"127.0.0.1:7003\" }\n";

    [Fact]
    public void Without_it_a_broker_is_alone()
    {
        using var given = new Given("[node]\nname = \"a\"\n");
        Assert.Null(given.Valid().Cluster);
    }

    [Fact]
    public void Every_key_arrives_where_it_belongs()
    {
        using var given = new Given(
            "[node]\nname = \"gw\"\n" + Local + "dead_after = \"9s\"\nmax_queued_bytes = \"10MB\"\nmax_link_bytes = \"1MB\"\ntombstones = \"2d\"\n");
        ClusterOptions cluster = given.Valid().Cluster!;
        Assert.Equal((2, "gw", ""), (cluster.Mesh.Node, cluster.Mesh.Name, cluster.Mesh.ClusterId));
        Assert.Equal([1, 3], cluster.Mesh.Peers);
        Assert.Equal((TimeSpan.FromSeconds(9), TimeSpan.FromDays(2)), (cluster.Mesh.DeadAfter, cluster.Mesh.Tombstones));
        Assert.Equal((10L << 20, 1L << 20), (cluster.Mesh.MaxQueuedBytes, cluster.Mesh.MaxLinkBytes));
        Assert.Equal(new IPEndPoint(IPAddress.Loopback, 7002), cluster.EndPoints.Bind);
        Assert.Equal(new DnsEndPoint("127.0.0.1", 7003), cluster.EndPoints.Peers[3]);
        Assert.Null(cluster.EndPoints.Tls);
    }

    [Fact]
    public void A_node_votes_with_those_it_names()
    {
        using var given = new Given(
            Local + "raft_bind = \"127.0.0.1:7102\"\nraft_peers = { 1 = \"127.0.0.1:7101\", 2 = \"127.0.0.1:7102\" }\nelection_timeout = \"slow\"\n"
            + "without_quorum = \"refuse\"\n");
        ClusterOptions cluster = given.Valid().Cluster!;
        VoterOptions voter = cluster.EndPoints.Voter!;
        Assert.Equal([1, 2], voter.Voters.Keys);
        Assert.Equal(new IPEndPoint(IPAddress.Loopback, 7101), voter.Voters[1]);
        Assert.Equal((ElectionPace.Slow, WithoutQuorum.Refuse), (voter.Election, cluster.Mesh.WithoutQuorum));
        using var alone = new Given(Local);
        Assert.Null(alone.Valid().Cluster!.EndPoints.Voter);
    }

    [Theory]
    [InlineData("[cluster]\nnode_id = 1\nbind = \"192.168.1.10:7946\"\npeers = { 2 = \"192.168.1.11:7946\" }\n", "needs a table [cluster.tls]")]
    [InlineData("[cluster]\nnode_id = 1\nbind = \"127.0.0.1:7946\"\npeers = { 2 = \"192.168.1.11:7946\" }\n", "needs a table [cluster.tls]")]
    [InlineData("[cluster]\nnode_id = 1\nbind = \"127.0.0.1:7946\"\npeers = { 1 = \"127.0.0.1:7946\" }\n", "names no other node")]
    [InlineData("[cluster]\nnode_id = 1\nbind = \"gw.plant.example:7946\"\npeers = { 2 = \"127.0.0.1:7946\" }\n", "is an IP address of this machine")]
    [InlineData("[cluster]\nnode_id = 8\nbind = \"127.0.0.1:7946\"\npeers = { 2 = \"127.0.0.1:7947\" }\n", "a whole number from 1 to 7")]
    [InlineData("[cluster]\nnode_id = 1\nbind = \"127.0.0.1:7946\"\npeers = { 9 = \"127.0.0.1:7947\" }\n", "9")]
    [InlineData("[cluster]\nnode_id = 1\n", "needs the key \"bind\"")]
    [InlineData("[storage]\ndurability = \"memory\"\n" + Local, "needs a store")]
    [InlineData(Local + "witness = true\n", "witness")]
    [InlineData(Local + "raft_peers = { 1 = \"127.0.0.1:7101\" }\n", "needs \"raft_bind\"")]
    [InlineData(Local + "raft_bind = \"127.0.0.1:7102\"\n", "two or 3 nodes vote")]
    [InlineData(Local + "raft_bind = \"127.0.0.1:7102\"\nraft_peers = { 2 = \"127.0.0.1:7103\", 1 = \"127.0.0.1:7101\" }\n", "another address")]
    [InlineData(Local + "raft_bind = \"127.0.0.1:7102\"\nraft_peers = { 5 = \"127.0.0.1:7105\" }\n", "not in \"peers\"")]
    [InlineData(Local + "raft_bind = \"127.0.0.1:7102\"\nraft_peers = { 1 = \"127.0.0.1:7102\" }\n", "same address")]
    [InlineData(Local + "raft_bind = \"127.0.0.1:7002\"\nraft_peers = { 1 = \"127.0.0.1:7101\" }\n", "ports of their own")]
    [InlineData(Local + "raft_bind = \"127.0.0.1:7102\"\nraft_peers = { 1 = \"192.168.1.10:7101\" }\n", "voters off loopback need")]
    [InlineData(Local + "raft_bind = \"127.0.0.1:7102\"\nraft_peers = { 1 = \"gw.example:7101\" }\n", "needs an IP address")]
    [InlineData(Local + "raft_bind = \"0.0.0.0:7102\"\nraft_peers = { 1 = \"127.0.0.1:7101\" }\n", "at which the others reach it")]
    [InlineData(Local + "without_quorum = \"panic\"\n", "without_quorum")]
    [InlineData(Local + "[cluster.tls]\ncert = \"n.crt\"\nkey = \"n.key\"\nca = \"ca.crt\"\n", "n.crt")]
    public void What_cannot_work_is_refused_in_words(string text, string words)
    {
        using var given = new Given(text);
        Assert.Contains(given.Errors(), error => error.Contains(words, StringComparison.Ordinal));
    }
}
