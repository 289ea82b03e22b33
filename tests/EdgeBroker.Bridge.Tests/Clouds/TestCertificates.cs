using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace EdgeBroker.Bridge.Tests.Clouds;

/// <summary>An authority with the certificates of a server and of clients.</summary>
internal sealed class TestCertificates
{
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private int _serial;

    public TestCertificates()
    {
        var request = new CertificateRequest("CN=Cloud CA", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        Authority = request.CreateSelfSigned(now.AddDays(-10), now.AddDays(100));
    }

    public X509Certificate2 Authority { get; }

    /// <summary>A certificate with its key.</summary>
    /// <param name="name">The name in it, which is a server's host.</param>
    /// <param name="fromDays">From when it is good.</param>
    /// <param name="toDays">Until when.</param>
    public X509Certificate2 Issue(string name, int fromDays = -1, int toDays = 50)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        byte[] serial = [0x40, 0, 0, (byte)Interlocked.Increment(ref _serial)];
        using X509Certificate2 made = request.Create(Authority, now.AddDays(fromDays), now.AddDays(toDays), serial);
        return made.CopyWithPrivateKey(key);
    }

    /// <summary>Writes the authority's certificate as PEM.</summary>
    public string WriteAuthority(string directory) => Write(directory, "ca.crt", Authority.ExportCertificatePem());

    /// <summary>Writes a client's certificate and key as PEM.</summary>
    public static (string Certificate, string Key) WriteClient(string directory, X509Certificate2 client)
    {
        using ECDsa key = client.GetECDsaPrivateKey()!;
        return (Write(directory, "gw.crt", client.ExportCertificatePem()), Write(directory, "gw.key", key.ExportPkcs8PrivateKeyPem()));
    }

    private static string Write(string directory, string name, string text)
    {
        string path = Path.Combine(directory, name);
        File.WriteAllText(path, text);
        return path;
    }
}
