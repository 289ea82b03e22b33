using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EdgeBroker.Coap.Codec;
using EdgeBroker.Coap.Listeners;
using EdgeBroker.Coap.Tests.Rig;
using EdgeBroker.Core;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Management;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Security;
using EdgeBroker.Testing;
using EdgeBroker.Transport.Listeners;
using EdgeBroker.Transport.Tls;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeBroker.Coap.Tests.Dtls;

/// <summary>X.509 over DTLS: the listener's certificate, and the clients'.</summary>
public sealed class CertificateTests : IAsyncDisposable
{
    private const string Put = "43 03 00 01 010203 b2 7073 01 61 ff 31";
    private readonly string _directory = Directory.CreateTempSubdirectory("edgebroker-").FullName;
    private readonly Broker _broker = new(
        TestBrokerOptions.Quiet, new BrokerClock(TimeProvider.System), VolatileJournal.Instance, new BrokerEvents(), "test");

    private readonly CoapListenerFamily _family;
    private readonly X509Certificate2 _authority;

    public CertificateTests()
    {
        _family = new CoapListenerFamily(_broker, new AnonymousAuthenticator(), TimeProvider.System, NullLoggerFactory.Instance);
        _authority = MakeAuthority("CN=plant");
    }

    public async ValueTask DisposeAsync()
    {
        await _family.DisposeAsync();
        _authority.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task A_client_is_who_its_certificate_says()
    {
        CoapListener listener = await OpenAsync(ClientAuthentication.Require);
        using X509Certificate2 own = Make("CN=press7", _authority);
        var peer = new CertificateClient(own);
        using DtlsClient client = await DtlsClient.ConnectAsync(listener.EndPoint, peer);
        Assert.Equal(CoapCode.Created, (await client.AskAsync(Put)).Code);
        SessionSummary row = Assert.Single(new BrokerView(_broker, new RecentRefusals(TimeProvider.System)).Sessions(SessionFilter.All, null, 10).Items);
        Assert.Equal(("$coap/press7", "press7", "press7"), (row.ClientId, row.User, row.Identity));
        using X509Certificate2 shown = X509CertificateLoader.LoadCertificate(peer.Server);
        Assert.Equal("CN=gateway", shown.Subject);
    }

    [Fact]
    public async Task A_client_without_a_certificate_is_refused_where_one_is_needed()
    {
        CoapListener listener = await OpenAsync(ClientAuthentication.Require);
        await Assert.ThrowsAnyAsync<IOException>(() => DtlsClient.ConnectAsync(listener.EndPoint, new CertificateClient(null)));
        await Deadline.Until(() => Volatile.Read(ref listener.Dtls!.Counters.Failed) == 1, "the failure to be counted");
        Assert.Equal(0, listener.Dtls!.AssociationCount);
    }

    [Fact]
    public async Task A_certificate_of_a_stranger_is_refused()
    {
        CoapListener listener = await OpenAsync(ClientAuthentication.Request);
        using X509Certificate2 stranger = MakeAuthority("CN=elsewhere");
        using X509Certificate2 own = Make("CN=press7", stranger);
        await Assert.ThrowsAnyAsync<IOException>(() => DtlsClient.ConnectAsync(listener.EndPoint, new CertificateClient(own)));
        Assert.Equal(0, listener.Dtls!.AssociationCount);
    }

    [Fact]
    public async Task A_client_without_a_certificate_comes_in_where_none_is_needed()
    {
        CoapListener listener = await OpenAsync(ClientAuthentication.Request);
        using DtlsClient client = await DtlsClient.ConnectAsync(listener.EndPoint, new CertificateClient(null));
        Assert.Equal(CoapCode.Created, (await client.AskAsync(Put)).Code);
    }

    [Fact]
    public async Task The_certificate_is_watched_over()
    {
        CoapListener listener = await OpenAsync(ClientAuthentication.None);
        CertificateValidity one = Assert.Single(_family.Certificates);
        Assert.Equal(("coaps on 127.0.0.1:0", "gateway"), (one.Listener, one.Name));
        Assert.InRange(one.NotAfter, DateTimeOffset.UtcNow.AddDays(9), DateTimeOffset.UtcNow.AddDays(11));
        await listener.RemoveAsync();
        Assert.Empty(_family.Certificates);
    }

    private static X509Certificate2 MakeAuthority(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(20));
    }

    private static X509Certificate2 Make(string name, X509Certificate2 authority)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        using X509Certificate2 signed = request.Create(
            authority, DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(10), RandomNumberGenerator.GetBytes(8));
        return signed.CopyWithPrivateKey(key);
    }

    private async Task<CoapListener> OpenAsync(ClientAuthentication asks)
    {
        string authority = Path.Combine(_directory, "ca.crt"), certificate = Path.Combine(_directory, "own.crt"), key = Path.Combine(_directory, "own.key");
        using X509Certificate2 own = Make("CN=gateway", _authority);
        using ECDsa ownKey = own.GetECDsaPrivateKey()!;
        await File.WriteAllTextAsync(authority, _authority.ExportCertificatePem());
        await File.WriteAllTextAsync(certificate, own.ExportCertificatePem());
        await File.WriteAllTextAsync(key, ownKey.ExportPkcs8PrivateKeyPem());
        var listener = (CoapListener)await _family.OpenAsync(new ListenerSettings
        {
            Protocol = ListenerProtocol.Coaps,
            Address = "127.0.0.1:0",
            AllowAnonymous = asks != ClientAuthentication.Require,
            Tls = new TlsOptions
            {
                Certificates = [new CertificateFiles(certificate, key)],
                ClientAuthentication = asks,
                ClientCaFile = asks == ClientAuthentication.None ? null : authority,
            },
        });
        await listener.BeginAsync();
        return listener;
    }
}
