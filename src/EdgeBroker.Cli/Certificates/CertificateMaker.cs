using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EdgeBroker.Cli.Options;
using EdgeBroker.Transport.Tls;

namespace EdgeBroker.Cli.Certificates;

/// <summary>Makes certificates of a private authority: ECDSA P-256, SHA-256, version 3 with the extensions clients look at.</summary>
internal sealed class CertificateMaker(TimeProvider time)
{
    private const string ForServers = "1.3.6.1.5.5.7.3.1";
    private const string ForClients = "1.3.6.1.5.5.7.3.2";

    // Gateways' clocks are not always right from the start.
    private static readonly TimeSpan ClockSlack = TimeSpan.FromHours(1);

    /// <summary>A new authority.</summary>
    public KeyPair Authority(string name, int days)
    {
        ECDsa key = NewKey();
        CertificateRequest request = Request(Named(name), key);
        request.CertificateExtensions.Add(
            new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: true, pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        (DateTimeOffset from, DateTimeOffset until) = Validity(days);
        return new KeyPair(request.CreateSelfSigned(from, until), key);
    }

    /// <summary>A server's certificate for host names and addresses.</summary>
    public KeyPair Server(KeyPair authority, string name, IEnumerable<string> hosts, int days)
    {
        var names = new SubjectAlternativeNameBuilder();
        foreach (string host in hosts)
        {
            if (IPAddress.TryParse(host, out IPAddress? address)) names.AddIpAddress(address);
            else names.AddDnsName(host);
        }

        return Sign(authority, Named(name), names.Build(), [ForServers], days);
    }

    /// <summary>A client's certificate; its common name becomes the user name.</summary>
    public KeyPair Client(KeyPair authority, string name, int days)
    {
        var names = new SubjectAlternativeNameBuilder();
        names.AddUri(new Uri("urn:edgebroker:client:" + Uri.EscapeDataString(name)));
        return Sign(authority, Named(name), names.Build(), [ForClients], days);
    }

    /// <summary>The certificate of a node of a cluster: for both ends of a connection.</summary>
    public KeyPair Node(KeyPair authority, NodeIdentity identity, int days)
    {
        var names = new SubjectAlternativeNameBuilder();
        names.AddUri(new Uri(identity.Uri));
        return Sign(authority, Named($"node {identity.Node} of {identity.Cluster}"), names.Build(), [ForServers, ForClients], days);
    }

    /// <summary>The same names and uses, a new key, a new time.</summary>
    public KeyPair Renew(KeyPair authority, X509Certificate2 old, int days)
    {
        string[] uses = [];
        X509Extension? names = null;
        foreach (X509Extension extension in old.Extensions)
        {
            if (extension is X509EnhancedKeyUsageExtension usage) uses = [.. usage.EnhancedKeyUsages.Cast<Oid>().Select(use => use.Value).OfType<string>()];
            else if (extension is X509SubjectAlternativeNameExtension) names = extension;
        }

        if (uses.Length == 0 || names is null)
        {
            throw new CommandException(
                "this certificate does not say what it is for (extended key usage) or has no names; make a new one with \"cert server\" or \"cert client\"");
        }

        return Sign(authority, old.SubjectName, names, uses, days);
    }

    private KeyPair Sign(KeyPair authority, X500DistinguishedName subject, X509Extension names, string[] uses, int days)
    {
        ECDsa key = NewKey();
        CertificateRequest request = Request(subject, key);
        request.CertificateExtensions.Add(
            new X509BasicConstraintsExtension(certificateAuthority: false, hasPathLengthConstraint: false, pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        var allowed = new OidCollection();
        foreach (string use in uses) allowed.Add(new Oid(use));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(allowed, critical: false));
        request.CertificateExtensions.Add(names);
        request.CertificateExtensions.Add(
            X509AuthorityKeyIdentifierExtension.CreateFromCertificate(authority.Certificate, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        (DateTimeOffset from, DateTimeOffset until) = Validity(days);
        var end = new DateTimeOffset(authority.Certificate.NotAfter);
        if (end <= from + ClockSlack) throw new CommandException("the authority itself is expired; make a new one with \"edgebroker cert ca\"");
        // Nothing outlives its authority; a truncated end is better than a certificate that silently stops with it.
        X509Certificate2 certificate = request.Create(authority.Certificate, from, until < end ? until : end, Serial());
        return new KeyPair(certificate, key);
    }

    private static byte[] Serial()
    {
        byte[] serial = RandomNumberGenerator.GetBytes(16);
        // Positive, and no byte shorter than it could be.
        serial[0] = (byte)((serial[0] & 0x7F) | 0x40);
        return serial;
    }

    private (DateTimeOffset From, DateTimeOffset Until) Validity(int days)
    {
        DateTimeOffset now = time.GetUtcNow();
        return (now - ClockSlack, (now - ClockSlack).AddDays(days));
    }

    private static ECDsa NewKey() => ECDsa.Create(ECCurve.NamedCurves.nistP256);

    private static X500DistinguishedName Named(string commonName)
    {
        var subject = new X500DistinguishedNameBuilder();
        subject.AddCommonName(commonName);
        return subject.Build();
    }

    private static CertificateRequest Request(X500DistinguishedName subject, ECDsa key)
    {
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        return request;
    }
}
