using System.Security.Cryptography.X509Certificates;
using EdgeBroker.Cli.Certificates;
using EdgeBroker.Configuration;
using EdgeBroker.Transport.Listeners;
using EdgeBroker.Transport.Tls;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Tests.Configuration;

/// <summary>[listener.tls]: what it says, and what its files hold.</summary>
public sealed class TlsTests : IDisposable
{
    private const string Head = "[[listener]]\nprotocol = \"mqtts\"\naddress = \"127.0.0.1:8883\"\n";
    private const string Good = Head + "[listener.tls]\ncert = \"server.crt\"\nkey = \"server.key\"\n";

    private readonly Given _given = new();
    private readonly KeyPair _authority = new CertificateMaker(new FakeTimeProvider(TimeProvider.System.GetUtcNow().AddDays(-90))).Authority("CA", 900);

    public TlsTests()
    {
        _given.With("ca.crt", _authority.CertificatePem);
        Put("server", new CertificateMaker(TimeProvider.System).Server(_authority, "localhost", ["localhost", "127.0.0.1"], 90));
    }

    public void Dispose() => _given.Dispose();

    [Fact]
    public void Everything_that_can_be_said()
    {
        _given.With("broker.toml", """
            [[listener]]
            protocol = "wss"
            address = "127.0.0.1:8884"
            max_connections = 7
            path = "/plant"
            allowed_origins = ["https://plant.example", "http://gw:8080"]
            [listener.tls]
            cert = "server.crt"
            key = "server.key"
            client_ca = "ca.crt"
            client_auth = "require"
            identity = "san-uri"
            min_version = "1.3"
            handshake_timeout = "3s"
            max_handshakes = 9
            [[listener.tls.certificate]]
            cert = "server.crt"
            key = "server.key"
            """);
        BrokerConfiguration configuration = _given.Valid();
        ListenerSettings listener = Assert.Single(configuration.Listeners);
        Assert.Equal(
            (ListenerProtocol.Wss, "127.0.0.1:8884", 7, "/plant", false),
            (listener.Protocol, listener.Address, listener.MaxConnections, listener.Path, listener.AllowAnonymous));
        Assert.Equal(["https://plant.example", "http://gw:8080"], listener.AllowedOrigins);
        TlsOptions tls = listener.Tls!;
        string folder = _given.Directory;
        Assert.Equal(2, tls.Certificates.Count);
        Assert.All(
            tls.Certificates, files => Assert.Equal(new CertificateFiles(Path.Combine(folder, "server.crt"), Path.Combine(folder, "server.key")), files));
        Assert.Equal(
            (Path.Combine(folder, "ca.crt"), ClientAuthentication.Require, CertificateIdentity.Uri),
            (tls.ClientCaFile, tls.ClientAuthentication, tls.Identity));
        Assert.Equal((true, TimeSpan.FromSeconds(3), 9), (tls.Tls13Only, tls.HandshakeTimeout, tls.MaxHandshakes));
        Assert.Empty(configuration.Warnings);
    }

