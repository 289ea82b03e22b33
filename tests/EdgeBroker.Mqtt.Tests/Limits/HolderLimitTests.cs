using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Mqtt.Tests.Limits;

/// <summary>One user, or the anonymous clients of one address, do not fill what there is for all.</summary>
public sealed class HolderLimitTests
{
    private const string One = "192.0.2.1";
    private const string Other = "192.0.2.2";

    private static readonly byte[] Kept = Prop.SessionExpiry(600);

    [Fact]
    public async Task Sessions()
    {
        await using TestBroker broker = With(new LimitOptions { MaxSessionsPerUser = 2 });
        await broker.ConnectAsync("a", properties: Kept, address: One);
        await (await broker.ConnectAsync("b", properties: Kept, address: One)).DropAsync();
        ReceivedPacket refusal = await RefusedAsync(broker, "c", One, Kept);
        Assert.Contains("limits.max_sessions_per_user", Why(refusal), StringComparison.Ordinal);
        // Who has a session comes back, who wants none comes in, and others have places of their own.
        await broker.ConnectAsync("b", cleanStart: false, properties: Kept, sessionPresent: true, address: One);
        await broker.ConnectAsync("d", address: Other, properties: Kept);
        TestClient passing = await broker.ConnectAsync("passing", address: One);
        await passing.DropAsync();
        Assert.Equal(1, broker.Broker.Limits.Counters[LimitKind.MaxSessionsPerUser, LimitAction.Refused]);
        // Ended, it gives its place back.
        TestClient b = await broker.ConnectAsync("b", address: One);
        await b.DisconnectAsync();
        await broker.ConnectAsync("c", properties: Kept, address: One);
    }

    [Fact]
    public async Task Sessions_of_a_user_wherever_it_is()
    {
        await using TestBroker broker = With(new LimitOptions { MaxSessionsPerUser = 1 });
        await broker.ConnectAsync("a", properties: Kept, address: One);
        var anna = new SessionGrant(60, 10, null) { UserName = "anna" };
        Assert.Null(broker.Broker.FindSessionLimit("x", true, anna));
        Holder? held = broker.Broker.Limits.Holders.Find(null, ClientNetwork.Of(System.Net.IPAddress.Parse(One)));
        Assert.Equal(1, held!.Sessions);
        Assert.Equal(LimitKind.MaxSessionsPerUser, broker.Broker.FindSessionLimit("x", true, anna with { UserName = null, Network = NetworkOf(One) }));
    }

    [Fact]
    public async Task Wills_of_those_who_are_away_too()
    {
        await using TestBroker broker = With(new LimitOptions { MaxWillBytesPerUser = 3_000, MaxWillBytes = 5_000 });
        var will = new TestWill("will", new string('w', 2_000), Properties: Prop.WillDelay(60));
        TestClient first = await broker.ConnectAsync("a", properties: Kept, will: will, address: One);
        await first.DropAsync();
        Assert.Contains("max_will_bytes_per_user", Why(await RefusedAsync(broker, "b", One, Kept, will)), StringComparison.Ordinal);
        await broker.ConnectAsync("c", will: will, address: Other);
        Assert.Contains("limits.max_will_bytes)", Why(await RefusedAsync(broker, "d", "192.0.2.3", [], will)), StringComparison.Ordinal);
        // Published, it is gone.
        broker.Advance(60);
        await broker.ConnectAsync("b", properties: Kept, will: will, address: One);
    }

    [Fact]
    public async Task Filters()
    {
        await using TestBroker broker = With(new LimitOptions { MaxFiltersPerUser = 2, MaxFilters = 3 });
        TestClient one = await broker.ConnectAsync("a", address: One);
        await one.SubscribeAsync("1");
        await one.SubscribeAsync("2");
        await SubscribeRefusedAsync(await broker.ConnectAsync("b", address: One), "3");
        await one.SubscribeAsync("2", options: 1);
        TestClient other = await broker.ConnectAsync("c", address: Other);
        await other.SubscribeAsync("3");
        await SubscribeRefusedAsync(other, "4");
        await one.UnsubscribeAsync("1");
        await other.SubscribeAsync("4");
        Assert.Equal(1, broker.Broker.Limits.Counters[LimitKind.MaxFiltersPerUser, LimitAction.Refused]);
        Assert.Equal(1, broker.Broker.Limits.Counters[LimitKind.MaxFilters, LimitAction.Refused]);
    }

