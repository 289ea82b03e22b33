using System.Net;
using EdgeBroker.Cluster;
using EdgeBroker.Cluster.Consensus;
using EdgeBroker.Cluster.Sockets;
using EdgeBroker.Configuration.Schema;
using EdgeBroker.Storage;
using EdgeBroker.Transport.Tls;

namespace EdgeBroker.Configuration.Rules;

/// <summary>A node of a mesh, as configured.</summary>
/// <param name="Mesh">What the node is told.</param>
/// <param name="EndPoints">Where it listens, and where the others are.</param>
internal sealed record ClusterOptions(MeshOptions Mesh, MeshEndPoints EndPoints);

/// <summary>What the keys of <c>[cluster]</c> mean together, and what the files they name hold.</summary>
internal sealed class ClusterRules(string baseDirectory, TimeProvider time, ConfigurationErrors errors, List<string> warnings)
{
    // As many as EdgeBroker.Cluster takes: with more, what it builds on may agree with less than a majority.
    private const int MostVoters = 3;

    /// <summary>The options; null: there is no cluster, or something is wrong, which has been reported.</summary>
    /// <param name="draft">The table; null: there is none.</param>
    /// <param name="nodeName">This node's name.</param>
    /// <param name="dataDirectory">Where it keeps files.</param>
    /// <param name="storage">Where it keeps things.</param>
    public ClusterOptions? Apply(ClusterDraft? draft, string nodeName, string dataDirectory, StorageOptions storage)
    {
        // What is missing has been reported.
        if (draft is not { Bind: { } bind, Node: > 0 and var node } || draft.Peers.Addresses.Count == 0) return null;
        int before = errors.Count;
        if (storage.Durability == StoreDurability.Memory)
        {
            errors.Add(draft.Table.Position, "[cluster] needs a store: what other nodes are owed must outlive this process (storage.durability)");
        }

        if (!IPAddress.TryParse(bind.Host.Trim('[', ']'), out IPAddress? ip) || bind.Port <= 0)
        {
            errors.Add(draft.At("bind"), "\"bind\" is an IP address of this machine and a port, as in \"192.168.1.10:7946\"");
        }

        var peers = new SortedDictionary<byte, DnsEndPoint>();
        foreach ((byte number, ListenAddress address) in draft.Peers.Addresses)
        {
            if (address.Port <= 0) errors.Add(draft.At("peers"), $"node {number} in \"peers\" needs a host and a port");
            else if (number != node) peers.Add(number, new DnsEndPoint(address.Host.Trim('[', ']'), address.Port));
        }

        if (peers.Count == 0) errors.Add(draft.At("peers"), $"\"peers\" names no other node than {node}, which is this one");
        PeerTls? tls = draft.Tls is { } files ? Load(draft, files, node) : null;
        bool isLocal = bind.IsLoopback && draft.Peers.Addresses.Values.All(one => one.IsLoopback);
        if (draft.Tls is null && !isLocal)
        {
            errors.Add(draft.Table.Position, "[cluster] needs a table [cluster.tls]: off loopback nodes speak to each other under certificates only");
        }

        VoterOptions? voter = Vote(draft, bind, (byte)node, peers, tls is null, dataDirectory);
        if (errors.Count > before) return null;
        MeshOptions mesh = draft.Settings with
        {
            Node = (byte)node,
            Name = nodeName,
            ClusterId = tls?.Own?.Cluster ?? "",
            Peers = [.. peers.Keys],
        };
        return new ClusterOptions(mesh, new MeshEndPoints(new IPEndPoint(ip!, bind.Port), peers, tls) { Voter = voter });
    }