    [Fact]
    public void Users_may_be_known_by_their_certificates_alone()
    {
        const string Rule = "[[acl]]\nuser = \"press7\"\nallow = [\"publish\"]\ntopics = [\"plant/#\"]\n";
        _given.With("users.passwd", "").With(
            "broker.toml", Good + "client_ca = \"ca.crt\"\nclient_auth = \"require\"\n[auth]\npassword_file = \"users.passwd\"\n" + Rule);
        File.SetUnixFileMode(Path.Combine(_given.Directory, "users.passwd"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        // Neither is the door open to anyone, nor is the rule about nobody; that the file is empty is worth a word.
        Assert.Contains("holds no users yet", Assert.Single(_given.Valid().Warnings), StringComparison.Ordinal);
        _given.With("broker.toml", Good + "[auth]\npassword_file = \"users.passwd\"\n" + Rule);
        Assert.Contains(_given.Valid().Warnings, warning => warning.Contains("who is not in the password file", StringComparison.Ordinal));
        Assert.All(_given.Valid().Listeners, listener => Assert.False(listener.AllowAnonymous));
    }

    [Theory]
    [InlineData(Head, "2:12: protocol \"mqtts\" needs a table [listener.tls] with cert and key; \"edgebroker cert\" makes both")]
    [InlineData(Head + "[listener.tls]\n", "4:1: [listener.tls] needs \"cert\" and \"key\"; \"edgebroker cert\" makes both")]
    [InlineData(Head + "[listener.tls]\ncert = \"server.crt\"\n", "4:1: [listener.tls] has \"cert\" alone; \"key\" belongs to it")]
    [InlineData(
        Good + "client_auth = \"require\"\n", "7:15: client_auth needs \"client_ca\": the file of the authority whose certificates of clients are good")]
    [InlineData(Good + "client_ca = \"ca.crt\"\n", "7:13: client_ca does nothing without client_auth = \"request\" or \"require\"")]
    [InlineData(Good + "identity = \"cn\"\n", "7:12: identity does nothing without client_auth = \"request\" or \"require\"")]
    [InlineData(Good + "min_version = \"1.1\"\n", "7:15: \"min_version\" expects \"1.2\" or \"1.3\"; found \"1.1\"; did you mean \"1.2\"?")]
    [InlineData(
        "[[listener]]\nprotocol = \"mqtt\"\naddress = \"127.0.0.1:1883\"\npath = \"/x\"\n",
        "4:1: \"path\" belongs to \"ws\" and \"wss\"; this listener's protocol is \"mqtt\"")]
    [InlineData(
        "[[listener]]\nprotocol = \"ws\"\naddress = \"127.0.0.1:1883\"\n[listener.tls]\n",
        "4:1: [listener.tls] belongs to \"mqtts\", \"wss\", \"https\" and \"coaps\"; this listener's protocol is \"ws\"")]
    [InlineData(
        "[[listener]]\nprotocol = \"ws\"\naddress = \"127.0.0.1:1883\"\npath = \"mqtt\"\n",
        "4:8: \"path\" expects a path that begins with \"/\"; found \"mqtt\"")]
    [InlineData(
        "[[listener]]\nprotocol = \"ws\"\naddress = \"127.0.0.1:1883\"\nallowed_origins = [\"plant.example\"]\n",
        "4:20: \"allowed_origins\" expects a list of origins, as in [\"https://plant.example\"]; found \"plant.example\"")]
    public void What_does_not_fit_together(string text, string expected)
    {
        _given.With("broker.toml", text);
        Assert.Equal([$"broker.toml:{expected}"], _given.Errors());
    }

    [Theory]
    [InlineData("server.crt", null, "5:8", "does not exist; correct the path, or make one with \"edgebroker cert\"")]
    [InlineData("server.crt", "nothing", "5:8", "holds no certificate in PEM")]
    [InlineData("server.key", null, "6:7", "does not exist")]
    [InlineData("server.key", "other", "6:7", "is not the key of the certificate in")]
    [InlineData("server.key", "-----BEGIN ENCRYPTED PRIVATE KEY-----\n", "6:7", "is encrypted, and nobody is there to type its password")]
    public void A_file_that_cannot_be_used_is_named_where_it_is_named(string file, string? text, string place, string cause)
    {
        _given.With("broker.toml", Good);
        string path = Path.Combine(_given.Directory, file);
        if (text is null) File.Delete(path);
        else File.WriteAllText(path, text == "other" ? _authority.Key.ExportPkcs8PrivateKeyPem() : text);
        string error = Assert.Single(_given.Errors());
        Assert.StartsWith($"broker.toml:{place}: {path} ", error, StringComparison.Ordinal);
        Assert.Contains(cause, error, StringComparison.Ordinal);
    }

    [Fact]
    public void What_works_but_should_be_known()
    {
        var past = new FakeTimeProvider(TimeProvider.System.GetUtcNow().AddDays(-80));
        Put("server", new CertificateMaker(past).Server(_authority, "gateway", ["gateway.plant.example"], 90));
        File.SetUnixFileMode(Path.Combine(_given.Directory, "server.key"), UnixFileMode.UserRead | UnixFileMode.OtherRead);
        _given.With("broker.toml", Good);
        string[] warnings = [.. _given.Valid().Warnings];
        Assert.Contains(
            warnings, w => w.StartsWith("broker.toml:4:1: ", StringComparison.Ordinal) && w.Contains("expires in 9 days", StringComparison.Ordinal));
        Assert.Contains(warnings, w => w.Contains("that every user of this machine can read; chmod 600 it", StringComparison.Ordinal));
        Assert.Contains(warnings, w => w.StartsWith("broker.toml:3:11: no certificate of this listener names 127.0.0.1", StringComparison.Ordinal));
        Assert.Equal(3, warnings.Length);
    }

    [Fact]
    public void An_expired_certificate_is_warned_about()
    {
        using var rsa = System.Security.Cryptography.RSA.Create(2048);
        var request = new CertificateRequest(
            "CN=old", rsa, System.Security.Cryptography.HashAlgorithmName.SHA256, System.Security.Cryptography.RSASignaturePadding.Pkcs1);
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        using X509Certificate2 old = request.CreateSelfSigned(now.AddDays(-20), now.AddDays(-10));
        _given.With("server.crt", old.ExportCertificatePem()).With("server.key", rsa.ExportPkcs8PrivateKeyPem()).With("broker.toml", Good);
        string all = string.Join('\n', _given.Valid().Warnings);
        Assert.Contains("expired on", all, StringComparison.Ordinal);
        Assert.Contains("names no host", all, StringComparison.Ordinal);
    }

    [Fact]
    public void A_weak_key_is_an_error_where_openssl_does_not_use_it_and_warned_about_elsewhere()
    {
        using var rsa = System.Security.Cryptography.RSA.Create(1024);
        var request = new CertificateRequest(
            "CN=gw", rsa, System.Security.Cryptography.HashAlgorithmName.SHA256, System.Security.Cryptography.RSASignaturePadding.Pkcs1);
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        using X509Certificate2 weak = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(100));
        _given.With("server.crt", weak.ExportCertificatePem()).With("server.key", rsa.ExportPkcs8PrivateKeyPem()).With("broker.toml", Good);
        string errors = string.Join('\n', _given.Errors());
        if (errors.Length > 0) Assert.Contains("is not used by this machine's OpenSSL", errors, StringComparison.Ordinal);
        else Assert.Contains("an RSA key of 1024 bits", string.Join('\n', _given.Valid().Warnings), StringComparison.Ordinal);
    }

    private void Put(string name, KeyPair pair)
    {
        _given.With(name + ".crt", pair.CertificatePem).With(name + ".key", System.Text.Encoding.ASCII.GetString(pair.KeyPem));
        File.SetUnixFileMode(Path.Combine(_given.Directory, name + ".key"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }
}
