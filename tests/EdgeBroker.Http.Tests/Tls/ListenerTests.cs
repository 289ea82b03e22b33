using System.Net.Security;
using System.Security.Authentication;
using System.Text;
using EdgeBroker.Core;
using EdgeBroker.Core.Security;
using EdgeBroker.Http.Tests.Rig;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;
using EdgeBroker.Transport.Listeners;
using EdgeBroker.Transport.Tls;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Http.Tests.Tls;

/// <summary>MQTT over TLS: who comes in, who does not, and that the log says why.</summary>
public sealed class ListenerTests : IAsyncDisposable
{
    private readonly WebHost _host = new();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task Messages_come_through(SslProtocols version)
    {
        int port = await _host.StartAsync(ListenerProtocol.Mqtts);
        SslStream stream = await _host.TlsAsync(port, protocols: version);
        Assert.Equal(version, stream.SslProtocol);
        TestClient subscriber = _host.Mqtt(stream);
        await subscriber.SendAsync(subscriber.Packets.Connect("subscriber"));
        await subscriber.ExpectConnackAsync();
        await subscriber.SubscribeAsync("a/#", options: 1);
        TestClient publisher = await _host.ConnectAsync(port, "publisher");
        string large = new('x', 900_000);
        await publisher.SendAsync(publisher.Packets.Publish("a/b", "hi", qos: 1, packetId: 7), publisher.Packets.Publish("a/c", large));
        await publisher.ExpectAsync(publisher.Packets.Puback(7));
        await subscriber.ExpectPublishAsync("a/b", "hi", qos: 1);
        await subscriber.ExpectPublishAsync("a/c", large);
        await subscriber.DisconnectAsync();
        Assert.Equal((2, 0, 0), Handshakes());
    }

    [Theory]
    [InlineData(CertificateIdentity.CommonName, "press7")]
    [InlineData(CertificateIdentity.DnsName, "press7.plant.example")]
    [InlineData(CertificateIdentity.Uri, "urn:plant:press7")]
    [InlineData(CertificateIdentity.Fingerprint, null)]
    public async Task A_certificate_s_name_becomes_the_user_name(CertificateIdentity identity, string? expected)
    {
        int port = await _host.StartAsync(
            ListenerProtocol.Mqtts, _host.Mutual with { Identity = identity }, options => options with { AllowAnonymous = false });
        Issued issued = _host.Authority.Client("CN=press7, O=Plant", "press7.plant.example", "urn:plant:press7");
        await _host.ConnectAsync(port, "c", issued);
        Assert.True(_host.Asked.TryDequeue(out var asked));
        Assert.Equal(
            expected ?? issued.Certificate.GetCertHashString(System.Security.Cryptography.HashAlgorithmName.SHA256).ToLowerInvariant(),
            asked.TransportIdentity);
    }

    [Theory]
    [InlineData("press7", "127.0.0.1:0", ReasonCode.GrantedQoS1)]
    [InlineData("press8", "127.0.0.1:0", ReasonCode.NotAuthorized)]
    [InlineData("press7", "127.0.0.1:1", ReasonCode.NotAuthorized)]
    public async Task Access_rules_ask_for_the_certificate_s_user_and_the_listener(string user, string listener, ReasonCode expected)
    {
        var rule = new AclRule
        {
            Source = "test",
            User = user,
            Listener = listener,
            Allows = true,
            Actions = AccessActions.Publish | AccessActions.Subscribe,
            Topics = [new AclPattern("plant/%u/#")],
        };
        await using var host = new WebHost { Authenticator = new AnonymousAuthenticator(new Replaceable<AclRuleSet>(new AclRuleSet([rule], []))) };
        int port = await host.StartAsync(ListenerProtocol.Mqtts, host.Mutual, options => options with { AllowAnonymous = false });
        TestClient client = await host.ConnectAsync(port, "c", host.Authority.Client("CN=press7"));
        await client.SendAsync(client.Packets.Subscribe(3, "plant/press7/#", 1));
        await client.ExpectAsync(client.Packets.Suback(3, (int)expected));
    }

