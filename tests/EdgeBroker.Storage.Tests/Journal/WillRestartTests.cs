using EdgeBroker.Core.Sessions;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Storage.Tests.Journal;

/// <summary>A will is deferred by the end of the broker, and not forgotten: whoever is back in time was never gone.</summary>
public sealed class WillRestartTests : IDisposable
{
    private const int DelaySeconds = 15;
    private static readonly TestWill Offline = new("state/press7", "offline", 1, Retain: true);
    private readonly TemporaryDirectory _directory = new();
    private readonly TemporaryDirectory _elsewhere = new();
    private readonly TemporaryDirectory _third = new();

    public void Dispose()
    {
        _directory.Dispose();
        _elsewhere.Dispose();
        _third.Dispose();
    }

    [Theory]
    [InlineData(ProtocolVersion.V311, 0)]
    [InlineData(ProtocolVersion.V5, 0)]
    [InlineData(ProtocolVersion.V5, 1)]
    [InlineData(ProtocolVersion.V5, 1_000)]
    public async Task After_a_crash_it_is_published_when_its_client_has_had_time_to_be_back(ProtocolVersion version, uint expirySeconds)
    {
        await using StoredBroker first = StoredBroker.Start(_directory);
        await ConnectOnlineAsync(first, version, expirySeconds);
        await using StoredBroker second = first.Crash(_elsewhere, TimeSpan.FromSeconds(100));
        second.Broker.Advance(DelaySeconds - 1);
        Assert.Equal("online", await StateAsync(second));
        // A crash in between begins the time anew.
        await using StoredBroker third = second.Crash(_third);
        third.Broker.Advance(DelaySeconds - 1);
        Assert.Equal("online", await StateAsync(third));
        third.Broker.Advance(1);
        Assert.Equal("offline", await StateAsync(third));
        Session? session = third.Broker.Broker.FindSession("press7");
        if (expirySeconds == 1_000) Assert.False(session!.IsConnected);
        else Assert.Null(session);
    }

    [Theory]
    [InlineData(ProtocolVersion.V311, 0, true)]
    [InlineData(ProtocolVersion.V5, 0, true)]
    [InlineData(ProtocolVersion.V5, 0, false)]
    [InlineData(ProtocolVersion.V5, 1_000, true)]
    [InlineData(ProtocolVersion.V5, 1_000, false)]
    public async Task Whoever_is_back_in_time_has_no_will_published_however_the_session_goes_on(ProtocolVersion version, uint expirySeconds, bool cleanStart)
    {
        await using StoredBroker first = StoredBroker.Start(_directory);
        await ConnectOnlineAsync(first, version, expirySeconds);
        await using StoredBroker second = first.Crash(_elsewhere);
        second.Broker.Advance(DelaySeconds - 1);
        TestClient back = await second.Broker.ConnectAsync(
            "press7", version, cleanStart, properties: Expiry(version, expirySeconds), will: Offline, sessionPresent: !cleanStart && expirySeconds > 0);
        second.Broker.Advance(1_000);
        Assert.Equal("online", await StateAsync(second));
        await back.DropAsync();
        Assert.Equal("offline", await StateAsync(second));
    }

    [Fact]
    public async Task Whoever_said_goodbye_has_none_and_one_that_was_published_is_not_published_again()
    {
        await using StoredBroker first = StoredBroker.Start(_directory);
        TestClient polite = await ConnectOnlineAsync(first, ProtocolVersion.V5, expirySeconds: 0);
        await polite.DisconnectAsync();
        await first.CommittedAsync();
        await using StoredBroker second = first.Crash(_elsewhere);
        second.Broker.Advance(1_000);
        Assert.Equal("online", await StateAsync(second));
        TestClient broken = await ConnectOnlineAsync(second, ProtocolVersion.V5, expirySeconds: 0);
        await broken.DropAsync();
        Assert.Equal("offline", await StateAsync(second));
        await (await second.Broker.ConnectAsync("operator")).PublishAsync("state/press7", "in repair", 1, retain: true);
        await second.CommittedAsync();
        await using StoredBroker third = second.Crash(_third);
        third.Broker.Advance(1_000);
        Assert.Equal("in repair", await StateAsync(third));
    }

    [Fact]
    public async Task It_leaves_nothing_of_a_session_that_ended_with_its_connection()
    {
        await using StoredBroker first = StoredBroker.Start(_directory);
        TestClient client = await ConnectOnlineAsync(first, ProtocolVersion.V5, expirySeconds: 0);
        await client.SubscribeAsync("plant/#", 1);
        await using StoredBroker second = first.Crash(_elsewhere);
        Assert.Equal(0, second.Restored.Damaged);
        await (await second.Broker.ConnectAsync("publisher")).PublishAsync("plant/a", "while away", 1);
        Assert.Equal(0, second.Broker.Broker.FindSession("press7")!.PendingMessages);
        second.Broker.Advance(DelaySeconds);
        await second.CommittedAsync();
        await using StoredBroker third = second.Crash(_third);
        Assert.Null(third.Broker.Broker.FindSession("press7"));
        Assert.Equal("offline", await StateAsync(third));
    }

    private static async Task<string> StateAsync(StoredBroker broker)
    {
        TestClient viewer = await broker.Broker.ConnectAsync("viewer");
        await viewer.SubscribeAsync("state/press7");
        string state = (await viewer.ReceiveAsync()).PayloadText;
        await viewer.DisconnectAsync();
        return state;
    }

    private static byte[]? Expiry(ProtocolVersion version, uint seconds) => version == ProtocolVersion.V5 ? Prop.SessionExpiry(seconds) : null;

    private static async Task<TestClient> ConnectOnlineAsync(StoredBroker broker, ProtocolVersion version, uint expirySeconds)
    {
        TestClient client = await broker.Broker.ConnectAsync("press7", version, properties: Expiry(version, expirySeconds), will: Offline);
        await client.PublishAsync("state/press7", "online", 1, retain: true);
        await broker.CommittedAsync();
        return client;
    }
}
