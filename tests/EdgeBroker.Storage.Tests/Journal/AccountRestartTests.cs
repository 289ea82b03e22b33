using System.Net;
using EdgeBroker.Core.Limits;
using EdgeBroker.Testing;

namespace EdgeBroker.Storage.Tests.Journal;

/// <summary>
/// What stays of a client is on its user's or its address's account after a restart as before: else a restart would let everybody begin anew.
/// </summary>
public sealed class AccountRestartTests : IDisposable
{
    private const string One = "192.0.2.1";
    private const string Other = "2001:db8:0:7::1";

    private static readonly byte[] Kept = Prop.SessionExpiry(1000);

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Sessions_and_retained_messages_are_on_the_accounts_they_were_on()
    {
        var names = new NamingAuthenticator();
        StoredBroker broker = StoredBroker.Start(_directory, names);
        TestClient one = await broker.Broker.ConnectAsync("a", properties: Kept, address: One);
        await one.SubscribeAsync("a/#");
        await one.PublishAsync("r/1", "x", 1, retain: true);
        await one.PublishAsync("r/2", "yy", 1, retain: true);
        TestClient other = await broker.Broker.ConnectAsync("b", properties: Kept, address: Other);
        await other.PublishAsync("r/2", "z", 1, retain: true);
        names.UserName = "anna";
        var will = new TestWill("w", "gone", Properties: Prop.WillDelay(600));
        TestClient anna = await broker.Broker.ConnectAsync("c", properties: Kept, will: will, address: One);
        await anna.PublishAsync("r/3", "three", 1, retain: true);
        await anna.PublishAsync("r/4", "", 1, retain: true);
        (int, int, int, long, long)[] before = Accounts(broker);
        Assert.Equal([(1, 1, 1, 4, 0), (1, 0, 1, 4, 0), (1, 0, 1, 8, 5)], before);

        await using StoredBroker again = await broker.RestartAsync();
        Assert.Equal(before, Accounts(again));
        // Replaced and deleted, they leave the account; and a client that comes back elsewhere takes its session with it.
        names.UserName = null;
        TestClient back = await again.Broker.ConnectAsync("a", cleanStart: false, properties: Kept, sessionPresent: true, address: Other);
        await back.PublishAsync("r/1", "", 1, retain: true);
        await back.PublishAsync("r/3", "new", 1, retain: true);
        Assert.Equal([(0, 0, 0, 0, 0), (2, 1, 2, 10, 0), (1, 0, 0, 0, 5)], Accounts(again));
    }

    [Theory]
    [InlineData(null, "192.0.2.1")]
    [InlineData(null, "::1")]
    [InlineData(null, "2001:db8::1")]
    [InlineData("anna", null)]
    [InlineData("n1.2", null)]
    public void A_key_is_read_as_it_was_written(string? user, string? address)
    {
        var key = new HolderKey(user, address is null ? ClientNetwork.None : ClientNetwork.Of(IPAddress.Parse(address)));
        Assert.Equal(key, HolderKey.Parse(key.ToString()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("n")]
    [InlineData("n1")]
    [InlineData("n.1")]
    [InlineData("nx.1")]
    [InlineData("x1.1")]
    public void A_damaged_one_is_nobody_s(string text) => Assert.Equal(default, HolderKey.Parse(text));

    private static (int Sessions, int Filters, int Retained, long RetainedBytes, long WillBytes)[] Accounts(StoredBroker broker)
    {
        HolderTable holders = broker.Broker.Broker.Limits.Holders;
        Holder?[] found =
        [
            holders.Find(null, ClientNetwork.Of(IPAddress.Parse(One))), holders.Find(null, ClientNetwork.Of(IPAddress.Parse(Other))),
            holders.Find("anna", ClientNetwork.None),
        ];
        return [.. found.Select(one => one is null ? default : (one.Sessions, one.Filters, one.Retained, one.RetainedBytes, one.WillBytes))];
    }
}