    [Fact]
    public async Task Where_a_certificate_is_only_requested_one_may_come_without()
    {
        TlsOptions tls = _host.Mutual with { ClientAuthentication = ClientAuthentication.Request };
        int port = await _host.StartAsync(ListenerProtocol.Mqtts, tls, options => options with { AllowAnonymous = false });
        await _host.ConnectAsync(port, "with", _host.Authority.Client("CN=press7"));
        TestClient without = _host.Mqtt(await _host.TlsAsync(port));
        await without.SendAsync(without.Packets.Connect("without"));
        await without.ExpectRefusedAsync(ReasonCode.NotAuthorized);
        await RefusedAsync(port, new TestAuthority("Another").Client("CN=evil"), "was not issued by an authority in listener.tls.client_ca");
    }

    [Theory]
    [InlineData("none", "presents no certificate")]
    [InlineData("other authority", "was not issued by an authority in listener.tls.client_ca")]
    [InlineData("same name", "has a wrong signature")]
    [InlineData("expired", "is expired or not valid yet")]
    [InlineData("future", "is expired or not valid yet")]
    [InlineData("server", "is not made for clients")]
    [InlineData("nameless", "has no single common name")]
    [InlineData("two names", "has no single common name")]
    [InlineData("revoked", "is revoked")]
    public async Task Who_has_no_good_certificate_is_refused(string kind, string logged)
    {
        TestAuthority ca = _host.Authority;
        Issued revoked = ca.Client("CN=lost");
        _host.Write("crl.pem", ca.Revoke(20, revoked));
        Issued? presented = kind switch
        {
            "none" => null,
            "other authority" => new TestAuthority("Another").Client("CN=evil"),
            "same name" => new TestAuthority().Client("CN=evil"),
            "expired" => ca.Client("CN=old", fromDays: -20, toDays: -1),
            "future" => ca.Client("CN=new", fromDays: 1),
            "server" => ca.Client("CN=server", forClients: false),
            "nameless" => ca.Client("O=Plant"),
            "two names" => ca.Client("CN=a, CN=b"),
            _ => revoked,
        };
        int port = await _host.StartAsync(ListenerProtocol.Mqtts, _host.Mutual with { RevocationFile = _host.PathOf("crl.pem") });
        await RefusedAsync(port, presented, logged);
        await _host.StillServesAsync(port, ca.Client("CN=good"));
        Assert.Equal((1, 1, 0), Handshakes());
    }

    [Fact]
    public async Task A_list_that_is_over_vouches_for_nobody()
    {
        _host.Write("crl.pem", _host.Authority.Revoke(-1));
        int port = await _host.StartAsync(ListenerProtocol.Mqtts, _host.Mutual with { RevocationFile = _host.PathOf("crl.pem") });
        await RefusedAsync(port, _host.Authority.Client("CN=good"), "holds no current list of its issuer");
    }

    [Fact]
    public async Task A_listener_for_1_3_refuses_1_2()
    {
        int port = await _host.StartAsync(ListenerProtocol.Mqtts, _host.Tls with { Tls13Only = true });
        await Assert.ThrowsAsync<AuthenticationException>(() => _host.TlsAsync(port, protocols: SslProtocols.Tls12));
        await _host.Log.WithAsync("older TLS than 1.3");
        await _host.StillServesAsync(port);
    }

    [Theory]
    [InlineData(ListenerProtocol.Mqtts, "mqtt", "the client speaks plain MQTT to a TLS listener")]
    [InlineData(ListenerProtocol.Mqtts, "http", "the client speaks plain HTTP to a TLS listener")]
    [InlineData(ListenerProtocol.Mqtts, "junk", "is no TLS (its first byte is 0xFF)")]
    [InlineData(ListenerProtocol.Mqtts, "junk record", "TLS handshake")]
    [InlineData(ListenerProtocol.Wss, "http", "the client speaks plain HTTP to a TLS listener")]
    public async Task What_is_no_TLS_is_told(ListenerProtocol protocol, string kind, string logged)
    {
        int port = await _host.StartAsync(protocol);
        Stream stream = await _host.TcpAsync(port);
        await stream.WriteAsync(kind switch
        {
            "mqtt" => Packets.V5.Connect("c"),
            "http" => Encoding.ASCII.GetBytes("GET /mqtt HTTP/1.1\r\nHost: localhost\r\n\r\n"),
            "junk" => [0xFF, 1, 2, 3],
            _ => [0x16, 3, 1, 0, 4, 9, 9, 9, 9],
        });
        await EndsAsync(stream);
        await _host.Log.WithAsync(logged);
        if (protocol == ListenerProtocol.Mqtts) await _host.StillServesAsync(port);
    }

