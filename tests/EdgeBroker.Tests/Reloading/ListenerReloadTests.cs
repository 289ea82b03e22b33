using System.Net;
using System.Net.Sockets;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Tests.Reloading;

/// <summary>Listeners come, change and go while clients are connected.</summary>
public sealed class ListenerReloadTests
{
    [Fact]
    public async Task A_listener_that_is_added_accepts_and_one_that_is_removed_sends_its_clients_away()
    {
        using var first = new LoopbackPort();
        using var second = new LoopbackPort();
        await using BrokerInProcess broker = await BrokerInProcess.StartAsync(Mqtt(first));
        TestClient old = await broker.ConnectAsync("old", port: first);
        Assert.Equal($"broker.toml is applied\n  applied: mqtt on 127.0.0.1:{second}: a new listener\n", broker.Apply(Mqtt(first) + Mqtt(second)));
        TestClient v5 = await broker.ConnectAsync("v5", port: second);
        TestClient v311 = await broker.ConnectAsync("v311", version: ProtocolVersion.V311, port: second);
        await old.SubscribeAsync("#");
        await v5.PublishAsync("a", "from the new listener");
        await old.ExpectPublishAsync("a", "from the new listener");
        Assert.Equal($"broker.toml is applied\n  applied: mqtt on 127.0.0.1:{second}: removed, and its clients disconnected\n", broker.Apply(Mqtt(first)));
        await v5.ExpectDisconnectAsync(ReasonCode.AdministrativeAction);
        await v311.ExpectDisconnectAsync(ReasonCode.AdministrativeAction);
        await Assert.ThrowsAsync<SocketException>(() => BrokerInProcess.SocketAsync(second));
        await old.ExpectNothingAsync();
        broker.Apply(Mqtt(first) + Mqtt(second));
        await broker.ConnectAsync("again", port: second);
    }

