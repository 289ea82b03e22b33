using System.Text;
using EdgeBroker.Core;
using EdgeBroker.Http.Tests.Rig;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;
using EdgeBroker.Transport.Listeners;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Http.Tests.WebSockets;

/// <summary>MQTT over WebSocket, frame by frame.</summary>
public sealed class WebSocketTests : IAsyncDisposable
{
    private static readonly Packets V5 = Packets.V5;
    private readonly WebHost _host = new();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Theory]
    [InlineData(ListenerProtocol.Ws)]
    [InlineData(ListenerProtocol.Wss)]
    public async Task Packets_need_not_begin_or_end_with_frames(ListenerProtocol protocol)
    {
        int port = await _host.StartAsync(protocol);
        RawWebSocket socket = await ConnectAsync(port, protocol);
        byte[] subscribe = V5.Subscribe(1, "a");
        byte[] publish = V5.Publish("a", "hi", qos: 1, packetId: 7);
        byte[] all = [.. subscribe, .. publish, .. publish[..3]];
        // Two packets and a bit in one frame; the rest as fragments of a message of its own, a ping in between, and the last byte alone.
        await socket.SendAsync(RawWebSocket.Binary, all);
        await socket.SendAsync(RawWebSocket.Binary, publish[3..5], final: false);
        await socket.SendAsync(RawWebSocket.Ping, "alive?"u8.ToArray());
        await socket.SendAsync(RawWebSocket.Continuation, [], final: false);
        await socket.SendAsync(RawWebSocket.Continuation, publish[5..^1], final: true);
        await socket.SendAsync(RawWebSocket.Binary, publish[^1..]);
        List<byte> received = [];
        bool pong = false;
        byte[] delivered = V5.Publish("a", "hi");
        byte[] expected = [.. V5.Suback(1, 0), .. V5.Puback(7), .. V5.Puback(7), .. delivered, .. delivered];
        while (received.Count < expected.Length || !pong)
        {
            (int opcode, byte[] payload) = (await socket.ReceiveAsync())!.Value;
            if (opcode == RawWebSocket.Pong)
            {
                Assert.Equal("alive?", Encoding.ASCII.GetString(payload));
                pong = true;
                continue;
            }

            Assert.Equal(RawWebSocket.Binary, opcode);
            received.AddRange(payload);
        }

        Assert.Equal(expected.Order(), received.Order());
    }

    [Fact]
    public async Task A_packet_may_come_byte_by_byte()
    {
        int port = await _host.StartAsync(ListenerProtocol.Ws);
        RawWebSocket socket = await ConnectAsync(port);
        foreach (byte one in V5.Publish("a", "hi", qos: 1, packetId: 7)) await socket.SendAsync(RawWebSocket.Binary, [one]);
        await socket.ExpectAsync(V5.Puback(7, ReasonCode.NoMatchingSubscribers));
        foreach (byte one in RawWebSocket.Frame(RawWebSocket.Binary, Packets.Pingreq())) await socket.SendRawAsync([one]);
        await socket.ExpectAsync(Packets.Pingresp());
    }

    [Theory]
    [InlineData("mqttv3.1", 400, "subprotocol")]
    [InlineData(null, 400, "subprotocol")]
    [InlineData("chat, xmpp", 400, "subprotocol")]
    public async Task Another_subprotocol_is_refused(string? subprotocol, int status, string logged)
    {
        int port = await _host.StartAsync(ListenerProtocol.Ws);
        string head = await new RawWebSocket(await _host.TcpAsync(port)).UpgradeAsync(subprotocol: subprotocol);
        Assert.StartsWith($"HTTP/1.1 {status} ", head, StringComparison.Ordinal);
        await _host.Log.WithAsync(logged);
        Assert.Contains(
            "Sec-WebSocket-Protocol: mqtt", await new RawWebSocket(await _host.TcpAsync(port)).UpgradeAsync(subprotocol: "mqttv3.1, mqtt"),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Other_paths_and_plain_requests_are_refused()
    {
        int port = await _host.StartAsync(ListenerProtocol.Ws, with: options => options with { Path = "/plant" });
        Assert.StartsWith("HTTP/1.1 404 ", await new RawWebSocket(await _host.TcpAsync(port)).UpgradeAsync(), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 426 ", await new RawWebSocket(await _host.TcpAsync(port)).UpgradeAsync("/plant", upgrade: false), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 101 ", await new RawWebSocket(await _host.TcpAsync(port)).UpgradeAsync("/plant"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "gw.lan:PORT", null, true)]
    [InlineData("", "gw.lan:PORT", "http://gw.lan:PORT", true)]
    [InlineData("", "gw.lan:PORT", "https://GW.lan:PORT", true)]
    [InlineData("", "gw.lan", "http://gw.lan", true)]
    [InlineData("", "gw.lan:PORT", "http://gw.lan", false)]
    [InlineData("", "gw.lan:PORT", "http://gw.lan:80", false)]
    [InlineData("", "gw.lan:PORT", "http://evil.example", false)]
    [InlineData("", "gw.lan:PORT", "http://gw.lan.evil.example:PORT", false)]
    [InlineData("", "gw.lan:PORT", "null", false)]
    [InlineData("https://plant.example", "gw.lan:PORT", "https://plant.example", true)]
    [InlineData("https://plant.example", "gw.lan:PORT", "http://plant.example", false)]
    [InlineData("https://plant.example", "gw.lan:PORT", "http://gw.lan:PORT", false)]
    // A name that somebody has had point here: its page is of the same origin.
    [InlineData("", "rebound.example:PORT", "http://rebound.example:PORT", false)]
    [InlineData("https://rebound.example", "rebound.example:PORT", "https://rebound.example", true)]
    [InlineData("", "rebound.example:PORT", null, true)]
    [InlineData("", "127.0.0.1:PORT", "http://127.0.0.1:PORT", true)]
    [InlineData("", "[::1]:PORT", "http://[::1]:PORT", true)]
    [InlineData("", "localhost:PORT", "http://localhost:PORT", true)]
    [InlineData("", "gw-test:PORT", "http://gw-test:PORT", true)]
    public async Task Pages_of_other_origins_and_of_unknown_names_are_refused(string allowed, string host, string? origin, bool admitted)
    {
        _host.Options.Current = _host.Options.Current with { AllowedHosts = ["gw.lan"] };
        int port = await _host.StartAsync(ListenerProtocol.Ws, with: options => options with { AllowedOrigins = allowed.Length == 0 ? [] : [allowed] });
        string head = await new RawWebSocket(await _host.TcpAsync(port)).UpgradeAsync(origin: At(origin), host: At(host)!);
        Assert.StartsWith(admitted ? "HTTP/1.1 101 " : "HTTP/1.1 403 ", head, StringComparison.Ordinal);

        string? At(string? text) => text?.Replace("PORT", $"{port}", StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_name_in_the_certificate_is_a_known_one()
    {
        int port = await _host.StartAsync(ListenerProtocol.Wss);
        _host.Options.Current = _host.Options.Current with { NodeName = "other" };
        foreach ((string name, string status) in new[] { ("localhost", "101"), ("rebound.example", "403") })
        {
            string head = await new RawWebSocket(await _host.TlsAsync(port)).UpgradeAsync(origin: $"https://{name}:{port}", host: $"{name}:{port}");
            Assert.StartsWith($"HTTP/1.1 {status} ", head, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_text_message_closes_with_1003()
    {
        int port = await _host.StartAsync(ListenerProtocol.Ws);
        RawWebSocket socket = await ConnectAsync(port);
        await socket.SendAsync(RawWebSocket.Text, Packets.Pingreq());
        await socket.ExpectCloseAsync(1003);
        await _host.Log.WithAsync("MQTT over WebSocket is binary");
        await _host.Events.WaitForAsync(e => e.Kind == BrokerEventKind.Disconnected, "the broker to notice");
    }

    [Fact]
    public async Task A_text_message_behind_an_empty_one_closes_as_well()
    {
        int port = await _host.StartAsync(ListenerProtocol.Ws);
        RawWebSocket socket = await ConnectAsync(port);
        await socket.SendRawAsync(
            [.. RawWebSocket.Frame(RawWebSocket.Binary, []), .. RawWebSocket.Frame(RawWebSocket.Text, V5.Publish("plant/text", "x", 1, 1))]);
        await socket.ExpectCloseAsync(1003);
        await _host.Log.WithAsync("MQTT over WebSocket is binary");
    }

    [Fact]
    public async Task Empty_messages_are_none()
    {
        int port = await _host.StartAsync(ListenerProtocol.Ws);
        RawWebSocket socket = await ConnectAsync(port);
        for (int i = 0; i < 3; i++) await socket.SendAsync(RawWebSocket.Binary, []);
        await socket.SendAsync(RawWebSocket.Binary, Packets.Pingreq());
        await socket.ExpectAsync(Packets.Pingresp());
    }

    [Fact]
    public async Task Frames_against_the_rules_close_with_1002()
    {
        int port = await _host.StartAsync(ListenerProtocol.Ws);
        byte[][] wrong =
        [
            RawWebSocket.Frame(RawWebSocket.Binary, V5.Publish("a", "hi"), masked: false),
            [0x83, 0x80, 0, 0, 0, 0],
            [0xC2, 0x80, 0, 0, 0, 0],
            RawWebSocket.Frame(RawWebSocket.Continuation, Packets.Pingreq()),
            RawWebSocket.Frame(RawWebSocket.Ping, new byte[4], final: false),
            RawWebSocket.Frame(RawWebSocket.Ping, new byte[126]),
        ];
        // Many times: the Close frame must not be lost to a reset of the connection, not even now and then.
        for (int round = 0; round < 40; round++)
        {
            foreach (byte[] frame in wrong)
            {
                RawWebSocket socket = await ConnectAsync(port);
                await socket.SendRawAsync(frame);
                await socket.ExpectCloseAsync(1002, answer: false);
            }
        }

        await (await ConnectAsync(port)).SendAsync(RawWebSocket.Binary, Packets.Pingreq());
    }

    [Fact]
    public async Task A_packet_too_large_is_refused_before_it_has_come()
    {
        int port = await _host.StartAsync(ListenerProtocol.Ws, limits: TestBrokerOptions.Quiet with { MaxPacketSizeBytes = 100_000 });
        RawWebSocket socket = await ConnectAsync(port);
        // The frame announces 2^40 bytes, the packet 200 MB.
        await socket.SendRawAsync([0x82, 0xFF, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x30, 0x80, 0x80, 0x80, 0x60, .. new byte[4096]]);
        (int opcode, byte[] payload) = (await socket.ReceiveAsync())!.Value;
        Assert.Equal((RawWebSocket.Binary, 0xE0, (byte)ReasonCode.PacketTooLarge), (opcode, payload[0], payload[2]));
        (opcode, _) = (await socket.ReceiveAsync())!.Value;
        Assert.Equal(RawWebSocket.Close, opcode);
        Assert.Null(await socket.ReceiveAsync());
    }

    [Fact]
    public async Task A_megabyte_comes_and_goes_in_one_frame()
    {
        int port = await _host.StartAsync(ListenerProtocol.Ws, limits: TestBrokerOptions.Quiet with { MaxPacketSizeBytes = 2_000_000 });
        RawWebSocket socket = await ConnectAsync(port);
        await socket.SendAsync(RawWebSocket.Binary, V5.Subscribe(1, "a"));
        await socket.ExpectAsync(V5.Suback(1, 0));
        byte[] publish = V5.Publish("a", new string('x', 1_500_000));
        await socket.SendAsync(RawWebSocket.Binary, publish);
        await socket.ExpectAsync(publish);
    }

    [Fact]
    public async Task Close_is_answered_and_so_is_goodbye()
    {
        int port = await _host.StartAsync(ListenerProtocol.Ws);
        RawWebSocket closing = await ConnectAsync(port);
        await closing.SendAsync(RawWebSocket.Close, [0x03, 0xE8]);
        await closing.ExpectCloseAsync(1000, answer: false);
        RawWebSocket leaving = await ConnectAsync(port);
        await leaving.SendAsync(RawWebSocket.Binary, V5.Disconnect());
        await leaving.ExpectCloseAsync(1000);
        RawWebSocket rude = await ConnectAsync(port);
        await rude.SendAsync(RawWebSocket.Binary, V5.Disconnect());
        // Who does not answer the close is cut a second later.
        await rude.ExpectCloseAsync(1000, answer: false);
    }

    [Fact]
    public async Task Who_says_nothing_is_let_go()
    {
        // The clock stands still while the second makes its way to MQTT, however long that takes.
        var time = new FakeTimeProvider();
        await using var host = new WebHost { Time = time };
        int port = await host.StartAsync(ListenerProtocol.Ws, limits: TestBrokerOptions.Quiet with { ConnectTimeout = TimeSpan.FromMinutes(1) });
        var silent = new RawWebSocket(await host.TcpAsync(port));
        Task ended = ExpectEndAsync(silent);
        await Deadline.AdvanceUntil(time, () => ended.IsCompleted, "the silent one's end");
        await ended;
        var upgraded = new RawWebSocket(await host.TcpAsync(port));
        await upgraded.UpgradeAsync();
        await Deadline.AdvanceUntil(time, () => host.Events.Count(BrokerEventKind.Refused) == 1, "the broker to notice");
        await upgraded.ExpectCloseAsync(1000);
    }

    [Fact]
    public async Task A_client_that_does_not_read_is_held_back_and_harms_nobody()
    {
        MqttOptions limits = TestBrokerOptions.Quiet with { MaxOutboundBytes = 64 * 1024 };
        int port = await _host.StartAsync(ListenerProtocol.Ws, limits: limits);
        RawWebSocket slow = await ConnectAsync(port);
        await slow.SendAsync(RawWebSocket.Binary, V5.Subscribe(1, "a"));
        await slow.ExpectAsync(V5.Suback(1, 0));
        RawWebSocket publisher = await ConnectAsync(port);
        byte[] publish = V5.Publish("a", new string('x', 50_000));
        // Until the sockets between are full and messages are dropped for it.
        while (!_host.Events.All.Any(e => e.Kind == BrokerEventKind.Dropped))
        {
            await publisher.SendAsync(RawWebSocket.Binary, publish);
            await publisher.SendAsync(RawWebSocket.Binary, Packets.Pingreq());
            await publisher.ExpectAsync(Packets.Pingresp());
        }
    }

    private static async Task ExpectEndAsync(RawWebSocket socket) => Assert.Null(await socket.ReceiveAsync());

    private async Task<RawWebSocket> ConnectAsync(int port, ListenerProtocol protocol = ListenerProtocol.Ws)
    {
        var socket = new RawWebSocket(protocol == ListenerProtocol.Ws ? await _host.TcpAsync(port) : await _host.TlsAsync(port));
        Assert.StartsWith("HTTP/1.1 101 ", await socket.UpgradeAsync(), StringComparison.Ordinal);
        await socket.SendAsync(RawWebSocket.Binary, V5.Connect(Guid.NewGuid().ToString("N")));
        (int opcode, byte[] payload) = (await socket.ReceiveAsync())!.Value;
        Assert.Equal((RawWebSocket.Binary, 0x20, 0), (opcode, payload[0], payload[3]));
        return socket;
    }
}
