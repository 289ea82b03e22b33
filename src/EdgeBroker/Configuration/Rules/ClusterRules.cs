using System.Net;
using EdgeBroker.Cluster;
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
    /// <summary>The options; null: there is no cluster, or something is wrong, which has been reported.</summary>
    /// <param name="draft">The table; null: there is none.</param>
    /// <param name="nodeName">This node's name.</param>
    /// <param name="storage">Where it keeps things.</param>
    public ClusterOptions? Apply(ClusterDraft? draft, string nodeName, StorageOptions storage)
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

        if (errors.Count > before) return null;
        MeshOptions mesh = draft.Settings with
        {
            Node = (byte)node,
            Name = nodeName,
            ClusterId = tls?.Own?.Cluster ?? "",
            Peers = [.. peers.Keys],
        };
        return new ClusterOptions(mesh, new MeshEndPoints(new IPEndPoint(ip!, bind.Port), peers, tls));
    }

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
