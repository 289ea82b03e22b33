using System.Net;
using System.Net.Sockets;
using EdgeBroker.Core;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Security;
using EdgeBroker.Mqtt.Tests.Rig;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;
using EdgeBroker.Transport.Listeners;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeBroker.Mqtt.Tests.Servers;

/// <summary>A listener's places and addresses.</summary>
public sealed class ListenerPlaceTests
{
    [Theory]
    [InlineData(ProtocolVersion.V5, ReasonCode.ServerBusy)]
    [InlineData(ProtocolVersion.V311, (ReasonCode)0x03)]
    public async Task Who_is_one_too_many_is_told_so(ProtocolVersion version, ReasonCode told)
    {
        using var server = new Server(reactors: 1, maxConnections: 1);
        using Peer first = await Peer.ConnectAsync(server, "first", version);
        for (int i = 0; i < 3; i++)
        {
            using Peer second = await Peer.OpenAsync(server, version);
            await second.SendAsync(second.Packets.Connect("second"));
            ReceivedPacket refusal = await second.ExpectAsync(PacketType.Connack);
            Assert.Equal(told, refusal.Reason);
            if (version == ProtocolVersion.V5)
            {
                Assert.Equal("busy: max_connections of the listener is reached; try again later", refusal.Properties.Text(PropertyId.ReasonString));
            }

            Assert.Null(await second.ReceiveAsync());
        }

        await first.PingAsync();
        Assert.Equal(3, server.Broker.Limits.Counters[LimitKind.MaxListenerConnections, LimitAction.Refused]);
        first.Dispose();
        // Those who were turned away hold no place.
        await Deadline.Until(() => server.Broker.ConnectedCount == 0, "the first to be gone");
        using Peer third = await Peer.ConnectAsync(server, "third", version);
    }

    [Fact]
    public async Task A_flood_of_them_is_closed_at_once_and_the_place_is_there_for_who_comes_after()
    {
        using var server = new Server(reactors: 1, maxConnections: 1);
        using Peer first = await Peer.ConnectAsync(server, "first");
        List<Peer> flood = [];
        for (int i = 0; i < 100; i++) flood.Add(await Peer.OpenAsync(server));
        foreach (Peer peer in flood) Assert.Null(await peer.ReceiveAsync());
        first.Dispose();
        await Deadline.Until(() => server.Broker.ConnectedCount == 0, "the first to be gone");
        using Peer next = await Peer.ConnectAsync(server, "next");
        foreach (Peer peer in flood) peer.Dispose();
    }

    [Fact]
    public async Task IPv4_and_IPv6_have_a_listener_each_at_one_port()
    {
        var broker = new Broker(TestBrokerOptions.Quiet, new BrokerClock(TimeProvider.System), VolatileJournal.Instance, new BrokerEvents(), "test");
        using var server = new MqttServer(broker, new AnonymousAuthenticator(), 1, TimeProvider.System, NullLoggerFactory.Instance);
        server.Serve(new ListenerSettings { Protocol = ListenerProtocol.Mqtt, Address = "0.0.0.0:0", AllowAnonymous = true });
        int port = IPEndPoint.Parse(server.Listeners[0].EndPoint).Port;
        var second = new ListenerSettings { Protocol = ListenerProtocol.Mqtt, Address = $"[::]:{port}", AllowAnonymous = true, IsIPv6Only = true };
        await (await server.OpenAsync(second)).BeginAsync();
        foreach (IPAddress address in new[] { IPAddress.Loopback, IPAddress.IPv6Loopback })
        {
            using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(address, port);
            await using TestClient client = TestClient.Over(new NetworkStream(socket), ProtocolVersion.V5, "c");
            await client.SendAsync(client.Packets.Connect("c" + address));
            await client.ExpectConnackAsync();
            await client.FenceAsync();
        }
    }

    [Fact]
    public async Task An_IPv4_client_of_a_socket_for_both_is_shown_as_one()
    {
        using var door = new Door(new ListenerSettings { Protocol = ListenerProtocol.Mqtt, Address = "[::]:0", AllowAnonymous = true });
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, door.Port);
        await using TestClient client = TestClient.Over(new NetworkStream(socket), ProtocolVersion.V5, "c");
        await client.SendAsync(client.Packets.Connect("c"));
        await client.ExpectConnackAsync();
        Assert.StartsWith("127.0.0.1:", door.Asked.Single().RemoteEndPoint, StringComparison.Ordinal);
    }
}
