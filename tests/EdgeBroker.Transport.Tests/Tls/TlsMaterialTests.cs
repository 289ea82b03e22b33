using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EdgeBroker.Testing;
using EdgeBroker.Transport.Tls;

namespace EdgeBroker.Transport.Tests.Tls;

/// <summary>Files of plants with intermediate authorities: taken where they are whole; else the message says what is missing, and nothing false.</summary>
public sealed class TlsMaterialTests : IDisposable
{
    private static readonly DateTimeOffset From = TimeProvider.System.GetUtcNow().AddDays(-1);

    private readonly TemporaryDirectory _directory = new();
    private readonly X509Certificate2 _root = Issue("root", issuer: null);
    private readonly X509Certificate2 _middle;
    private readonly X509Certificate2 _server;

    public TlsMaterialTests()
    {
        _middle = Issue("middle", _root);
        _server = Issue("server", _middle);
    }

    public void Dispose()
    {
        foreach (X509Certificate2 certificate in new[] { _root, _middle, _server }) certificate.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public void A_chain_in_the_wrong_order_is_called_so()
    {
        CertificateFileException failure = Assert.Throws<CertificateFileException>(() => Load([_middle, _server], authorities: null));
        Assert.EndsWith("server.crt", failure.File, StringComparison.Ordinal);
        Assert.Contains("wrong order", failure.Message, StringComparison.Ordinal);
        Assert.Contains("is the key of \"server\", which must stand first", failure.Message, StringComparison.Ordinal);
        CertificateFileException others = Assert.Throws<CertificateFileException>(() => Load([_middle, _root], authorities: null));
        Assert.Contains("is not the key of the certificate", others.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_intermediate_without_its_root_is_refused_when_the_files_are_read()
    {
        CertificateFileException failure = Assert.Throws<CertificateFileException>(() => Load([_server], [_middle]));
        Assert.EndsWith("ca.crt", failure.File, StringComparison.Ordinal);
        Assert.Contains("\"middle\" without its issuer (CN=root)", failure.Message, StringComparison.Ordinal);
        Assert.Equal(2, Load([_server], [_middle, _root]).ClientAuthorities!.Count);
        Assert.Single(Load([_server], [_root]).ClientAuthorities!);
    }

    [Fact]
    public void A_list_of_an_intermediate_needs_its_certificate_beside_the_root()
    {
        string list = ListOf(_middle);
        Assert.Single(Load([_server], [_root, _middle], list).Revocations!);
        CertificateFileException failure = Assert.Throws<CertificateFileException>(() => Load([_server], [_root], list));
        Assert.Contains("is of CN=middle, which is not in client_ca: add its certificate", failure.Message, StringComparison.Ordinal);
        using X509Certificate2 other = Issue("middle", _root);
        CertificateFileException forged = Assert.Throws<CertificateFileException>(() => Load([_server], [_root, other], list));
        Assert.Contains("not signed by it", forged.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_certificate_that_OpenSSL_does_not_use_is_refused_before_it_is_taken()
    {
        // Too short for every security level of OpenSSL 3 but 0.
        using var tooShort = RSA.Create(512);
        CertificateFileException failure = Assert.Throws<CertificateFileException>(() => Load(tooShort, RSASignaturePadding.Pkcs1));
        Assert.EndsWith("server.crt", failure.File, StringComparison.Ordinal);
        Assert.Contains("is not used by this machine's OpenSSL", failure.Message, StringComparison.Ordinal);
        Assert.Contains("make one of ECDSA P-256 or RSA 2048, signed with SHA-256", failure.Message, StringComparison.Ordinal);
        // Unusual, and used.
        using var longEnough = RSA.Create(2048);
        Assert.Single(Load(longEnough, RSASignaturePadding.Pss).Certificates);
    }

    private TlsMaterial Load(RSA key, RSASignaturePadding padding)
    {
        var request = new CertificateRequest("CN=server", key, HashAlgorithmName.SHA256, padding);
        using X509Certificate2 certificate = request.CreateSelfSigned(From, From.AddYears(1));
        var files = new CertificateFiles(Path.Combine(_directory.Path, "server.crt"), Path.Combine(_directory.Path, "server.key"));
        File.WriteAllText(files.CertificateFile, certificate.ExportCertificatePem());
        File.WriteAllText(files.KeyFile, key.ExportPkcs8PrivateKeyPem());
        return TlsMaterial.Load(new TlsOptions { Certificates = [files] });
    }

    private TlsMaterial Load(X509Certificate2[] chain, X509Certificate2[]? authorities, string? list = null)
    {
        string PathOf(string file) => Path.Combine(_directory.Path, file);
        File.WriteAllText(PathOf("server.crt"), Pem(chain));
        File.WriteAllText(PathOf("server.key"), _server.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        if (authorities is not null) File.WriteAllText(PathOf("ca.crt"), Pem(authorities));
        if (list is not null) File.WriteAllText(PathOf("ca.crl"), list);
        return TlsMaterial.Load(new TlsOptions
        {
            Certificates = [new CertificateFiles(PathOf("server.crt"), PathOf("server.key"))],
            ClientCaFile = authorities is null ? null : PathOf("ca.crt"),
            ClientAuthentication = authorities is null ? ClientAuthentication.None : ClientAuthentication.Require,
            RevocationFile = list is null ? null : PathOf("ca.crl"),
        });
    }

    private static string Pem(X509Certificate2[] certificates) => string.Join('\n', certificates.Select(one => one.ExportCertificatePem()));

    private static string ListOf(X509Certificate2 issuer) => PemEncoding.WriteString(
        "X509 CRL", new CertificateRevocationListBuilder().Build(issuer, 1, From.AddDays(30), HashAlgorithmName.SHA256, thisUpdate: From));

    private static X509Certificate2 Issue(string name, X509Certificate2? issuer)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(name != "server", false, 0, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        if (issuer is null) return request.CreateSelfSigned(From, From.AddYears(5));
        using X509Certificate2 issued = request.Create(issuer, From, From.AddYears(4), [(byte)name.Length, 1]);
        return issued.CopyWithPrivateKey(key);
    }
}
