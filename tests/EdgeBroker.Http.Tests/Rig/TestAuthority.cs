using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace EdgeBroker.Http.Tests.Rig;

/// <summary>A certificate authority that also makes what a good one would not.</summary>
internal sealed class TestAuthority
{
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private int _serial;

    public TestAuthority(string name = "Test CA")
    {
        var request = new CertificateRequest($"CN={name}", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        Certificate = request.CreateSelfSigned(Now.AddDays(-100), Now.AddDays(1000));
    }

    public static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    public X509Certificate2 Certificate { get; }

    public string Pem => Certificate.ExportCertificatePem();

    /// <param name="key">The key of a certificate that this one is to take the place of; null: one of its own.</param>
    public Issued Server(string[]? hosts = null, int fromDays = -1, int toDays = 365, ECDsa? key = null)
    {
        var names = new SubjectAlternativeNameBuilder();
        foreach (string host in hosts ?? ["localhost", "127.0.0.1"])
        {
            if (IPAddress.TryParse(host, out IPAddress? address)) names.AddIpAddress(address);
            else names.AddDnsName(host);
        }

        return Issue($"CN={(hosts ?? ["localhost"])[0]}", names, "1.3.6.1.5.5.7.3.1", fromDays, toDays, key);
    }

    public Issued Client(string subject, string? dns = null, string? uri = null, int fromDays = -1, int toDays = 365, bool forClients = true)
    {
        var names = new SubjectAlternativeNameBuilder();
        names.AddEmailAddress("nobody@plant.example");
        if (dns is not null) names.AddDnsName(dns);
        if (uri is not null) names.AddUri(new Uri(uri));
        return Issue(subject, names, forClients ? "1.3.6.1.5.5.7.3.2" : "1.3.6.1.5.5.7.3.1", fromDays, toDays);
    }

    /// <summary>A revocation list, PEM.</summary>
    public string Revoke(int nextUpdateDays, params Issued[] revoked) => PemEncoding.WriteString("X509 CRL", RevokeDer(nextUpdateDays, revoked));

    public byte[] RevokeDer(int nextUpdateDays, params Issued[] revoked)
    {
        var list = new CertificateRevocationListBuilder();
        foreach (Issued issued in revoked) list.AddEntry(issued.Certificate);
        return list.Build(Certificate, ++_serial, Now.AddDays(nextUpdateDays), HashAlgorithmName.SHA256, thisUpdate: Now.AddDays(-50));
    }

    private Issued Issue(string subject, SubjectAlternativeNameBuilder names, string use, int fromDays, int toDays, ECDsa? key = null)
    {
        key ??= ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(use)], false));
        request.CertificateExtensions.Add(names.Build());
        byte[] serial = BitConverter.GetBytes(++_serial | 0x40).Reverse().ToArray();
        serial[0] = 0x40;
        return new Issued(request.Create(Certificate, Now.AddDays(fromDays), Now.AddDays(toDays), serial), key);
    }
}

/// <summary>A certificate and its key.</summary>
internal sealed record Issued(X509Certificate2 Certificate, ECDsa Key)
{
    public string Pem => Certificate.ExportCertificatePem();

    public string KeyPem => Key.ExportPkcs8PrivateKeyPem();

    public X509Certificate2 WithKey => Certificate.CopyWithPrivateKey(Key);
}