    /// <summary>As which voter; null: the node does not vote, or something is wrong, which has been reported.</summary>
    private VoterOptions? Vote(
        ClusterDraft draft, ListenAddress bind, byte node, SortedDictionary<byte, DnsEndPoint> peers, bool isOpen, string dataDirectory)
    {
        int before = errors.Count;
        if (draft.RaftBind is not { } own)
        {
            if (draft.RaftPeers.Addresses.Count > 0) errors.Add(draft.At("raft_peers"), "\"raft_peers\" needs \"raft_bind\": a node that votes listens, too");
            return null;
        }

        var voters = new SortedDictionary<byte, IPEndPoint>();
        Add(voters, draft, "raft_bind", node, own);
        foreach ((byte number, ListenAddress address) in draft.RaftPeers.Addresses)
        {
            if (number == node && (address.Host, address.Port) != (own.Host, own.Port))
            {
                errors.Add(draft.At("raft_peers"), $"node {node} is this one, and \"raft_bind\" has another address for it");
            }
            else if (number != node && !peers.ContainsKey(number))
            {
                errors.Add(draft.At("raft_peers"), $"node {number} is not in \"peers\": voters are linked as well");
            }
            else if (number != node)
            {
                Add(voters, draft, "raft_peers", number, address);
            }
        }

        if (voters.Count is 1 or > MostVoters)
        {
            errors.Add(draft.At("raft_peers"), $"two or {MostVoters} nodes vote, this one included; here are {voters.Count}");
        }

        if (voters.Values.Distinct().Count() < voters.Count) errors.Add(draft.At("raft_peers"), "two voters have the same address");
        if (voters.TryGetValue(node, out IPEndPoint? mine) && mine.Port == bind.Port && Overlaps(bind, mine.Address))
        {
            errors.Add(draft.At("raft_bind"), "\"bind\" and \"raft_bind\" need ports of their own");
        }

        if (isOpen && voters.Values.Any(one => !IPAddress.IsLoopback(one.Address)))
        {
            errors.Add(draft.At("raft_peers"), "voters off loopback need a table [cluster.tls]: without certificates anybody could vote");
        }

        if (errors.Count > before) return null;
        return new VoterOptions(voters, Path.Combine(dataDirectory, "raft"), $"{bind.Host}:{bind.Port}", draft.Election);
    }

    private void Add(SortedDictionary<byte, IPEndPoint> voters, ClusterDraft draft, string key, byte node, ListenAddress address)
    {
        bool isOne = IPAddress.TryParse(address.Host.Trim('[', ']'), out IPAddress? ip) && !IsAny(ip) && address.Port > 0;
        if (isOne) voters.Add(node, new IPEndPoint(ip!, address.Port));
        else errors.Add(draft.At(key), $"node {node} in \"{key}\" needs an IP address, at which the others reach it, and a port, as in \"192.168.1.10:7947\"");
    }

    private static bool IsAny(IPAddress ip) => ip.Equals(IPAddress.Any) || ip.Equals(IPAddress.IPv6Any);

    private static bool Overlaps(ListenAddress bind, IPAddress address) =>
        IPAddress.TryParse(bind.Host.Trim('[', ']'), out IPAddress? ip) && (IsAny(ip) || ip.Equals(address));

    private PeerTls? Load(ClusterDraft draft, ClusterTlsDraft files, int node)
    {
        if (files is not { Certificate: { } certificate, Key: { } key, Authority: { } authority }) return null;
        try
        {
            TlsMaterial material = TlsMaterial.Load(new TlsOptions
            {
                Certificates = [new CertificateFiles(Full(certificate), Full(key))],
                ClientCaFile = Full(authority),
                ClientAuthentication = ClientAuthentication.Require,
                Identity = CertificateIdentity.Uri,
                Tls13Only = true,
                RevocationFile = files.Revocations is { } list ? Full(list) : null,
            });
            foreach (string finding in CertificateFindings.Of(material, time.GetUtcNow())) warnings.Add($"{draft.At("tls")}: {Printable.Escape(finding)}");
            var tls = new PeerTls(material, time);
            if (tls.Own is not { } own)
            {
                errors.Add(draft.At("tls"), "the certificate in [cluster.tls] names no node: it needs the URI urn:edgebroker:CLUSTER:NODE");
            }
            else if (own.Node != node)
            {
                errors.Add(draft.At("tls"), $"the certificate in [cluster.tls] is node {own.Node}'s, and node_id is {node}");
            }

            return tls;
        }
        catch (CertificateFileException exception)
        {
            errors.Add(draft.At("tls"), $"{Printable.Escape(exception.File)} {Printable.Escape(exception.Message)}");
            return null;
        }
    }

    private string Full(string path) => Path.GetFullPath(path, baseDirectory);
}
