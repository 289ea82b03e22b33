using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace EdgeBroker.Transport.Tls;

/// <summary>Which node of which cluster a certificate stands for: the URI <c>urn:edgebroker:CLUSTER:NODE</c> among its names.</summary>
/// <param name="Cluster">The cluster: 1 to 32 lower-case letters, digits and hyphens.</param>
/// <param name="Node">The node, 1 to 7.</param>
public readonly record struct NodeIdentity(string Cluster, byte Node)
{
    /// <summary>Node ids are 1 to this.</summary>
    public const byte MostNode = 7;

    private const string Prefix = "urn:edgebroker:";
    private const int LongestCluster = 32;
    private const int DerivedBytes = 8;
    // What certificates of clients have in its place.
    private const string OfClients = "client";

    /// <summary>The URI.</summary>
    public string Uri => string.Create(CultureInfo.InvariantCulture, $"{Prefix}{Cluster}:{Node}");

    /// <summary>The node a certificate stands for; null: none, or more than one.</summary>
    public static NodeIdentity? Of(X509Certificate2 certificate)
    {
        NodeIdentity? found = null;
        foreach (string uri in CertificateNames.Of(certificate).Uris)
        {
            if (Parse(uri) is not { } identity) continue;
            if (found is not null) return null;
            found = identity;
        }

        return found;
    }

    /// <summary>Reads the URI; null: it is none of a node.</summary>
    public static NodeIdentity? Parse(string uri)
    {
        if (!uri.StartsWith(Prefix, StringComparison.Ordinal)) return null;
        return uri[Prefix.Length..].Split(':') is [var cluster, [>= '1' and var node]] && node <= '0' + MostNode && IsCluster(cluster)
            ? new NodeIdentity(cluster, (byte)(node - '0'))
            : null;
    }

    /// <summary>Whether this can be a cluster's name.</summary>
    public static bool IsCluster(string name) =>
        name.Length is > 0 and <= LongestCluster && name != OfClients && name.All(c => c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '-');

    /// <summary>The name of the cluster of an authority that makes certificates for one only: 16 hexadecimal digits of its public key.</summary>
    public static string ClusterOf(X509Certificate2 authority) =>
        Convert.ToHexStringLower(SHA256.HashData(authority.PublicKey.ExportSubjectPublicKeyInfo())[..DerivedBytes]);
}