    [Fact]
    public async Task TLS_on_a_WebSocket_port_without_is_told()
    {
        int port = await _host.StartAsync(ListenerProtocol.Ws);
        await Assert.ThrowsAnyAsync<Exception>(() => _host.TlsAsync(port));
        await _host.Log.WithAsync("the client speaks TLS to a plain listener");
    }

    [Theory]
    [InlineData(ListenerProtocol.Ws, "ws")]
    [InlineData(ListenerProtocol.Wss, "wss")]
    [InlineData(ListenerProtocol.Http, "http")]
    [InlineData(ListenerProtocol.Https, "https")]
    public async Task Plain_MQTT_on_a_web_port_is_told(ListenerProtocol protocol, string word)
    {
        int port = await _host.StartAsync(protocol);
        Stream stream = protocol is ListenerProtocol.Ws or ListenerProtocol.Http ? await _host.TcpAsync(port) : await _host.TlsAsync(port);
        await stream.WriteAsync(Packets.V5.Connect("c"));
        await EndsAsync(stream);
        await _host.Log.WithAsync($"the client speaks MQTT without WebSocket to a listener with protocol \"{word}\"");
    }

    [Fact]
    public async Task Who_does_not_complete_the_handshake_is_let_go()
    {
        // The clock stands still again when a handshake is to be completed, however long that takes.
        var time = new FakeTimeProvider();
        await using var host = new WebHost { Time = time };
        int port = await host.StartAsync(ListenerProtocol.Mqtts);
        Stream silent = await host.TcpAsync(port);
        Stream half = await host.TcpAsync(port);
        await half.WriteAsync(new byte[] { 0x16, 3, 1 });
        Task ended = Task.WhenAll(EndsAsync(silent), EndsAsync(half));
        await Deadline.AdvanceUntil(time, () => ended.IsCompleted, "the end of both");
        await ended;
        await host.Log.WithAsync("it was not completed in time");
        await host.StillServesAsync(port);
    }

    [Theory]
    [InlineData(ListenerProtocol.Mqtts)]
    [InlineData(ListenerProtocol.Https)]
    public async Task Handshakes_at_once_are_bounded(ListenerProtocol protocol)
    {
        int port = await _host.StartAsync(protocol, _host.Tls with { MaxHandshakes = 1 });
        Stream first = await _host.TcpAsync(port);
        await first.WriteAsync(await HelloAsync());
        // Its answer shows that it has the slot.
        Assert.NotEqual(0, await Deadline.Within(first.ReadAsync(new byte[1]).AsTask(), "the answer"));
        Stream second = await _host.TcpAsync(port);
        await second.WriteAsync(await HelloAsync());
        await EndsAsync(second);
        await _host.Log.WithAsync("1 TLS handshakes are in progress (listener.tls.max_handshakes)");
        Assert.Equal((0, 0, 1), Handshakes());
        await first.DisposeAsync();
        await _host.Log.WithAsync("TLS handshake with ");
        await _host.TlsAsync(port);
    }

    [Theory]
    [InlineData(ListenerProtocol.Mqtts)]
    [InlineData(ListenerProtocol.Https)]
    public async Task Who_has_not_sent_a_whole_ClientHello_keeps_nobody_out(ListenerProtocol protocol)
    {
        int port = await _host.StartAsync(protocol, _host.Tls with { MaxHandshakes = 1 });
        byte[] hello = await HelloAsync();
        foreach (int length in new[] { 1, 6, hello.Length - 1 })
        {
            Stream unfinished = await _host.TcpAsync(port);
            await unfinished.WriteAsync(hello.AsMemory(0, length));
        }

        await _host.TlsAsync(port);
        await Deadline.Until(() => Handshakes() == (1, 0, 0), "the handshake to be done here, too");
    }

