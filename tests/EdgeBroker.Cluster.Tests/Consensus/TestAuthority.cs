using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EdgeBroker.Transport.Tls;

namespace EdgeBroker.Cluster.Tests.Consensus;

/// <summary>An authority, and certificates of nodes it has made.</summary>
internal sealed class TestAuthority : IDisposable
{
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public TestAuthority()
    {
        var request = new CertificateRequest("CN=Cluster CA", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        // The machine's TLS judges it, by the machine's clock.
        Certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(2));
    }

    public X509Certificate2 Certificate { get; }

    /// <summary>What it means to trust it.</summary>
    public X509Certificate2Collection Trusted => [X509CertificateLoader.LoadCertificate(Certificate.RawData)];

    /// <summary>A certificate with its key.</summary>
    /// <param name="uri">The URI among its names.</param>
    /// <param name="uses">What it is for; both when nothing is said.</param>
    /// <param name="isOver">Whether its time is over.</param>
    public X509Certificate2 Issue(string uri, string[]? uses = null, bool isOver = false)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + uri.Replace(':', ' '), key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddUri(new Uri(uri));
        request.CertificateExtensions.Add(names.Build());
        var both = new OidCollection();
        foreach (string use in uses ?? ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]) both.Add(new Oid(use));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(both, false));
        DateTimeOffset until = isOver ? DateTimeOffset.UtcNow.AddMinutes(-1) : DateTimeOffset.UtcNow.AddDays(1);
        using X509Certificate2 made = request.Create(Certificate, DateTimeOffset.UtcNow.AddMinutes(-30), until, RandomNumberGenerator.GetBytes(8));
        using X509Certificate2 withKey = made.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pkcs12), null);
    }

    /// <summary>The certificate of a node.</summary>
    public X509Certificate2 Node(byte node, string cluster = "plant") => Issue(new NodeIdentity(cluster, node).Uri);

    public void Dispose()
    {
        Certificate.Dispose();
        _key.Dispose();
    }
}
