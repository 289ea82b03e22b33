using EdgeBroker.Core.Limits;
using EdgeBroker.Http.Tests.Rig;
using EdgeBroker.Http.Tests.WebSockets;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;
using EdgeBroker.Transport.Listeners;

namespace EdgeBroker.Http.Tests;

/// <summary>The limits of <c>[limits]</c> over TLS and WebSocket.</summary>
public sealed class LimitTests : IAsyncDisposable
{
    private readonly WebHost _host = new();

    public static TheoryData<ListenerProtocol> Protocols => new(ListenerProtocol.Mqtts, ListenerProtocol.Ws, ListenerProtocol.Wss);

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task One_connection_too_many_is_told_so_and_its_place_is_free_again_later(ListenerProtocol protocol)
    {
        int port = await _host.StartAsync(protocol);
        _host.Broker.Limits.Replace(new LimitOptions { MaxConnectionsPerIp = 1 });
        Func<Task> goFirst = await OpenAsync(port, protocol, 0);
        await OpenAsync(port, protocol, (byte)ReasonCode.QuotaExceeded);
        await goFirst();
        await Deadline.Until(() => _host.Broker.Limits.Connections.OpenCount == 0, "the place to be given back");
        await OpenAsync(port, protocol, 0);
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Connecting_too_often_is_refused_and_in_a_flood_before_any_handshake(ListenerProtocol protocol)
    {
        int port = await _host.StartAsync(protocol);
        _host.Broker.Limits.Replace(new LimitOptions { ConnectionsPerIp = new RateLimit(1, TimeSpan.FromHours(1), 1) });
        await OpenAsync(port, protocol, 0);
        await OpenAsync(port, protocol, (byte)ReasonCode.ConnectionRateExceeded);
        int closed = 0;
        byte[] one = new byte[1];
        // Who is still told why waits for us; who is closed at once is not.
        var streams = new List<Stream>();
        for (int i = 0; i < 200; i++) streams.Add(await _host.TcpAsync(port));
        Task<bool>[] ends = [.. streams.Select(async stream =>
        {
            try
            {
                return await stream.ReadAsync(one) == 0;
            }
            catch (IOException)
            {
                return true;
            }
        })];
        await Deadline.Until(() => (closed = ends.Count(end => end.IsCompletedSuccessfully && end.Result)) >= 100, "most of the flood to be closed");
        await Deadline.Until(() => _host.Broker.Limits.Counters[LimitKind.ConnectionsPerIp, LimitAction.Refused] == 201, "all to be counted");
        Assert.InRange(_host.Server.Handshakes.Succeeded, 0, 2);
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task A_publisher_is_held_back(ListenerProtocol protocol)
    {
        int port = await _host.StartAsync(protocol);
        _host.Broker.Limits.Replace(new LimitOptions { PublishesPerClient = new RateLimit(50, TimeSpan.FromSeconds(1), 2) });
        byte[] packets = [.. Packets.V5.Connect("c"), .. Enumerable.Range(1, 20).SelectMany(i => Packets.V5.Publish("t", "x", 1, i))];
        byte[] expected = [.. Enumerable.Range(1, 20).SelectMany(i => Packets.V5.Puback(i, ReasonCode.NoMatchingSubscribers))];
        byte[] received = await ExchangeAsync(port, protocol, packets, expected.Length);
        Assert.Equal(expected, received);
        Assert.True(_host.Broker.Limits.Counters[LimitKind.PublishesPerClient, LimitAction.Delayed] > 0);
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Excess_publishes_are_dropped_with_0x97(ListenerProtocol protocol)
    {
        int port = await _host.StartAsync(protocol);
        _host.Broker.Limits.Replace(new LimitOptions { PublishesPerClient = new RateLimit(1, TimeSpan.FromHours(1), 1) { OnExceed = ExceedAction.Drop } });
        byte[] packets =
        [
            .. Packets.V5.Connect("c", properties: Prop.RequestProblemInformation(0)),
            .. Packets.V5.Publish("t", "1", 1, 1),
            .. Packets.V5.Publish("t", "2", 1, 2),
            .. Packets.V5.Publish("t", "3", 2, 3),
        ];
        byte[] expected =
        [
            .. Packets.V5.Puback(1, ReasonCode.NoMatchingSubscribers),
            .. Packets.V5.Puback(2, ReasonCode.QuotaExceeded),
            .. Packets.V5.Pubrec(3, ReasonCode.QuotaExceeded),
        ];
        Assert.Equal(expected, await ExchangeAsync(port, protocol, packets, expected.Length));
    }

    /// <summary>Connects, expects a reason code, and returns what ends the connection.</summary>
    private async Task<Func<Task>> OpenAsync(int port, ListenerProtocol protocol, byte reason)
    {
        Stream stream = protocol == ListenerProtocol.Ws ? await _host.TcpAsync(port) : await _host.TlsAsync(port);
        if (protocol == ListenerProtocol.Mqtts)
        {
            TestClient client = _host.Mqtt(stream);
            await client.SendAsync(client.Packets.Connect("c"));
            if (reason == 0) await client.ExpectConnackAsync();
            else await client.ExpectRefusedAsync((ReasonCode)reason);
            return async () => await client.DisposeAsync();
        }

        var socket = new RawWebSocket(stream);
        Assert.StartsWith("HTTP/1.1 101 ", await socket.UpgradeAsync(), StringComparison.Ordinal);
        await socket.SendAsync(RawWebSocket.Binary, Packets.V5.Connect("c"));
        byte[] connack = (await socket.ReceiveAsync())!.Value.Payload;
        Assert.Equal((0x20, reason), (connack[0], connack[3]));
        return async () => await stream.DisposeAsync();
    }

    /// <summary>Sends packets, and returns what comes after CONNACK.</summary>
    private async Task<byte[]> ExchangeAsync(int port, ListenerProtocol protocol, byte[] packets, int bytes)
    {
        Stream stream = protocol == ListenerProtocol.Ws ? await _host.TcpAsync(port) : await _host.TlsAsync(port);
        var received = new List<byte>();
        RawWebSocket? socket = protocol == ListenerProtocol.Mqtts ? null : new RawWebSocket(stream);
        if (socket is not null) await socket.UpgradeAsync();
        if (socket is not null) await socket.SendAsync(RawWebSocket.Binary, packets);
        else await stream.WriteAsync(packets);
        byte[] buffer = new byte[4096];
        while (received.Count < 2 || received.Count < 2 + received[1] + bytes)
        {
            if (socket is not null)
            {
                received.AddRange((await socket.ReceiveAsync())!.Value.Payload);
                continue;
            }

            int count = await stream.ReadAsync(buffer).AsTask().WaitAsync(Deadline.Timeout);
            Assert.NotEqual(0, count);
            received.AddRange(buffer.AsSpan(0, count));
        }

        return [.. received.Skip(2 + received[1])];
    }
}
