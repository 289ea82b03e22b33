using System.Globalization;
using System.Net.Security;
using System.Text;
using EdgeBroker.Core.Hosting;
using EdgeBroker.Http.Tests.Rig;
using EdgeBroker.Http.Tests.WebSockets;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;
using EdgeBroker.Transport.Listeners;
using EdgeBroker.Transport.Tls;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Http.Tests.Tls;

/// <summary>Certificate files that change under a running broker.</summary>
public sealed class ReloadTests : IAsyncDisposable
{
    private readonly WebHost _host = new();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task A_new_certificate_is_for_new_connections_and_drops_nobody()
    {
        int port = await _host.StartAsync(ListenerProtocol.Mqtts);
        TestClient before = await _host.ConnectAsync(port, "before");
        Issued next = _host.Authority.Server(["localhost"]);
        Put(next);
        await _host.Log.WithAsync("new connections get the new certificate localhost");
        await _host.TlsAsync(port, inspect: certificate => Assert.Equal(next.Certificate.Thumbprint, certificate.Thumbprint));
        await before.FenceAsync();
    }

    [Theory]
    [InlineData("server.crt", "not a certificate", "holds no certificate in PEM")]
    [InlineData("server.crt", "", "it is empty")]
    [InlineData("server.key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "is not the key of the certificate")]
    [InlineData("server.key", "other", "is not the key of the certificate")]
    [InlineData("server.key", null, "does not exist")]
    public async Task A_bad_file_leaves_the_old_certificate_in_use(string file, string? text, string logged)
    {
        int port = await _host.StartAsync(ListenerProtocol.Mqtts);
        string good = File.ReadAllText(_host.PathOf(file));
        if (text is null) File.Delete(_host.PathOf(file));
        else _host.Replace(file, text == "other" ? _host.Authority.Server().KeyPem : text);
        string line = await _host.Log.WithAsync(logged);
        Assert.StartsWith("Error 1201", line, StringComparison.Ordinal);
        Assert.Contains(_host.PathOf(file), line, StringComparison.Ordinal);
        await _host.StillServesAsync(port);

        _host.Replace(file, good);
        // Of the same key, so that certificate and key fit at every moment, and nothing but what was bad above can be told of.
        _host.Replace("server.crt", _host.Authority.Server(["localhost"], key: _host.ServerCertificate.Key).Pem);
        await _host.Log.WithAsync("new connections get the new certificate");
        Assert.Equal(1, _host.Log.Count(logged));
    }

    [Fact]
    public void A_mounted_folder_whose_link_is_swapped_is_seen_by_looking()
    {
        // As Kubernetes mounts secrets: the files are links through a link that is swapped.
        Directory.CreateDirectory(_host.PathOf("one"));
        Directory.CreateDirectory(_host.PathOf("two"));
        Directory.CreateDirectory(_host.PathOf("mount"));
        Issued next = _host.Authority.Server(["localhost"]);
        _host.Write("one/tls.crt", _host.ServerCertificate.Pem);
        _host.Write("one/tls.key", _host.ServerCertificate.KeyPem);
        _host.Write("two/tls.crt", next.Pem);
        _host.Write("two/tls.key", next.KeyPem);
        File.CreateSymbolicLink(_host.PathOf("mount/..data"), "../one");
        File.CreateSymbolicLink(_host.PathOf("mount/tls.crt"), "..data/tls.crt");
        File.CreateSymbolicLink(_host.PathOf("mount/tls.key"), "..data/tls.key");
        var options = new TlsOptions { Certificates = [new CertificateFiles(_host.PathOf("mount/tls.crt"), _host.PathOf("mount/tls.key"))] };
        using var files = new TlsFiles(options, "test", TimeProvider.System, _host.Log);
        Assert.Equal(_host.ServerCertificate.Certificate.Thumbprint, files.Current.Certificates.Single().Certificate.Thumbprint);

        File.Delete(_host.PathOf("mount/..data"));
        File.CreateSymbolicLink(_host.PathOf("mount/..data"), "../two");
        files.Check();
        Assert.Equal(next.Certificate.Thumbprint, files.Current.Certificates.Single().Certificate.Thumbprint);
    }

    [Fact]
    public async Task A_client_is_refused_from_the_new_list_on()
    {
        Issued client = _host.Authority.Client("CN=lost");
        _host.Write("crl.pem", _host.Authority.Revoke(20));
        int port = await _host.StartAsync(ListenerProtocol.Mqtts, _host.Mutual with { RevocationFile = _host.PathOf("crl.pem") });
        TestClient stolen = await _host.ConnectAsync(port, "c", client);
        TestClient other = await _host.ConnectAsync(port, "d", _host.Authority.Client("CN=other"));
        _host.Replace("crl.pem", _host.Authority.Revoke(20, client));
        await _host.Log.WithAsync("new connections get");
        // Who is connected with it goes, too.
        await stolen.ExpectDisconnectAsync(ReasonCode.NotAuthorized);
        await _host.Events.WaitForAsync(
            one => one is { Kind: BrokerEventKind.Disconnected, ClientId: "c" } && one.Text.Contains("is revoked", StringComparison.Ordinal),
            "the end to be told");
        await other.FenceAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => _host.ConnectAsync(port, "again", client));
        await _host.Log.WithAsync("is revoked");
    }

    [Fact]
    public async Task A_connection_ends_with_its_certificate()
    {
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        await using var host = new WebHost { Time = time };
        int port = await host.StartAsync(ListenerProtocol.Mqtts, host.Mutual);
        TestClient client = await host.ConnectAsync(port, "c", host.Authority.Client("CN=short", toDays: 2));
        TestClient other = await host.ConnectAsync(port, "d", host.Authority.Client("CN=long", toDays: 20));
        time.Advance(TimeSpan.FromDays(3));
        // Its reactor sleeps by the real clock, and may be awake.
        await client.SendAsync(Packets.Pingreq());
        ReceivedPacket last = await client.ReceiveAsync();
        if (last.Type == PacketType.Pingresp) last = await client.ReceiveAsync();
        Assert.Equal((PacketType.Disconnect, ReasonCode.NotAuthorized), (last.Type, last.Reason));
        await other.FenceAsync();
    }

    [Fact]
    public async Task A_client_over_WebSocket_goes_with_the_new_list()
    {
        Issued client = _host.Authority.Client("CN=lost");
        _host.Write("crl.pem", _host.Authority.Revoke(20));
        int port = await _host.StartAsync(ListenerProtocol.Wss, _host.Mutual with { RevocationFile = _host.PathOf("crl.pem") });
        RawWebSocket stolen = await OpenAsync(_host, port, client, "c");
        RawWebSocket other = await OpenAsync(_host, port, _host.Authority.Client("CN=other"), "d");
        _host.Replace("crl.pem", _host.Authority.Revoke(20, client));
        byte[] last = (await stolen.ReceiveAsync())!.Value.Payload;
        Assert.Equal((0xE0, (byte)ReasonCode.NotAuthorized), (last[0], last[2]));
        await _host.Events.WaitForAsync(
            one => one is { Kind: BrokerEventKind.Disconnected, ClientId: "c" } && one.Text.Contains("is revoked", StringComparison.Ordinal),
            "the end to be told");
        await other.SendAsync(RawWebSocket.Binary, Packets.Pingreq());
        await other.ExpectAsync(Packets.Pingresp());
    }

    [Fact]
    public async Task A_connection_over_WebSocket_ends_with_its_certificate()
    {
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        await using var host = new WebHost { Time = time };
        int port = await host.StartAsync(ListenerProtocol.Wss, host.Mutual);
        RawWebSocket client = await OpenAsync(host, port, host.Authority.Client("CN=short", toDays: 2), "c");
        RawWebSocket other = await OpenAsync(host, port, host.Authority.Client("CN=long", toDays: 20), "d");
        time.Advance(TimeSpan.FromDays(3));
        byte[] last = (await client.ReceiveAsync())!.Value.Payload;
        Assert.Equal((0xE0, (byte)ReasonCode.NotAuthorized), (last[0], last[2]));
        await other.SendAsync(RawWebSocket.Binary, Packets.Pingreq());
        await other.ExpectAsync(Packets.Pingresp());
    }

    [Fact]
    public async Task A_request_over_a_connection_whose_certificate_is_revoked_by_now_is_not_answered()
    {
        Issued client = _host.Authority.Client("CN=lost");
        _host.Write("crl.pem", _host.Authority.Revoke(20));
        int port = await _host.StartAsync(ListenerProtocol.Https, _host.Mutual with { RevocationFile = _host.PathOf("crl.pem") });
        Stream stream = await _host.TlsAsync(port, client);
        Assert.Contains("HTTP/1.1 200", await AskAsync(stream), StringComparison.Ordinal);
        _host.Replace("crl.pem", _host.Authority.Revoke(20, client));
        await _host.Log.WithAsync("new connections get");
        Assert.Equal("", await AskAsync(stream));
        await _host.Log.WithAsync("is revoked");
    }

    private static async Task<string> AskAsync(Stream stream)
    {
        byte[] buffer = new byte[4096];
        try
        {
            await stream.WriteAsync("GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray());
            int count = await stream.ReadAsync(buffer).AsTask().WaitAsync(Deadline.Timeout);
            return Encoding.ASCII.GetString(buffer, 0, count);
        }
        catch (IOException)
        {
            return "";
        }
    }

    private static async Task<RawWebSocket> OpenAsync(WebHost host, int port, Issued client, string clientId)
    {
        var socket = new RawWebSocket(await host.TlsAsync(port, client));
        Assert.StartsWith("HTTP/1.1 101 ", await socket.UpgradeAsync(), StringComparison.Ordinal);
        await socket.SendAsync(RawWebSocket.Binary, Packets.V5.Connect(clientId));
        Assert.Equal(0x20, (await socket.ReceiveAsync())!.Value.Payload[0]);
        return socket;
    }

    [Fact]
    public async Task What_ends_and_what_is_not_used_is_told_to_who_watches()
    {
        _host.Write("crl.pem", _host.Authority.Revoke(10));
        await _host.StartAsync(ListenerProtocol.Mqtts, _host.Mutual with { RevocationFile = _host.PathOf("crl.pem") });
        var expiry = new EdgeBroker.Mqtt.Tls.CertificateExpiry(() => _host.Server.Certificates, TimeProvider.System);
        Assert.Contains(expiry.Findings(), one => one.State == HealthState.Warning && one.Detail.Contains("crl.pem is valid until", StringComparison.Ordinal));
        _host.Replace("server.crt", "nonsense");
        await _host.Log.WithAsync("are not used");
        Assert.Contains(expiry.Findings(), one => one.State == HealthState.Warning && one.Detail.Contains("are not used", StringComparison.Ordinal));
    }

    [Fact]
    public void The_end_of_a_certificate_is_announced_each_day()
    {
        Issued soon = _host.Authority.Server(toDays: 10);
        Put(soon);
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        using var files = new TlsFiles(_host.Tls, "mqtts on here", time, _host.Log);
        // Whoever read the configuration has said what is to be said at the start.
        Assert.Equal(0, _host.Log.Count("1202"));
        time.Advance(TimeSpan.FromDays(1));
        string line = Assert.Single(
            _host.Log.All, line => line.Contains("1202", StringComparison.Ordinal) && line.Contains("expires in 8 days", StringComparison.Ordinal));
        Assert.StartsWith("Warning 1202 mqtts on here", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Replaced_a_hundred_times_under_QoS_1_traffic_nobody_is_dropped_and_nothing_is_lost()
    {
        const int replacements = 100;
        int port = await _host.StartAsync(ListenerProtocol.Mqtts);
        TestClient subscriber = await _host.ConnectAsync(port, "subscriber");
        await subscriber.SubscribeAsync("a", options: 1);
        TestClient publisher = await _host.ConnectAsync(port, "publisher");
        int published = 0;
        for (int i = 0; i < replacements; i++)
        {
            Issued next = _host.Authority.Server(["localhost"]);
            Put(next);
            // Traffic goes on until the new certificate is seen; a new client comes in with each.
            while (_host.Log.Count("new connections get the new certificate") <= i)
            {
                published++;
                string payload = published.ToString(CultureInfo.InvariantCulture);
                await publisher.SendAsync(publisher.Packets.Publish("a", payload, qos: 1, packetId: (published % 60_000) + 1));
                await publisher.ExpectAsync(publisher.Packets.Puback((published % 60_000) + 1));
                await subscriber.AcknowledgeAsync(await subscriber.ExpectPublishAsync("a", payload, qos: 1));
            }

            SslStream late = await _host.TlsAsync(port, inspect: certificate => Assert.Equal(next.Certificate.Thumbprint, certificate.Thumbprint));
            await late.DisposeAsync();
        }

        Assert.Equal(replacements, _host.Log.Count("new connections get the new certificate"));
        Assert.True(published >= replacements, $"{published} messages");
        await subscriber.ExpectNothingAsync();
        Assert.DoesNotContain(_host.Events.All, e => e.Kind == BrokerEventKind.Disconnected);
    }

    private void Put(Issued issued)
    {
        _host.Replace("server.key", issued.KeyPem);
        _host.Replace("server.crt", issued.Pem);
    }
}
