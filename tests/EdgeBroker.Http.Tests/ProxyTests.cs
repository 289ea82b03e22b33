using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using EdgeBroker.Core.Security;
using EdgeBroker.Http.Tests.Rig;
using EdgeBroker.Http.Tests.WebSockets;
using EdgeBroker.Mqtt.Tls;
using EdgeBroker.Testing;
using EdgeBroker.Transport.Listeners;
using EdgeBroker.Transport.Proxies;
using EdgeBroker.Transport.UnixSockets;

namespace EdgeBroker.Http.Tests;

/// <summary>Secure and web listeners behind a proxy: the header first, then TLS and HTTP as ever.</summary>
public sealed class ProxyTests : IAsyncDisposable
{
    private static readonly byte[] Line = "PROXY TCP6 2001:db8::7 2001:db8::1 56324 8883\r\n"u8.ToArray();
    private static readonly byte[] Binary =
        Convert.FromHexString("0D0A0D0A000D0A515549540A" + "2111" + "0010" + "C0000207" + "C6336401" + "DC0422B3" + "04000100");
    private readonly WebHost _host = new();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Theory]
    [InlineData(ListenerProtocol.Mqtts)]
    [InlineData(ListenerProtocol.Ws)]
    [InlineData(ListenerProtocol.Wss)]
    public async Task The_client_is_where_the_header_says(ListenerProtocol protocol)
    {
        int port = await StartAsync(protocol);
        foreach ((byte[] header, string expected) in new[] { (Line, "[2001:db8::7]:56324"), (Binary, "192.0.2.7:56324") })
        {
            await EnterAsync(protocol, port, header);
            Assert.True(_host.Asked.TryDequeue(out AuthenticationRequest? asked));
            Assert.Equal(expected, asked.RemoteEndPoint);
        }
    }

    [Theory]
    [InlineData(ListenerProtocol.Mqtts)]
    [InlineData(ListenerProtocol.Ws)]
    public async Task Without_an_address_it_is_where_the_proxy_is(ListenerProtocol protocol)
    {
        int port = await StartAsync(protocol);
        await EnterAsync(protocol, port, Convert.FromHexString("0D0A0D0A000D0A515549540A" + "2000" + "0000"));
        Assert.StartsWith("127.0.0.1:", _host.Asked.Single().RemoteEndPoint, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_header_may_come_byte_by_byte()
    {
        int port = await StartAsync(ListenerProtocol.Ws);
        await EnterAsync(ListenerProtocol.Ws, port, Binary, byteByByte: true);
        Assert.Equal("192.0.2.7:56324", _host.Asked.Single().RemoteEndPoint);
    }

    [Theory]
    [InlineData(ListenerProtocol.Mqtts, "160301020001", "no PROXY header comes first, but TLS; have the proxy send one")]
    [InlineData(ListenerProtocol.Ws, "474554202F", "no PROXY header comes first, but HTTP;")]
    [InlineData(ListenerProtocol.Wss, "50524F58592054435034203120320D0A", "the PROXY header is malformed")]
    [InlineData(ListenerProtocol.Wss, "0D0A0D0A000D0A515549540A2111FFFF", "65535 bytes are announced")]
    public async Task Anything_else_is_refused_and_told(ListenerProtocol protocol, string sent, string cause)
    {
        int port = await StartAsync(protocol);
        NetworkStream stream = await _host.TcpAsync(port);
        await stream.WriteAsync(Convert.FromHexString(sent));
        await ExpectRefusedAsync(stream, cause);
        await EnterAsync(protocol, port, Line);
    }

    [Fact]
    public async Task A_header_that_does_not_come_is_not_waited_for()
    {
        int port = await StartAsync(ListenerProtocol.Mqtts, timeout: TimeSpan.FromMilliseconds(300));
        NetworkStream stream = await _host.TcpAsync(port);
        await stream.WriteAsync(Line.AsMemory(0, 7));
        await ExpectRefusedAsync(stream, "no complete PROXY header within limits.connect_timeout");
    }

    [Fact]
    public async Task Half_a_header_is_told()
    {
        int port = await StartAsync(ListenerProtocol.Ws);
        NetworkStream stream = await _host.TcpAsync(port);
        await stream.WriteAsync(Line.AsMemory(0, 7));
        stream.Socket.Shutdown(SocketShutdown.Send);
        await ExpectRefusedAsync(stream, "the connection ended within its PROXY header");
    }

    [Fact]
    public async Task Who_is_no_proxy_of_the_listener_is_turned_away()
    {
        int port = await StartAsync(ListenerProtocol.Ws, new TrustedProxies([IPNetwork.Parse("10.0.0.0/8")]));
        await ExpectRefusedAsync(await _host.TcpAsync(port), "add its address to proxy_from");
    }

    [Fact]
    public async Task A_header_inside_TLS_comes_too_late()
    {
        int port = await _host.StartAsync(ListenerProtocol.Mqtts);
        SslStream stream = await _host.TlsAsync(port);
        await stream.WriteAsync((byte[])[.. Line, .. Packets.V5.Connect("c")]);
        await _host.Events.WaitForAsync(
            e => e.Kind == BrokerEventKind.Refused && e.Text.Contains("the first packet is not CONNECT", StringComparison.Ordinal), "the refusal");
    }

    [Fact]
    public async Task A_failed_handshake_is_told_of_the_client_not_of_the_proxy()
    {
        int port = await StartAsync(ListenerProtocol.Mqtts);
        NetworkStream stream = await _host.TcpAsync(port);
        await stream.WriteAsync((byte[])[.. Binary, .. Packets.V5.Connect("c")]);
        Assert.Contains(
            "TLS handshake with 192.0.2.7:56324 failed: the client speaks plain MQTT", await _host.Log.WithAsync("TLS handshake with"),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_of_a_Unix_socket_is_the_user_that_runs_it_and_the_file_has_its_mode()
    {
        string path = _host.PathOf("mqtt.sock");
        await _host.StartAsync(null, new ListenerSettings { Protocol = ListenerProtocol.Ws, Address = "unix:" + path, IdentifiesPeers = true });
        Assert.Equal(SocketFileAccess.Default.Mode, File.GetUnixFileMode(path));
        using var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await client.ConnectAsync(new UnixDomainSocketEndPoint(path));
        await SpeakAsync(ListenerProtocol.Ws, new NetworkStream(client));
        Assert.Equal(Environment.UserName, _host.Asked.Single().TransportIdentity);
    }

    [Fact]
    public async Task A_living_server_s_socket_file_is_not_taken()
    {
        string path = _host.PathOf("mqtt.sock");
        var options = new ListenerSettings { Protocol = ListenerProtocol.Ws, Address = "unix:" + path, AllowAnonymous = true };
        await _host.StartAsync(null, options);
        await using var second = new WebListenerFamily(_host.Broker, _host, _host.Site, 1, TimeProvider.System, _host.Log, new TlsCounters());
        await Assert.ThrowsAnyAsync<IOException>(() => second.OpenAsync(options));
        using var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await client.ConnectAsync(new UnixDomainSocketEndPoint(path));
        await SpeakAsync(ListenerProtocol.Ws, new NetworkStream(client));
    }

    private Task<int> StartAsync(ListenerProtocol protocol, TrustedProxies? proxies = null, TimeSpan? timeout = null) =>
        _host.StartAsync(
            protocol,
            with: options => options with { Proxies = proxies ?? TrustedProxies.Loopback },
            limits: TestBrokerOptions.Quiet with { ConnectTimeout = timeout ?? TimeSpan.FromSeconds(30) });

    private async Task EnterAsync(ListenerProtocol protocol, int port, byte[] header, bool byteByByte = false)
    {
        if (protocol != ListenerProtocol.Ws)
        {
            await SpeakAsync(protocol, await _host.TlsAsync(port, first: header));
            return;
        }

        NetworkStream stream = await _host.TcpAsync(port);
        foreach (byte[] piece in byteByByte ? header.Select(one => new[] { one }) : [header]) await stream.WriteAsync(piece);
        await SpeakAsync(protocol, stream);
    }

    private async Task SpeakAsync(ListenerProtocol protocol, Stream stream)
    {
        if (protocol == ListenerProtocol.Mqtts)
        {
            TestClient mqtt = _host.Mqtt(stream);
            await mqtt.SendAsync(mqtt.Packets.Connect("c"));
            await mqtt.ExpectConnackAsync();
            return;
        }

        var socket = new RawWebSocket(stream);
        Assert.StartsWith("HTTP/1.1 101 ", await socket.UpgradeAsync(), StringComparison.Ordinal);
        await socket.SendAsync(RawWebSocket.Binary, Packets.V5.Connect("c"));
        Assert.Equal(0x20, (await socket.ReceiveAsync())!.Value.Payload[0]);
    }

    private async Task ExpectRefusedAsync(NetworkStream stream, string cause)
    {
        await _host.Events.WaitForAsync(e => e.Kind == BrokerEventKind.Refused && e.Text.Contains(cause, StringComparison.Ordinal), cause);
        try
        {
            Assert.Equal(0, await Deadline.Within(stream.ReadAsync(new byte[16]).AsTask(), "the end of the connection"));
        }
        catch (IOException)
        {
            // Closed with bytes unread, which a socket tells by a reset.
        }
    }
}
