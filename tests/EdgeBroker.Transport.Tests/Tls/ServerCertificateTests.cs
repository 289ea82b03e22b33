using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EdgeBroker.Testing;
using EdgeBroker.Transport.Tls;

namespace EdgeBroker.Transport.Tests.Tls;

/// <summary>What a server shows its clients, and the handshake it has with itself.</summary>
public sealed class ServerCertificateTests : IDisposable
{
    private static readonly DateTimeOffset From = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly TemporaryDirectory _directory = new();
    private readonly X509Certificate2 _root = Issue("root", issuer: null);
    private readonly X509Certificate2 _middle;
    private readonly X509Certificate2 _low;
    private readonly X509Certificate2 _server;

    public ServerCertificateTests()
    {
        _middle = Issue("middle", _root);
        _low = Issue("low", _middle);
        _server = Issue("server", _low);
    }

    public void Dispose()
    {
        foreach (X509Certificate2 certificate in new[] { _root, _middle, _low, _server }) certificate.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public void The_chain_is_the_file_s_in_the_order_of_issue_and_without_the_root()
    {
        using X509Certificate2 stranger = Issue("stranger", issuer: null);
        SslStreamCertificateContext context = ServerCertificate.ContextOf(_server, [_root, _middle, stranger, _low]);
        Assert.Same(_server, context.TargetCertificate);
        Assert.Equal([_low, _middle], context.IntermediateCertificates);
    }

    [Fact]
    public void Where_one_is_missing_the_chain_ends()
    {
        Assert.Equal([_low], ServerCertificate.ChainOf(_server, [_root, _low]));
        Assert.Empty(ServerCertificate.ChainOf(_root, [_low]));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_first_handshake_gets_as_far_as_the_server_s_certificate(bool asksForCertificates)
    {
        string certificate = Path.Combine(_directory.Path, "server.crt"), key = Path.Combine(_directory.Path, "server.key");
        await File.WriteAllTextAsync(certificate, _server.ExportCertificatePem() + "\n" + _low.ExportCertificatePem());
        await File.WriteAllTextAsync(key, _server.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        string authorities = Path.Combine(_directory.Path, "ca.crt");
        await File.WriteAllTextAsync(authorities, _root.ExportCertificatePem());
        TlsMaterial material = TlsMaterial.Load(new TlsOptions
        {
            Certificates = [new CertificateFiles(certificate, key)],
            ClientCaFile = asksForCertificates ? authorities : null,
            ClientAuthentication = asksForCertificates ? ClientAuthentication.Require : ClientAuthentication.None,
        });
        long sent = await FirstHandshake.RunAsync(material, TimeProvider.System);
        Assert.True(sent > _server.RawData.Length + _low.RawData.Length, $"{sent} bytes");
    }

    private static X509Certificate2 Issue(string name, X509Certificate2? issuer)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        if (issuer is null) return request.CreateSelfSigned(From, From.AddYears(50));
        using X509Certificate2 issued = request.Create(issuer, From, From.AddYears(40), [(byte)name.Length, 1]);
        return issued.CopyWithPrivateKey(key);
    }
}
