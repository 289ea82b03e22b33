using EdgeBroker.Core.Ports;
using EdgeBroker.Http.Tests.Rig;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;
using EdgeBroker.Transport.Listeners;

namespace EdgeBroker.Http.Tests.WebSockets;

/// <summary>Claims of sessions that take their time, over WebSocket: it is read by others than plain sockets are.</summary>
public sealed class ClusterTests : IAsyncDisposable
{
    private static readonly Packets V5 = Packets.V5;
    private readonly TestCluster _cluster = new();
    private readonly WebHost _host;

    public ClusterTests() => _host = new WebHost { Cluster = _cluster };

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Theory]
    [InlineData(ListenerProtocol.Ws)]
    [InlineData(ListenerProtocol.Wss)]
    public async Task What_a_client_sends_ahead_waits_for_CONNACK(ListenerProtocol protocol)
    {
        RawWebSocket socket = await OpenAsync(protocol);
        await socket.SendAsync(RawWebSocket.Binary, [.. V5.Connect("c"), .. V5.Subscribe(1, "a")]);
        await socket.SendAsync(RawWebSocket.Binary, Packets.Pingreq());
        TestClaim claim = await _cluster.NextAsync();
        Assert.Equal(0, _host.Broker.SessionCount);
        claim.Answer(TestCluster.Granted(7));
        (int opcode, byte[] connack) = (await socket.ReceiveAsync())!.Value;
        Assert.Equal((RawWebSocket.Binary, 0x20), (opcode, connack[0]));
        await socket.ExpectAsync([.. V5.Suback(1, 0), .. Packets.Pingresp()]);
        Assert.Empty(_cluster.Released);
    }

    [Fact]
    public async Task A_session_that_is_elsewhere_refuses_the_client()
    {
        RawWebSocket socket = await OpenAsync(ListenerProtocol.Ws);
        await socket.SendAsync(RawWebSocket.Binary, V5.Connect("c"));
        (await _cluster.NextAsync()).Answer(SessionClaim.Elsewhere("gw-2:8083"));
        (_, byte[] connack) = (await socket.ReceiveAsync())!.Value;
        ReceivedPacket packet = ReceivedPacket.Read(connack, ProtocolVersion.V5);
        Assert.Equal((ReasonCode.UseAnotherServer, "gw-2:8083"), (packet.Reason, packet.Properties.Text(PropertyId.ServerReference)));
        await socket.ExpectCloseAsync(1000);
    }

    [Fact]
    public async Task A_client_that_has_gone_meanwhile_leaves_no_connected_session()
    {
        Stream stream = await _host.TcpAsync(await _host.StartAsync(ListenerProtocol.Ws));
        var socket = new RawWebSocket(stream);
        await socket.UpgradeAsync();
        await socket.SendAsync(RawWebSocket.Binary, V5.Connect("c"));
        TestClaim claim = await _cluster.NextAsync();
        await stream.DisposeAsync();
        claim.Answer(TestCluster.Granted(3));
        await Deadline.Until(() => _host.Broker.SessionCount == 0 && _host.Broker.Limits.Connections.OpenCount == 0, "all to be over");
        Assert.Equal(0, _host.Broker.ConnectedCount);
    }

    [Fact]
    public async Task A_broker_that_stops_does_not_wait_for_claims()
    {
        RawWebSocket socket = await OpenAsync(ListenerProtocol.Ws);
        await socket.SendAsync(RawWebSocket.Binary, V5.Connect("c"));
        TestClaim claim = await _cluster.NextAsync();
        await _host.Server.StopAsync(Deadline.Timeout, TimeProvider.System);
        await claim.WhenCancelledAsync();
        claim.Answer(TestCluster.Granted(4));
        Assert.Equal([("c", 4L)], _cluster.Released);
        Assert.Equal(0, _host.Broker.SessionCount);
    }

    private async Task<RawWebSocket> OpenAsync(ListenerProtocol protocol)
    {
        int port = await _host.StartAsync(protocol);
        var socket = new RawWebSocket(protocol == ListenerProtocol.Ws ? await _host.TcpAsync(port) : await _host.TlsAsync(port));
        Assert.StartsWith("HTTP/1.1 101 ", await socket.UpgradeAsync(), StringComparison.Ordinal);
        return socket;
    }
}
