using EdgeBroker.Core.Limits;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Mqtt.Tests.Limits;

/// <summary>subscribes_per_client.</summary>
public sealed class SubscribeLimitTests
{
    private static readonly RateLimit TwoThenOneASecond = new(1, TimeSpan.FromSeconds(1), 2) { OnExceed = ExceedAction.Drop };

    [Theory]
    [InlineData(ProtocolVersion.V311, 0x80)]
    [InlineData(ProtocolVersion.V5, 0x97)]
    public async Task Filters_beyond_it_are_refused_each_for_itself(ProtocolVersion version, int code)
    {
        await using var broker = new TestBroker(With(TwoThenOneASecond));
        TestClient client = await broker.ConnectAsync("c", version);
        await client.SendAsync(client.Packets.Subscribe(1, null, ("a", 0), ("b", 1), ("c", 2), ("d", 0)));
        await client.ExpectAsync(client.Packets.Suback(1, 0, 1, code, code));
        await client.SendAsync(client.Packets.Subscribe(2, "e"));
        await client.ExpectAsync(client.Packets.Suback(2, code));
        Assert.Equal(3, broker.Broker.Limits.Counters[LimitKind.SubscribesPerClient, LimitAction.Refused]);
        Assert.Equal(2, broker.Broker.Subscriptions.Count);
        broker.Advance(1);
        await client.SendAsync(client.Packets.Subscribe(3, null, ("e", 0), ("f", 0)));
        await client.ExpectAsync(client.Packets.Suback(3, 0, code));
    }

    [Fact]
    public async Task Delayed_they_are_all_granted_and_later_ones_wait()
    {
        await using var broker = new TestBroker(With(TwoThenOneASecond with { OnExceed = ExceedAction.Delay }));
        TestClient client = await broker.ConnectAsync("c");
        await client.SendAsync(client.Packets.Subscribe(1, null, ("a", 0), ("b", 0), ("c", 0), ("d", 0)), client.Packets.Subscribe(2, "e"));
        await client.ExpectAsync(client.Packets.Suback(1, 0, 0, 0, 0));
        await broker.Events.WaitForAsync(one => one.Kind == BrokerEventKind.Limited, "the client to be held up");
        await broker.AdvanceUntilAsync(client.ExpectAsync(client.Packets.Suback(2, 0)));
        Assert.True(broker.Broker.Clock.NowMs >= 3_000);
        Assert.Equal(5, broker.Broker.Subscriptions.Count);
    }

    [Theory]
    [InlineData(ProtocolVersion.V311)]
    [InlineData(ProtocolVersion.V5)]
    public async Task Or_the_connection_ends_with_0x97(ProtocolVersion version)
    {
        await using var broker = new TestBroker(With(TwoThenOneASecond with { OnExceed = ExceedAction.Disconnect }));
        TestClient client = await broker.ConnectAsync("c", version);
        await client.SendAsync(client.Packets.Subscribe(1, null, ("a", 0), ("b", 0), ("c", 0)));
        await client.ExpectDisconnectAsync(ReasonCode.QuotaExceeded);
        Assert.Equal(1, broker.Broker.Limits.Counters[LimitKind.SubscribesPerClient, LimitAction.Disconnected]);
    }

    private static TestBrokerOptions With(RateLimit rate) => new() { Limits = new LimitOptions { SubscribesPerClient = rate } };
}