    [Fact]
    public async Task Retained_messages()
    {
        await using TestBroker broker = With(new LimitOptions { MaxRetainedPerUser = 2, MaxRetainedBytesPerUser = 1_000 });
        TestClient one = await broker.ConnectAsync("a", address: One);
        TestClient other = await broker.ConnectAsync("c", address: Other);
        await one.PublishAsync("1", "x", 1, retain: true);
        await one.PublishAsync("2", "x", 1, retain: true);
        await RetainRefusedAsync(one, "3", "x", "max_retained_per_user");
        await one.PublishAsync("2", "y", 1, retain: true);
        await RetainRefusedAsync(one, "2", new string('y', 1_100), "max_retained_bytes_per_user");
        // What somebody else sets is on his account.
        await other.PublishAsync("1", "z", 1, retain: true);
        await one.PublishAsync("3", "x", 1, retain: true);
        await RetainRefusedAsync(one, "4", "x", "max_retained_per_user");
        await one.PublishAsync("3", "", 1, retain: true);
        await one.PublishAsync("4", "x", 1, retain: true);
    }

    [Fact]
    public async Task Who_holds_nothing_any_more_is_forgotten()
    {
        await using TestBroker broker = With(new LimitOptions());
        for (int i = 0; i < 20; i++)
        {
            TestClient client = await broker.ConnectAsync("a", address: $"192.0.2.{i}", will: new TestWill("w", "w"));
            await client.SubscribeAsync("#");
            await client.PublishAsync("t", i.ToString(System.Globalization.CultureInfo.InvariantCulture), retain: true);
            await client.DropAsync();
        }

        for (int i = 0; i < 4; i++) broker.Advance(1);
        // The last one's retained message is there.
        Assert.Equal(1, broker.Broker.Limits.Holders.Count);
        await (await broker.ConnectAsync("b")).PublishAsync("t", "", retain: true);
        for (int i = 0; i < 4; i++) broker.Advance(1);
        Assert.Equal(0, broker.Broker.Limits.Holders.Count);
        Assert.Equal(0, broker.Broker.Limits.Ledger.Bytes(MemoryKind.Wills));
    }

    private static TestBroker With(LimitOptions limits) => new(new TestBrokerOptions { Limits = limits });

    private static string Why(ReceivedPacket packet) => packet.Properties.Text(PropertyId.ReasonString)!;

    private static ClientNetwork NetworkOf(string address) => ClientNetwork.Of(System.Net.IPAddress.Parse(address));

    private static async Task<ReceivedPacket> RefusedAsync(TestBroker broker, string clientId, string address, byte[] properties, TestWill? will = null)
    {
        TestClient client = await broker.OpenAsync(address: address);
        await client.SendAsync(client.Packets.Connect(clientId, properties: properties, will: will));
        return await client.ExpectRefusedAsync(ReasonCode.QuotaExceeded);
    }

    private static async Task SubscribeRefusedAsync(TestClient client, string filter)
    {
        await client.SendAsync(client.Packets.Subscribe(99, filter));
        await client.ExpectAsync(client.Packets.Suback(99, (int)ReasonCode.QuotaExceeded));
    }

    private static async Task RetainRefusedAsync(TestClient client, string topic, string payload, string key)
    {
        await client.SendAsync(client.Packets.Publish(topic, payload, 1, 77, retain: true));
        ReceivedPacket answer = await client.ExpectAsync(PacketType.Puback);
        Assert.Equal(ReasonCode.QuotaExceeded, answer.Reason);
        Assert.Contains(key, Why(answer), StringComparison.Ordinal);
    }
}
