using System.Net.Sockets;
using EdgeBroker.Http.Tests.Rig;
using EdgeBroker.Http.Tests.WebSockets;
using EdgeBroker.Mqtt.Tls;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;
using EdgeBroker.Transport.Listeners;
using EdgeBroker.Transport.Tls;

namespace EdgeBroker.Http.Tests;

/// <summary>Listeners of several protocols side by side: start, addresses, goodbye.</summary>
public sealed class ServerTests : IAsyncDisposable
{
    private readonly WebHost _host = new();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Stopping_says_goodbye_on_every_listener()
    {
        await _host.StartAsync(null, Options(ListenerProtocol.Mqtts), Options(ListenerProtocol.Ws), Options(ListenerProtocol.Wss));
        TestClient secure = await _host.ConnectAsync(_host.Port(0), "secure");
        RawWebSocket plain = await OpenAsync(await _host.TcpAsync(_host.Port(1)), "plain");
        RawWebSocket both = await OpenAsync(await _host.TlsAsync(_host.Port(2)), "both");
        Stream silent = await _host.TcpAsync(_host.Port(0));
        Task stopped = _host.Server.StopAsync(Deadline.Timeout, TimeProvider.System);
        await secure.ExpectDisconnectAsync(ReasonCode.ServerShuttingDown);
        foreach (RawWebSocket socket in new[] { plain, both })
        {
            (int opcode, byte[] payload) = (await socket.ReceiveAsync())!.Value;
            Assert.Equal((RawWebSocket.Binary, 0xE0, (byte)ReasonCode.ServerShuttingDown), (opcode, payload[0], payload[2]));
            await socket.ExpectCloseAsync(1001);
        }

        Assert.Equal(0, await silent.ReadAsync(new byte[1]));
        await Deadline.Within(stopped, "the server to stop");
    }

    [Fact]
    public async Task A_Unix_socket_serves_takes_a_stale_file_s_place_and_goes_at_the_end()
    {
        string path = _host.PathOf("mqtt.sock");
        using (var killed = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            killed.Bind(new UnixDomainSocketEndPoint(path));
            killed.Listen();
        }

        await _host.StartAsync(null, Options(ListenerProtocol.Ws) with { Address = "unix:" + path });
        Assert.Equal("unix:" + path, Assert.Single(_host.Server.Listeners.Select(listener => listener.EndPoint)));
        using var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await client.ConnectAsync(new UnixDomainSocketEndPoint(path));
        RawWebSocket socket = await OpenAsync(new NetworkStream(client), "c");
        Assert.True(_host.Asked.TryDequeue(out var asked));
        Assert.Equal("unix socket", asked.RemoteEndPoint);
        await socket.SendAsync(RawWebSocket.Close, [0x03, 0xE8]);
        await socket.ExpectCloseAsync(1000, answer: false);
        await _host.Server.StopAsync(Deadline.Timeout, TimeProvider.System);
        Assert.False(File.Exists(path));
    }

    [Fact]
    public async Task A_port_that_is_taken_is_an_error()
    {
        int port = await _host.StartAsync(ListenerProtocol.Ws);
        await using var second = new WebListenerFamily(_host.Broker, _host, _host.Site, 1, TimeProvider.System, _host.Log, new TlsCounters());
        ListenerSettings same = Options(ListenerProtocol.Ws) with { Address = $"127.0.0.1:{port}" };
        IOException error = await Assert.ThrowsAnyAsync<IOException>(() => second.OpenAsync(same));
        Assert.Contains($"{port}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_certificates_in_use_are_told()
    {
        using var files = new TlsFiles(_host.Tls, "mqtts on here", TimeProvider.System, _host.Log);
        (CertificateFiles named, var certificate) = files.Current.Certificates.Single();
        Assert.Equal(_host.PathOf("server.crt"), named.CertificateFile);
        Assert.Equal(_host.ServerCertificate.Certificate.Thumbprint, certificate.Thumbprint);
    }

    private ListenerSettings Options(ListenerProtocol protocol) =>
        new() { Protocol = protocol, Address = "127.0.0.1:0", AllowAnonymous = true, Tls = protocol == ListenerProtocol.Ws ? null : _host.Tls };

    private static async Task<RawWebSocket> OpenAsync(Stream stream, string clientId)
    {
        var socket = new RawWebSocket(stream);
        Assert.StartsWith("HTTP/1.1 101 ", await socket.UpgradeAsync(), StringComparison.Ordinal);
        await socket.SendAsync(RawWebSocket.Binary, Packets.V5.Connect(clientId));
        Assert.Equal(0x20, (await socket.ReceiveAsync())!.Value.Payload[0]);
        return socket;
    }
}
