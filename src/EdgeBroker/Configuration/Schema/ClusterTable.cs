using System.Globalization;
using EdgeBroker.Cluster;
using EdgeBroker.Cluster.Consensus;
using EdgeBroker.Configuration.Toml;

namespace EdgeBroker.Configuration.Schema;

/// <summary>The <c>[cluster]</c> table as read; paths as written.</summary>
internal sealed record ClusterDraft(TomlTable Table)
{
    public int Node { get; init; }

    public ListenAddress? Bind { get; init; }

    public PeersDraft Peers { get; init; } = new();

    /// <summary>Where Raft of this node listens; null: it does not vote.</summary>
    public ListenAddress? RaftBind { get; init; }

    public PeersDraft RaftPeers { get; init; } = new();

    public ElectionPace Election { get; init; }

    public ClusterTlsDraft? Tls { get; init; }

    /// <summary>All else.</summary>
    public MeshOptions Settings { get; init; } = new() { Node = 0, Peers = [] };

    /// <summary>Where a key stands; the table's place when it does not.</summary>
    public SourcePosition At(string key) => Table.Find(key)?.Node.Position ?? Table.Position;
}

/// <summary>The addresses of the nodes, by number.</summary>
internal sealed record PeersDraft
{
    public IReadOnlyDictionary<byte, ListenAddress> Addresses { get; init; } = new SortedDictionary<byte, ListenAddress>();
}

/// <summary>A <c>[cluster.tls]</c> as read.</summary>
internal sealed record ClusterTlsDraft
{
    public string? Certificate { get; init; }

    public string? Key { get; init; }

    public string? Authority { get; init; }

    public string? Revocations { get; init; }
}

/// <summary>The keys of <c>[cluster]</c>.</summary>
internal static class ClusterTable
{
    /// <summary>The highest number of a node.</summary>
    public const int MostNodes = 7;

    private static readonly Applies Restart = Applies.AfterRestart("the links to the other nodes are up");

    private static readonly TableSchema<PeersDraft> Peers = MakePeers();

    private static readonly TableSchema<ClusterTlsDraft> Tls = new TableSchema<ClusterTlsDraft>("[cluster.tls]")
    {
        IsExample = true,
        Comment = "required unless all nodes are on loopback: each shows the others a certificate of the cluster's own authority",
    }
        .Key(
            "cert", Kinds.File, o => o.Certificate, (o, v) => o with { Certificate = v }, Restart,
            "for clients and for servers; with the URI urn:edgebroker:CLUSTER:NODE as a name", required: true, example: "\"certs/node.crt\"")
        .Key("key", Kinds.File, o => o.Key, (o, v) => o with { Key = v }, Restart, "", required: true, example: "\"certs/node.key\"")
        .Key(
            "ca", Kinds.File, o => o.Authority, (o, v) => o with { Authority = v }, Restart, "whose certificates of nodes are good, and nobody else's",
            required: true, example: "\"certs/cluster-ca.crt\"")
        .Key(
            "crl", Kinds.File, o => o.Revocations, (o, v) => o with { Revocations = v }, Restart, "certificates of nodes that are good no more",
            example: "\"certs/cluster-ca.crl\"");

