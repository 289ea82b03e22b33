using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EdgeBroker.Cluster.Consensus;
using EdgeBroker.Transport.Tls;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Cluster.Sockets;

/// <summary>
/// TLS 1.3 between nodes: each shows a certificate of the cluster's authority, in which a URI names the cluster and the node,
/// <c>urn:edgebroker:CLUSTER:NODE</c>. Nothing else counts: no store of the system, no host name, nothing fetched.
/// </summary>
/// <param name="material">Certificate, key, authority and list of what is revoked.</param>
/// <param name="time">The wall clock, for the ends of certificates.</param>
public sealed class PeerTls(TlsMaterial material, TimeProvider time)
{
    private static readonly SslApplicationProtocol Protocol = new("eb-peer/1");

    /// <summary>The cluster and node that this node's own certificate names; null: it names none.</summary>
    public NodeIdentity? Own => NodeIdentity.Of(material.Certificates.First().Certificate);

    /// <summary>SHA-256 of this node's certificate, in lower-case hexadecimal digits.</summary>
    internal string Fingerprint =>
        material.Certificates.First().Certificate.GetCertHashString(HashAlgorithmName.SHA256).ToLowerInvariant();

    /// <summary>The same certificates for connections between voters.</summary>
    /// <param name="isAdmitted">Whether a node may vote, by its identity and its certificate's SHA-256. Any thread.</param>
    /// <param name="log">Where refusals are said.</param>
    internal MemberTls ForVoters(Func<NodeIdentity, string, bool> isAdmitted, ILogger log) =>
        new(material.Certificates.First().Certificate, material.ClientAuthorities ?? [], material.Revocations ?? [], isAdmitted, log);

    /// <summary>Shakes hands with a node.</summary>
    /// <param name="inner">The connection; closed with what is returned.</param>
    /// <param name="isDialed">Whether this node has connected.</param>
    /// <param name="expected">Which node it has to be; null: any of the cluster.</param>
    /// <param name="cancel">Ends it.</param>
    /// <returns>The stream, and the node that the certificate names.</returns>
    /// <exception cref="AuthenticationException">It has not shown a certificate of a node of this cluster; says what is wrong.</exception>
    /// <exception cref="IOException">The connection is gone.</exception>
    internal async Task<(SslStream Stream, byte Node)> ShakeHandsAsync(Stream inner, bool isDialed, byte? expected, CancellationToken cancel)
    {
        var stream = new SslStream(inner);
        try
        {
            byte node = 0;
            string? objection = null;
            bool Validate(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
            {
                objection = FindObjection(certificate as X509Certificate2, chain, expected, out node);
                return objection is null;
            }

            try
            {
                if (isDialed) await stream.AuthenticateAsClientAsync(ClientOptions(Validate), cancel).ConfigureAwait(false);
                else await stream.AuthenticateAsServerAsync(ServerOptions(Validate), cancel).ConfigureAwait(false);
            }
            catch (AuthenticationException exception)
            {
                throw new AuthenticationException(objection ?? exception.Message, exception);
            }

            // The callback is not asked about one that is not there.
            if (node == 0) throw new AuthenticationException("no certificate was shown");
            if (stream.NegotiatedApplicationProtocol != Protocol) throw new AuthenticationException("it does not speak eb-peer/1");
            return (stream, node);
        }
        catch
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private string? FindObjection(X509Certificate2? certificate, X509Chain? chain, byte? expected, out byte node)
    {
        node = 0;
        if (certificate is null) return "no certificate was shown";
        if (ClientCertificate.Refuse(material, certificate, chain, time.GetUtcNow()) is { } wrong) return wrong;
        if (NodeIdentity.Of(certificate) is not { } identity) return "its certificate names no node of a cluster (a URI urn:edgebroker:CLUSTER:NODE)";
        if (identity.Cluster != Own?.Cluster) return "its certificate names another cluster";
        if (expected is { } wanted && identity.Node != wanted) return $"its certificate is node {identity.Node}'s, and not node {wanted}'s";
        node = identity.Node;
        return null;
    }

    private SslClientAuthenticationOptions ClientOptions(RemoteCertificateValidationCallback validate) => new()
    {
        // Nobody's name: what counts stands in the certificate's URI.
        TargetHost = "",
        ClientCertificateContext = material.Select(null),
        EnabledSslProtocols = SslProtocols.Tls13,
        CertificateChainPolicy = ClientCertificate.Policy(material, time.GetUtcNow()),
        RemoteCertificateValidationCallback = validate,
        ApplicationProtocols = [Protocol],
        AllowRenegotiation = false,
    };

    private SslServerAuthenticationOptions ServerOptions(RemoteCertificateValidationCallback validate) => new()
    {
        ServerCertificateContext = material.Select(null),
        ClientCertificateRequired = true,
        EnabledSslProtocols = SslProtocols.Tls13,
        CertificateChainPolicy = ClientCertificate.Policy(material, time.GetUtcNow()),
        RemoteCertificateValidationCallback = validate,
        ApplicationProtocols = [Protocol],
        AllowRenegotiation = false,
        AllowTlsResume = false,
    };
}