    [Fact]
    public async Task A_ClientHello_may_come_byte_by_byte()
    {
        int port = await _host.StartAsync(ListenerProtocol.Mqtts);
        Stream stream = await _host.TcpAsync(port);
        foreach (byte one in await HelloAsync()) await stream.WriteAsync(new[] { one });
        Assert.NotEqual(0, await Deadline.Within(stream.ReadAsync(new byte[1]).AsTask(), "the answer"));
    }

    [Fact]
    public async Task The_certificate_is_the_one_for_the_host_named()
    {
        Issued other = _host.Authority.Server(["gateway.plant.example", "*.lan.plant.example"]);
        _host.Write("other.crt", other.Pem);
        _host.Write("other.key", other.KeyPem);
        TlsOptions tls =
            _host.Tls with { Certificates = [.. _host.Tls.Certificates, new CertificateFiles(_host.PathOf("other.crt"), _host.PathOf("other.key"))] };
        int port = await _host.StartAsync(ListenerProtocol.Mqtts, tls);
        var names = new[] { ("localhost", _host.ServerCertificate), ("gateway.plant.example", other), ("press7.lan.plant.example", other) };
        foreach ((string host, Issued expected) in names)
        {
            await _host.TlsAsync(port, host: host, inspect: certificate => Assert.Equal(expected.Certificate.Thumbprint, certificate.Thumbprint));
        }

        Assert.Equal(2, _host.Server.Certificates.Count);
    }

    [Fact]
    public async Task Beyond_max_connections_clients_are_told_so()
    {
        int port = await _host.StartAsync(ListenerProtocol.Mqtts, with: options => options with { MaxConnections = 1 });
        TestClient first = await _host.ConnectAsync(port, "first");
        TestClient second = _host.Mqtt(await _host.TlsAsync(port), "second");
        await second.SendAsync(second.Packets.Connect("second"));
        ReceivedPacket refusal = await second.ExpectRefusedAsync(ReasonCode.ServerBusy);
        Assert.Contains("max_connections of the listener", refusal.Properties.Text(PropertyId.ReasonString)!, StringComparison.Ordinal);
        await first.FenceAsync();
    }

    [Fact]
    public async Task A_client_that_says_nothing_behind_its_handshake_is_let_go()
    {
        int port = await _host.StartAsync(ListenerProtocol.Mqtts, limits: TestBrokerOptions.Quiet with { ConnectTimeout = TimeSpan.FromMilliseconds(200) });
        await EndsAsync(await _host.TlsAsync(port));
        await _host.Events.WaitForAsync(e => e.Kind == BrokerEventKind.Refused, "the broker to notice");
    }

    [Fact]
    public async Task The_last_packet_arrives_although_the_client_is_still_sending()
    {
        int port = await _host.StartAsync(ListenerProtocol.Mqtts);
        TestClient client = await _host.ConnectAsync(port, "c");
        // A second CONNECT breaks the rules; what follows it is never read.
        await client.SendAsync(client.Packets.Connect("c"), client.Packets.Publish("a", new string('x', 200_000)));
        await client.ExpectDisconnectAsync(ReasonCode.ProtocolError);
    }

    /// <summary>What a client begins with.</summary>
    private static async Task<byte[]> HelloAsync()
    {
        var sent = new MemoryStream();
        await using var client = new SslStream(sent);
        await Assert.ThrowsAnyAsync<Exception>(() => client.AuthenticateAsClientAsync("localhost"));
        return sent.ToArray();
    }

    private async Task RefusedAsync(int port, Issued? certificate, string logged)
    {
        try
        {
            // In TLS 1.3 the client learns of it only when it reads.
            await EndsAsync(await _host.TlsAsync(port, certificate));
        }
        catch (Exception exception) when (exception is AuthenticationException or IOException)
        {
        }

        await _host.Log.WithAsync(logged);
    }

    private static async Task EndsAsync(Stream stream)
    {
        var rest = new byte[1024];
        try
        {
            while (await stream.ReadAsync(rest).AsTask().WaitAsync(Deadline.Timeout) > 0)
            {
            }
        }
        catch (IOException)
        {
            // Reset is an end, too.
        }
    }

    private (long Succeeded, long Failed, long Refused) Handshakes() =>
        (_host.Server.Handshakes.Succeeded, _host.Server.Handshakes.Failed, _host.Server.Handshakes.Refused);
}
