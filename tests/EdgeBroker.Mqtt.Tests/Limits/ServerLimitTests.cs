using System.Net;
using System.Net.Sockets;
using EdgeBroker.Core.Limits;
using EdgeBroker.Mqtt.Tests.Rig;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Mqtt.Tests.Limits;

/// <summary>Limits over real sockets and reactors; 127.0.0.0/8 has addresses enough.</summary>
public sealed class ServerLimitTests
{
    [Fact]
    public async Task A_publisher_is_held_back_by_the_network_and_nothing_is_lost()
    {
        using var server = new Server();
        server.Broker.Limits.Replace(new LimitOptions { PublishesPerClient = new RateLimit(200, TimeSpan.FromSeconds(1), 20) });
        await using TestClient subscriber = await ConnectAsync(server, "s");
        await subscriber.SubscribeAsync("#");
        await using TestClient publisher = await ConnectAsync(server, "p");
        await publisher.SendAsync(
            [.. Enumerable.Range(0, 100).Select(i => publisher.Packets.Publish("t", i.ToString(System.Globalization.CultureInfo.InvariantCulture)))]);
        for (int i = 0; i < 100; i++) await subscriber.ExpectPublishAsync("t", i.ToString(System.Globalization.CultureInfo.InvariantCulture));
        Assert.True(server.Broker.Limits.Counters[LimitKind.PublishesPerClient, LimitAction.Delayed] > 0);
        await publisher.FenceAsync();
    }

    [Fact]
    public async Task A_slow_timer_does_not_make_the_rate_less_than_it_is()
    {
        using var server = new Server();
        server.Broker.Limits.Replace(new LimitOptions { PublishesPerClient = new RateLimit(1_000, TimeSpan.FromSeconds(1), 1) });
        await using TestClient publisher = await ConnectAsync(server, "p", ProtocolVersion.V311);
        await publisher.SendAsync([.. Enumerable.Range(1, 1_500).Select(i => publisher.Packets.Publish("t", "", 1, i))]);
        for (int i = 1; i <= 1_500; i++) await publisher.ExpectAsync(publisher.Packets.Puback(i));
        // The wheel turns ten times a second: one message each time would be 150 holds for 1.5 s. Each hold lets through what came due meanwhile.
        Assert.InRange(server.Broker.Limits.Counters[LimitKind.PublishesPerClient, LimitAction.Delayed], 1, 100);
    }

    [Fact]
    public async Task An_address_that_connects_too_often_keeps_nobody_else_out()
    {
        using var server = new Server();
        server.Broker.Limits.Replace(new LimitOptions { ConnectionsPerIp = new RateLimit(1, TimeSpan.FromHours(1), 2) });
        await using TestClient first = await ConnectAsync(server, "a", from: "127.0.0.2");
        await using TestClient second = await ConnectAsync(server, "b", from: "127.0.0.2");
        await using (TestClient refused = await OpenAsync(server, ProtocolVersion.V5, "127.0.0.2"))
        {
            await refused.SendAsync(refused.Packets.Connect("c"));
            await refused.ExpectRefusedAsync(ReasonCode.ConnectionRateExceeded);
        }

        for (int i = 0; i < 100; i++)
        {
            await using TestClient flood = await OpenAsync(server, ProtocolVersion.V5, "127.0.0.2");
            if (i > 50) await flood.ExpectClosedAsync();
        }

        await using TestClient other = await ConnectAsync(server, "d", from: "127.0.0.3");
        await first.FenceAsync();
        await Deadline.Until(() => server.Broker.Limits.Connections.OpenCount == 3, "the flood to be gone");
        Assert.Equal(101, server.Broker.Limits.Counters[LimitKind.ConnectionsPerIp, LimitAction.Refused]);
    }

    [Fact]
    public async Task Places_by_address_come_back_however_clients_go()
    {
        using var server = new Server();
        server.Broker.Limits.Replace(new LimitOptions { MaxConnectionsPerIp = 2 });
        for (int i = 0; i < 20; i++)
        {
            TestClient polite = await ConnectAsync(server, "a", from: "127.0.0.2");
            TestClient rude = await OpenAsync(server, ProtocolVersion.V311, "127.0.0.2");
            // The kernel has let it in; the server takes it when it comes to it, and that may be after the other has gone.
            await Deadline.Until(() => server.Broker.Limits.Connections.OpenCount == 2, "both to be there");
            await polite.DisconnectAsync();
            await polite.DisposeAsync();
            await rude.DisposeAsync();
            await Deadline.Until(() => server.Broker.Limits.Connections.OpenCount == 0, "both to be gone");
        }

        Assert.Equal(0, server.Broker.Limits.Connections.NetworkCount);
        Assert.Equal(0, server.Broker.Limits.Counters[LimitKind.MaxConnectionsPerIp, LimitAction.Refused]);
    }

    [Fact]
    public async Task Limits_change_while_clients_publish()
    {
        using var server = new Server();
        await using TestClient publisher = await ConnectAsync(server, "p", ProtocolVersion.V311);
        for (int round = 0; round < 20; round++)
        {
            server.Broker.Limits.Replace(
                round % 2 == 0 ? new LimitOptions { PublishesPerClient = new RateLimit(500, TimeSpan.FromSeconds(1), 5) } : new LimitOptions());
            int first = round * 20;
            await publisher.SendAsync([.. Enumerable.Range(first + 1, 20).Select(i => publisher.Packets.Publish("t", "", 1, i))]);
            for (int i = first + 1; i <= first + 20; i++) await publisher.ExpectAsync(publisher.Packets.Puback(i));
        }
    }

    private static async Task<TestClient> ConnectAsync(Server server, string clientId, ProtocolVersion version = ProtocolVersion.V5, string from = "127.0.0.1")
    {
        TestClient client = await OpenAsync(server, version, from);
        await client.SendAsync(client.Packets.Connect(clientId));
        await client.ExpectConnackAsync();
        return client;
    }

    private static async Task<TestClient> OpenAsync(Server server, ProtocolVersion version, string from)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Bind(new IPEndPoint(IPAddress.Parse(from), 0));
        await socket.ConnectAsync(server.EndPoint);
        return TestClient.Over(new NetworkStream(socket, ownsSocket: true), version, from);
    }
}
