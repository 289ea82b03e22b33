using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EdgeBroker.Transport.Tls;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Cluster.Consensus;

/// <summary>
/// TLS 1.3 between voters, with certificates on both sides. Raft itself takes whoever connects for a member, so everything depends on this: the certificate is
/// of the cluster's authority, of this cluster, of a node that may vote, and where this node connects, of the very node it means to reach.
/// </summary>
internal sealed class MemberTls
{
    private const string ForServers = "1.3.6.1.5.5.7.3.1";
    private const string ForClients = "1.3.6.1.5.5.7.3.2";
    private static readonly SslApplicationProtocol Protocol = new("eb-raft/1");

    private readonly SslStreamCertificateContext _own;
    private readonly X509Certificate2Collection _authorities;
    private readonly IReadOnlyList<RevocationList> _revocations;
    private readonly string _cluster;
    private readonly Func<NodeIdentity, string, bool> _isAdmitted;
    private readonly ILogger _log;

    /// <param name="own">This node's certificate, with its key and chain.</param>
    /// <param name="authorities">The cluster's authority.</param>
    /// <param name="revocations">Lists of what it has revoked.</param>
    /// <param name="isAdmitted">Whether a node may vote, by its identity and its certificate's SHA-256 (lower-case hexadecimal). Any thread.</param>
    /// <param name="log">Where refusals are said.</param>
    /// <exception cref="ArgumentException">The certificate is none of a node.</exception>
    public MemberTls(
        X509Certificate2 own, X509Certificate2Collection authorities, IReadOnlyList<RevocationList> revocations, Func<NodeIdentity, string, bool> isAdmitted,
        ILogger log)
    {
        Identity = NodeIdentity.Of(own) ?? throw new ArgumentException("the certificate names no node; make one with \"edgebroker cert node\"", nameof(own));
        _own = SslStreamCertificateContext.Create(own, authorities, offline: true);
        _authorities = authorities;
        _revocations = revocations;
        _cluster = Identity.Cluster;
        _isAdmitted = isAdmitted;
        _log = log;
        ServerOptions = new SslServerAuthenticationOptions
        {
            ServerCertificateContext = _own,
            ClientCertificateRequired = true,
            EnabledSslProtocols = SslProtocols.Tls13,
            ApplicationProtocols = [Protocol],
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            CertificateChainPolicy = Policy(ForClients),
            AllowRenegotiation = false,
            AllowTlsResume = false,
            RemoteCertificateValidationCallback = (_, certificate, chain, _) => IsGood(certificate, chain, expected: null),
        };
    }

    /// <summary>How connections are taken.</summary>
    public SslServerAuthenticationOptions ServerOptions { get; }

    /// <summary>Which node this is, by its certificate.</summary>
    public NodeIdentity Identity { get; }

    /// <summary>The voter at an address; set before anything connects.</summary>
    public Func<EndPoint, byte?> NodeAt { get; set; } = static _ => null;

    /// <summary>How a voter is connected to: at its address nobody else will do.</summary>
    public SslClientAuthenticationOptions ClientOptions(EndPoint address)
    {
        byte? expected = NodeAt(address);
        return new SslClientAuthenticationOptions
        {
            // Sent, and compared with nothing: who it is stands in the certificate's URI.
            TargetHost = _cluster,
            ClientCertificateContext = _own,
            EnabledSslProtocols = SslProtocols.Tls13,
            ApplicationProtocols = [Protocol],
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            CertificateChainPolicy = Policy(ForServers),
            AllowRenegotiation = false,
            AllowTlsResume = false,
            RemoteCertificateValidationCallback = (_, certificate, chain, _) => IsGood(certificate, chain, expected ?? 0),
        };
    }

    private X509ChainPolicy Policy(string use)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        policy.CustomTrustStore.AddRange(_authorities);
        policy.ApplicationPolicy.Add(new Oid(use));
        return policy;
    }

    // What the library found is not asked: it includes the name of the host, which does not matter here. The chain's own findings are.
    private bool IsGood(X509Certificate? shown, X509Chain? chain, byte? expected)
    {
        if (Objection(shown as X509Certificate2, chain, expected) is not { } objection) return true;
        ConsensusLog.Refused(_log, objection);
        return false;
    }

    private string? Objection(X509Certificate2? certificate, X509Chain? chain, byte? expected)
    {
        if (certificate is null || chain is null) return "no certificate was shown";
        string shown = CertificateFindings.Shown(certificate);
        if (chain.ChainElements.Count == 0) return $"the certificate {shown} could not be checked";
        foreach (X509ChainStatus status in chain.ChainStatus)
        {
            if (status.Status != X509ChainStatusFlags.NoError) return $"the certificate {shown}: {status.StatusInformation.TrimEnd()}";
        }

        foreach (X509ChainElement element in chain.ChainElements)
        {
            if (_revocations.Any(list => list.IsFor(element.Certificate) && list.Revokes(element.Certificate))) return $"the certificate {shown} is revoked";
        }

        if (NodeIdentity.Of(certificate) is not { } identity) return $"the certificate {shown} is none of a node";
        if (identity.Cluster != _cluster) return $"the certificate {shown} is of the cluster {identity.Cluster}, and this is {_cluster}";
        if (expected is { } node && node != identity.Node) return $"node {identity.Node} answered where node {node} should be";
        return _isAdmitted(identity, certificate.GetCertHashString(HashAlgorithmName.SHA256).ToLowerInvariant()) ? null
            : $"node {identity.Node} may not vote here";
    }
}