    public static readonly TableSchema<ClusterDraft> Schema = new TableSchema<ClusterDraft>("[cluster]")
    {
        IsExample = true,
        Comment = "several brokers as one: messages reach subscribers on every node, retained messages are the same everywhere",
    }
        .Key(
            "node_id", Kinds.Integer(1, MostNodes), o => o.Node == 0 ? null : (int?)o.Node, (o, v) => o with { Node = v }, Restart,
            "this node's number, of no other node", required: true, example: "1")
        .Key(
            "bind", Kinds.Address, o => o.Bind, (o, v) => o with { Bind = v }, Restart, "where it listens for the other nodes", required: true,
            example: "\"192.168.1.10:7946\"")
        .Key(
            "peers", new InlineTableKind<PeersDraft>(Peers, new PeersDraft()), o => o.Peers.Addresses.Count == 0 ? null : o.Peers,
            (o, v) => o with { Peers = v }, Restart, "where the nodes are, by number; its own may stand there, too", required: true,
            example: "{ 1 = \"192.168.1.10:7946\", 2 = \"192.168.1.11:7946\", 3 = \"192.168.1.12:7946\" }")
        .Key(
            "raft_bind", Kinds.Address, o => o.RaftBind, (o, v) => o with { RaftBind = v }, Restart,
            "where this node listens for the other voters, up to three nodes that agree by majority on which nodes are dead;"
            + " without it this node does not vote",
            example: "\"192.168.1.10:7947\"")
        .Key(
            "raft_peers", new InlineTableKind<PeersDraft>(Peers, new PeersDraft()), o => o.RaftPeers.Addresses.Count == 0 ? null : o.RaftPeers,
            (o, v) => o with { RaftPeers = v }, Restart, "where the voters are, by number, as IP addresses; its own may stand there, too",
            example: "{ 1 = \"192.168.1.10:7947\", 2 = \"192.168.1.11:7947\", 3 = \"192.168.1.12:7947\" }")
        .Key(
            "election_timeout",
            Kinds.Choice(
                ("auto", ElectionPace.Auto, "by how fast the disk is"), ("fast", ElectionPace.Fast, "300 to 600 ms"),
                ("slow", ElectionPace.Slow, "1 to 2 s")),
            o => (ElectionPace?)o.Election, (o, v) => o with { Election = v }, Restart,
            "how long voters hear nothing of their leader before they elect another one", commented: true)
        .Key(
            "without_quorum",
            Kinds.Choice(
                ("serve", WithoutQuorum.Serve, "clients are let in; of two sessions of one client the newer counts when the nodes meet"),
                ("refuse", WithoutQuorum.Refuse, "clients whose sessions are kept are turned away")),
            o => (WithoutQuorum?)o.Settings.WithoutQuorum, (o, v) => Set(o, s => s with { WithoutQuorum = v }), Restart,
            "while no majority of the voters is in contact", commented: true)
        .Key(
            "dead_after", Kinds.Seconds(1, 3_600), o => (TimeSpan?)o.Settings.DeadAfter, (o, v) => Set(o, s => s with { DeadAfter = v }), Restart,
            "silence after which a link is given up; what only connected subscribers of a node want is kept for it so long,"
            + " what sessions want until it is back",
            commented: true)
        .Key(
            "max_queued_bytes", Kinds.Size(1 * SizeKind.MB, 1_024 * SizeKind.GB), o => (long?)o.Settings.MaxQueuedBytes,
            (o, v) => Set(o, s => s with { MaxQueuedBytes = v }), Restart, "on disk, for each node that is away; beyond, the oldest messages go",
                commented: true)
        .Key(
            "max_link_bytes", Kinds.Size(64 * SizeKind.KB, 1 * SizeKind.GB), o => (long?)o.Settings.MaxLinkBytes,
            (o, v) => Set(o, s => s with { MaxLinkBytes = v }), Restart, "of messages in memory on their way to one node; beyond, QoS 0 is dropped",
            commented: true)
        .Key(
            "tombstones", Kinds.Seconds(3_600, 365 * 86_400L), o => (TimeSpan?)o.Settings.Tombstones, (o, v) => Set(o, s => s with { Tombstones = v }), Restart,
            "how long a deleted retained message is remembered; a node that was away for longer may bring it back", commented: true)
        .Table("tls", Tls, o => o.Tls, _ => new ClusterTlsDraft(), (o, v) => o with { Tls = v });

    private static ClusterDraft Set(ClusterDraft draft, Func<MeshOptions, MeshOptions> change) => draft with { Settings = change(draft.Settings) };

    private static TableSchema<PeersDraft> MakePeers()
    {
        var schema = new TableSchema<PeersDraft>("peers");
        for (byte node = 1; node <= MostNodes; node++)
        {
            byte own = node;
            schema.Key(
                own.ToString(CultureInfo.InvariantCulture), Kinds.Address, o => o.Addresses.GetValueOrDefault(own),
                (o, v) => o with { Addresses = new SortedDictionary<byte, ListenAddress>(o.Addresses.ToDictionary()) { [own] = v } }, Restart, "");
        }

        return schema;
    }
}