    [Theory]
    [InlineData("mqtt")]
    [InlineData("ws")]
    public async Task Settings_change_and_connections_stay(string protocol)
    {
        using var port = new LoopbackPort();
        using var other = new LoopbackPort();
        string settings = Listener(protocol, port) + "max_connections = 2\n" + Mqtt(other);
        await using BrokerInProcess broker = await BrokerInProcess.StartAsync(settings);
        await using TestClient one = await ConnectAsync(broker, protocol, port, "one");
        await using TestClient two = await ConnectAsync(broker, protocol, port, "two");
        broker.Apply(Listener(protocol, port) + "max_connections = 1\n" + Mqtt(other));
        await one.ExpectNothingAsync();
        await two.ExpectNothingAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => ConnectAsync(broker, protocol, port, "three"));
        await two.DisconnectAsync();
        await two.DisposeAsync();
        Assert.Contains($"{protocol} on 127.0.0.1:{port}: other settings", broker.Apply(settings), StringComparison.Ordinal);
        // Its place is free a moment after it has gone.
        await using TestClient three = await Eventually(() => ConnectAsync(broker, protocol, port, "three"));
        await one.ExpectNothingAsync();
        TestClient elsewhere = await broker.ConnectAsync("elsewhere", port: other);
        Assert.Contains(
            "2 client(s) disconnected", broker.Apply(Listener(protocol, port) + "allow_anonymous = false\n" + Mqtt(other)), StringComparison.Ordinal);
        await one.ExpectDisconnectAsync(ReasonCode.NotAuthorized);
        await three.ExpectDisconnectAsync(ReasonCode.NotAuthorized);
        await elsewhere.ExpectNothingAsync();
    }

    [Fact]
    public async Task An_address_that_is_taken_fails_the_reload_and_nothing_changes()
    {
        using var kept = new LoopbackPort();
        using var taker = new TcpListener(IPAddress.Loopback, 0);
        taker.Start();
        int taken = ((IPEndPoint)taker.LocalEndpoint).Port;
        using var free = new LoopbackPort();
        using var removed = new LoopbackPort();
        await using BrokerInProcess broker = await BrokerInProcess.StartAsync(Mqtt(kept) + Mqtt(removed) + "[mqtt]\nmax_qos = 2\n");
        TestClient client = await broker.ConnectAsync("c", port: removed);
        broker.Configure(Mqtt(kept) + Mqtt(free) + Listener("ws", taken) + "[mqtt]\nmax_qos = 1\n");
        (int exit, string said) = broker.Reload();
        Assert.Equal(1, exit);
        Assert.StartsWith($"cannot listen on 127.0.0.1:{taken}: ", said, StringComparison.Ordinal);
        await Assert.ThrowsAsync<SocketException>(() => BrokerInProcess.SocketAsync(free));
        await client.ExpectNothingAsync();
        TestClient more = await broker.ConnectAsync("d", port: removed);
        await more.PublishAsync("a", "x", qos: 2);
        taker.Stop();
        broker.Apply();
        await client.ExpectDisconnectAsync(ReasonCode.AdministrativeAction);
        await using TestClient web = await ConnectAsync(broker, "ws", taken, "w");
        await web.FenceAsync();
    }

    [Theory]
    [InlineData("mqtt", "ws")]
    [InlineData("ws", "mqtt")]
    public async Task An_address_changes_hands_between_protocols(string from, string to)
    {
        using var port = new LoopbackPort();
        await using BrokerInProcess broker = await BrokerInProcess.StartAsync(Listener(from, port));
        await using TestClient before = await ConnectAsync(broker, from, port, "before");
        broker.Apply(Listener(to, port));
        await before.ExpectDisconnectAsync(ReasonCode.AdministrativeAction);
        await using TestClient after = await ConnectAsync(broker, to, port, "after");
        await after.FenceAsync();
    }

    [Fact]
    public async Task A_listener_that_gave_its_address_free_in_vain_has_it_back()
    {
        using var port = new LoopbackPort();
        using var taker = new TcpListener(IPAddress.Loopback, 0);
        taker.Start();
        int taken = ((IPEndPoint)taker.LocalEndpoint).Port;
        await using BrokerInProcess broker = await BrokerInProcess.StartAsync(Mqtt(port));
        TestClient before = await broker.ConnectAsync("before", port: port);
        broker.Configure(Listener("ws", port) + Mqtt(taken));
        Assert.Equal(1, broker.Reload().Exit);
        await before.ExpectNothingAsync();
        await (await broker.ConnectAsync("after", port: port)).FenceAsync();
    }

    [Fact]
    public async Task A_unix_socket_comes_and_goes_with_its_file()
    {
        using var port = new LoopbackPort();
        await using BrokerInProcess broker = await BrokerInProcess.StartAsync(Mqtt(port));
        foreach (string protocol in new[] { "mqtt", "ws" })
        {
            string path = Path.Combine(broker.Directory.Path, protocol + ".sock");
            broker.Apply(Mqtt(port) + $"[[listener]]\nprotocol = \"{protocol}\"\naddress = \"unix:{path}\"\n");
            using (var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(path));
            }

            broker.Apply(Mqtt(port));
            Assert.False(File.Exists(path));
        }
    }

    [Fact]
    public async Task Secure_listeners_come_with_their_certificates_and_change_them_without_dropping_anybody()
    {
        using var port = new LoopbackPort();
        using var secure = new LoopbackPort();
        await using BrokerInProcess broker = await BrokerInProcess.StartAsync(Mqtt(port));
        Certify(broker, "ca");
        Certify(broker, "server", "localhost");
        string settings = Mqtt(port) + Mqtts(secure, "server");
        broker.Apply(settings);
        (TestClient first, string firstSerial) = await SecureAsync(broker, secure, "first");
        Assert.StartsWith("broker.toml: nothing has changed\n", broker.Apply(), StringComparison.Ordinal);
        File.Delete(Path.Combine(broker.Directory.Path, "certs", "server.crt"));
        (int exit, string said) = broker.Reload();
        Assert.Equal(78, exit);
        Assert.Contains("server.crt", said, StringComparison.Ordinal);
        await first.ExpectNothingAsync();
        Certify(broker, "server", "localhost", "--force");
        broker.Apply();
        (TestClient second, string secondSerial) = await SecureAsync(broker, secure, "second");
        Assert.NotEqual(firstSerial, secondSerial);
        Certify(broker, "server", "localhost", "--name", "other");
        Assert.Contains(": other certificate files, for new connections", broker.Apply(Mqtt(port) + Mqtts(secure, "other")), StringComparison.Ordinal);
        (TestClient third, string thirdSerial) = await SecureAsync(broker, secure, "third");
        Assert.NotEqual(secondSerial, thirdSerial);
        foreach (TestClient client in new[] { first, second, third }) await client.ExpectNothingAsync();
        broker.Apply(Mqtt(port));
        foreach (TestClient client in new[] { first, second, third }) await client.ExpectDisconnectAsync(ReasonCode.AdministrativeAction);
        await Assert.ThrowsAsync<SocketException>(() => BrokerInProcess.SocketAsync(secure));
    }

    private static string Mqtt(int port) => Listener("mqtt", port);

    private static string Listener(string protocol, int port) => $"[[listener]]\nprotocol = \"{protocol}\"\naddress = \"127.0.0.1:{port}\"\n";

    private static string Mqtts(int port, string name) =>
        Listener("mqtts", port) + $"[listener.tls]\ncert = \"certs/{name}.crt\"\nkey = \"certs/{name}.key\"\n";

    private static void Certify(BrokerInProcess broker, params string[] arguments)
    {
        using var said = new StringWriter();
        Assert.True(broker.Run(said, said, ["cert", .. arguments]) == 0, said.ToString());
    }

    private static async Task<(TestClient Client, string Serial)> SecureAsync(BrokerInProcess broker, int port, string clientId)
    {
        (TestClient client, string serial) = await broker.OpenTlsAsync(port, clientId);
        await client.SendAsync(client.Packets.Connect(clientId));
        await client.ExpectConnackAsync();
        return (client, serial);
    }

    private static async Task<TestClient> ConnectAsync(BrokerInProcess broker, string protocol, int port, string clientId)
    {
        TestClient client = protocol == "ws" ? await WebSocketAsync(port, clientId) : await broker.OpenAsync(port, name: clientId);
        await client.SendAsync(client.Packets.Connect(clientId));
        await client.ExpectConnackAsync();
        return client;
    }

    private static async Task<TestClient> WebSocketAsync(int port, string name)
    {
        var socket = new System.Net.WebSockets.ClientWebSocket();
        socket.Options.AddSubProtocol("mqtt");
        await Deadline.Within(socket.ConnectAsync(new Uri($"ws://127.0.0.1:{port}/mqtt"), CancellationToken.None), "the WebSocket");
        return TestClient.Over(
            System.Net.WebSockets.WebSocketStream.Create(socket, System.Net.WebSockets.WebSocketMessageType.Binary, ownsWebSocket: true), ProtocolVersion.V5,
            name);
    }

    private static async Task<TestClient> Eventually(Func<Task<TestClient>> connect)
    {
        long began = Environment.TickCount64;
        while (true)
        {
            try
            {
                return await connect();
            }
            catch (Exception exception) when (exception is not TimeoutException && Environment.TickCount64 - began < Deadline.Timeout.TotalMilliseconds)
            {
                await Task.Delay(5);
            }
        }
    }
}
