using System.Globalization;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Storage.Tests.Journal;

/// <summary>What an ended session leaves on disk to other members of its shared groups reaches them, and only them, through a crash at any moment.</summary>
public sealed class HandoverTests : IDisposable
{
    private const int Count = 40;
    private static readonly byte[] Kept = Prop.SessionExpiry(1000);
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
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_crash_while_messages_are_handed_over_loses_none(bool clientIdIsUsedAnew)
    {
        await using StoredBroker first = await WaitingForAMemberAsync();
        TestClient ending = await first.Broker.ConnectAsync("member", cleanStart: clientIdIsUsedAnew, properties: [.. Kept, .. Prop.ReceiveMaximum(1)]);
        if (!clientIdIsUsedAnew)
        {
            await ending.ExpectPublishAsync("t", "0", 1);
            await ending.DisconnectAsync(properties: Prop.SessionExpiry(0));
        }

        // Nobody runs what is due in this broker any more: what was read back stays where it is.
        await first.CommittedAsync();

        await using StoredBroker second = first.Crash(_elsewhere);
        Assert.Equal(0, second.Restored.Damaged);
        await AllReachAsync(second, "other");
        await (await second.Broker.ConnectAsync("member", cleanStart: false, properties: Kept, sessionPresent: clientIdIsUsedAnew)).ExpectNothingAsync();
        await second.CommittedAsync();
        await using StoredBroker third = second.Crash(_third);
        await (await third.Broker.ConnectAsync("other", cleanStart: false, properties: Kept, sessionPresent: true)).ExpectNothingAsync();
        Assert.Equal(0, third.Restored.Deliveries);
    }

    [Fact]
    public async Task A_session_that_was_to_end_with_its_connection_leaves_to_the_group_what_it_had()
    {
        await using StoredBroker first = await WaitingForAMemberAsync();
        byte[] ends = [.. Prop.SessionExpiry(0), .. Prop.ReceiveMaximum(1)];
        await first.Broker.ConnectAsync("member", cleanStart: false, properties: ends, sessionPresent: true, will: new TestWill("gone", "member", 1));
        TestClient watcher = await first.Broker.ConnectAsync("watcher", properties: Kept);
        await watcher.SubscribeAsync("gone", 1);
        await first.CommittedAsync();

        await using StoredBroker second = first.Crash(_elsewhere);
        second.Broker.Advance(TestBrokerOptions.Quiet.RestartWillDelay);
        await AllReachAsync(second, "other");
        await (await second.Broker.ConnectAsync("watcher", cleanStart: false, properties: Kept, sessionPresent: true)).ExpectPublishAsync("gone", "member", 1);
        await (await second.Broker.ConnectAsync("member", cleanStart: false, properties: Kept)).ExpectNothingAsync();
    }

    /// <summary>A member that is away holds all messages, most of them on disk only; another one, away as well, has joined since.</summary>
    private async Task<StoredBroker> WaitingForAMemberAsync()
    {
        StoredBroker stored = StoredBroker.Start(_directory);
        TestClient publisher = await stored.Broker.ConnectAsync("publisher");
        foreach (string member in new[] { "member", "other" })
        {
            TestClient client = await stored.Broker.ConnectAsync(member, properties: Kept);
            await client.SubscribeAsync("$share/g/t", 1);
            await client.DropAsync();
            for (int i = 0; member == "member" && i < Count; i++) await publisher.PublishAsync("t", i.ToString(CultureInfo.InvariantCulture), 1);
        }

        return stored;
    }

    private static async Task AllReachAsync(StoredBroker stored, string member)
    {
        Core.Sessions.Session session = stored.Broker.Broker.FindSession(member)!;
        await Deadline.Until(
            () =>
            {
                stored.Broker.RunDue();
                return session.PendingMessages == Count;
            },
            $"all messages to wait for {member}");
        TestClient client = await stored.Broker.ConnectAsync(member, cleanStart: false, properties: Kept, sessionPresent: true);
        var received = new HashSet<string>();
        while (received.Count < Count)
        {
            ReceivedPacket packet = await client.ReceiveAsync();
            Assert.Equal((PacketType.Publish, 1), (packet.Type, packet.QoS));
            Assert.True(received.Add(packet.PayloadText));
            await client.SendAsync(client.Packets.Puback(packet.PacketId));
        }

        await client.FenceAsync();
        await client.DropAsync();
    }
}
