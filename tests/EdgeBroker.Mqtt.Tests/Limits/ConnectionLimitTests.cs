using EdgeBroker.Core.Limits;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Mqtt.Tests.Limits;

/// <summary>connections_per_ip, max_connections, max_connections_per_ip and connect_timeout over memory, where an address is whatever the test says.</summary>
public sealed class ConnectionLimitTests
{
    private const string One = "192.0.2.1";
    private const string Other = "192.0.2.2";

    [Theory]
    [InlineData(ProtocolVersion.V311, (ReasonCode)0x03)]
    [InlineData(ProtocolVersion.V5, ReasonCode.ConnectionRateExceeded)]
    public async Task One_address_connects_too_often_and_is_told_so_while_another_comes_in(ProtocolVersion version, ReasonCode told)
    {
        await using var broker = new TestBroker(
            new TestBrokerOptions { Limits = new LimitOptions { ConnectionsPerIp = new RateLimit(60, TimeSpan.FromMinutes(1), 1) { Text = "60/m" } } });
        await ConnectAsync(broker, "a", version, One);
        TestClient refused = await broker.OpenAsync(version, One);
        await refused.SendAsync(refused.Packets.Connect("b"));
        await refused.ExpectRefusedAsync(told);
        BrokerEvent happened = broker.Events.All.Single(one => one.Kind == BrokerEventKind.Refused);
        Assert.Equal(
            ("b", ReasonCode.ConnectionRateExceeded, "limits.connections_per_ip (60/m, burst 1) is reached"),
            (happened.ClientId, happened.Reason, happened.Text));
        await ConnectAsync(broker, "c", version, Other);
        broker.Advance(1);
        await ConnectAsync(broker, "b", version, One);
    }

    [Theory]
    [InlineData(true, ReasonCode.QuotaExceeded)]
    [InlineData(false, ReasonCode.ServerBusy)]
    public async Task Places_are_limited_and_free_again_when_a_client_goes(bool byAddress, ReasonCode told)
    {
        var limits = byAddress ? new LimitOptions { MaxConnectionsPerIp = 2 } : new LimitOptions { MaxConnections = 2 };
        await using var broker = new TestBroker(new TestBrokerOptions { Limits = limits });
        TestClient first = await ConnectAsync(broker, "a", ProtocolVersion.V5, One);
        TestClient second = await broker.OpenAsync(ProtocolVersion.V5, One);
        TestClient refused = await broker.OpenAsync(ProtocolVersion.V5, One);
        await refused.SendAsync(refused.Packets.Connect("c"));
        await refused.ExpectRefusedAsync(told);
        await second.DropAsync();
        TestClient third = await ConnectAsync(broker, "c", ProtocolVersion.V5, One);
        await third.DisconnectAsync();
        await ConnectAsync(broker, "d", ProtocolVersion.V5, One);
        await first.FenceAsync();
        Assert.Equal(2, broker.Broker.Limits.Connections.OpenCount);
    }

    [Fact]
    public async Task In_a_flood_nobody_hears_why_and_nothing_stays_behind()
    {
        await using var broker = new TestBroker(new TestBrokerOptions { Limits = new LimitOptions { MaxConnections = 1 } });
        TestClient client = await ConnectAsync(broker, "a", ProtocolVersion.V5, One);
        int closed = 0;
        for (int i = 0; i < 50; i++)
        {
            TestClient refused = await broker.OpenAsync(ProtocolVersion.V5, Other);
            if (i < 20) continue;
            await refused.ExpectClosedAsync();
            closed++;
        }

        Assert.Equal(30, closed);
        Assert.Equal(50, broker.Broker.Limits.Counters[LimitKind.MaxConnections, LimitAction.Refused]);
        Assert.Equal(1, broker.Broker.Limits.Connections.OpenCount);
        await client.FenceAsync();
    }

    [Fact]
    public async Task Who_is_refused_and_says_nothing_goes_after_two_seconds()
    {
        await using var broker = new TestBroker(new TestBrokerOptions { Limits = new LimitOptions { MaxConnections = 1 } });
        await ConnectAsync(broker, "a", ProtocolVersion.V5, One);
        TestClient refused = await broker.OpenAsync(ProtocolVersion.V5, Other);
        await broker.AdvanceUntilAsync(refused.ExpectClosedAsync());
        Assert.True(broker.Broker.Clock.NowMs >= 2_000);
        Assert.Equal(0, broker.Broker.Limits.Counters[LimitKind.ConnectTimeout, LimitAction.Disconnected]);
        Assert.Equal(ReasonCode.ServerBusy, broker.Events.All.Single(one => one.Kind == BrokerEventKind.Refused).Reason);
    }

    [Fact]
    public async Task Connect_timeout_is_counted()
    {
        await using var broker = new TestBroker(new TestBrokerOptions());
        TestClient silent = await broker.OpenAsync();
        await broker.AdvanceUntilAsync(silent.ExpectClosedAsync());
        Assert.Equal(1, broker.Broker.Limits.Counters[LimitKind.ConnectTimeout, LimitAction.Disconnected]);
        Assert.Equal(0, broker.Broker.Limits.Connections.OpenCount);
    }

    private static async Task<TestClient> ConnectAsync(TestBroker broker, string clientId, ProtocolVersion version, string address)
    {
        TestClient client = await broker.OpenAsync(version, address);
        await client.SendAsync(client.Packets.Connect(clientId));
        await client.ExpectConnackAsync();
        return client;
    }
}
