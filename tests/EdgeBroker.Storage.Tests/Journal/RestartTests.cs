using System.Globalization;
using EdgeBroker.Core;
using EdgeBroker.Core.Management;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Storage.Tests.Journal;

/// <summary>What was acknowledged is there after a restart, orderly or not.</summary>
public sealed class RestartTests : IDisposable
{
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
    [InlineData(true)]
    [InlineData(false)]
    public async Task Queued_messages_are_delivered_once_in_order_and_whole(bool crash)
    {
        await using StoredBroker first = StoredBroker.Start(_directory);
        TestClient client = await first.Broker.ConnectAsync("kept", properties: Kept);
        await client.SubscribeAsync("a/+", 2, Prop.SubscriptionIdentifier(7));
        await client.DropAsync();
        TestClient publisher = await first.Broker.ConnectAsync("publisher");
        for (int i = 0; i < 300; i++)
        {
            await publisher.PublishAsync("a/" + (i % 3), i.ToString(CultureInfo.InvariantCulture), 1 + (i % 2), properties: Prop.ContentType("text"));
        }

        await using StoredBroker second = crash ? first.Crash(_elsewhere) : await first.RestartAsync();
        Assert.Equal((1, 1, 300L, 0), (second.Restored.Sessions, second.Restored.Subscriptions, second.Restored.Deliveries, second.Restored.Damaged));
        client = await second.Broker.ConnectAsync("kept", cleanStart: false, properties: Kept, sessionPresent: true);
        for (int i = 0; i < 300; i++)
        {
            ReceivedPacket received = await client.ReceiveAsync();
            while (received.Type == PacketType.Pubrel)
            {
                await client.SendAsync(client.Packets.Pubcomp(received.PacketId));
                received = await client.ReceiveAsync();
            }

            Assert.Equal((PacketType.Publish, i.ToString(CultureInfo.InvariantCulture), 1 + (i % 2)), (received.Type, received.PayloadText, received.QoS));
            Assert.Equal(i + 1, received.PacketId);
            if (received.QoS == 1) await client.SendAsync(client.Packets.Puback(received.PacketId));
            else await client.SendAsync(client.Packets.Pubrec(received.PacketId));
        }

        await using StoredBroker third = await DrainedAsync(client, second);
        client = await third.Broker.ConnectAsync("kept", cleanStart: false, properties: Kept, sessionPresent: true);
        await client.ExpectNothingAsync();
        await (await third.Broker.ConnectAsync("p2")).PublishAsync("a/x", "again", 1);
        await client.ExpectPublishAsync("a/x", "again", 1);
    }

    [Theory]
    [InlineData(true, "anna", null, "bert", "")]
    [InlineData(false, "anna", null, "bert", "")]
    [InlineData(true, null, "anna", "bert", "")]
    [InlineData(false, null, "anna", "bert", "")]
    public async Task A_session_stays_the_user_s_who_began_it(bool crash, string? owner, params string?[] others)
    {
        var authenticator = new NamingAuthenticator { UserName = owner };
        await using StoredBroker first = StoredBroker.Start(_directory, authenticator);
        for (int i = 0; i <= others.Length; i++)
        {
            TestClient client = await first.Broker.ConnectAsync($"c{i}", properties: Kept);
            await client.SubscribeAsync("a", 1);
            await client.DropAsync();
        }

        await (await first.Broker.ConnectAsync("publisher")).PublishAsync("a", "the owner's", 1);
        await using StoredBroker second = crash ? first.Crash(_elsewhere) : await first.RestartAsync();
        Assert.Equal((others.Length + 1, 0), (second.Restored.Sessions, second.Restored.Damaged));
        for (int i = 0; i < others.Length; i++)
        {
            authenticator.UserName = others[i];
            if (owner is null)
            {
                // Nobody's: it ends, and a new one begins.
                TestClient client = await second.Broker.ConnectAsync($"c{i}", cleanStart: false, properties: Kept, sessionPresent: false);
                await client.ExpectNothingAsync();
                continue;
            }

            TestClient other = await second.Broker.OpenAsync();
            await other.SendAsync(other.Packets.Connect($"c{i}", cleanStart: false, properties: Kept));
            await other.ExpectRefusedAsync(ReasonCode.ClientIdentifierNotValid);
        }

        authenticator.UserName = owner;
        TestClient again = await second.Broker.ConnectAsync($"c{others.Length}", cleanStart: false, properties: Kept, sessionPresent: true);
        await again.ExpectPublishAsync("a", "the owner's", 1);
    }

    [Fact]
    public async Task A_QoS_2_message_seen_before_the_crash_keeps_its_identifier()
    {
        await using StoredBroker first = StoredBroker.Start(_directory);
        TestClient client = await first.Broker.ConnectAsync("kept", properties: Kept);
        await client.SubscribeAsync("a", 2);
        TestClient publisher = await first.Broker.ConnectAsync("publisher");
        await publisher.PublishAsync("a", "one", 1);
        await publisher.PublishAsync("a", "two", 2);
        await client.AcknowledgeAsync(await client.ExpectPublishAsync("a", "one", 1));
        ReceivedPacket two = await client.ExpectPublishAsync("a", "two", 2);
        await using StoredBroker second = first.Crash(_elsewhere);
        client = await second.Broker.ConnectAsync("kept", cleanStart: false, properties: Kept, sessionPresent: true);
        ReceivedPacket again = await client.ReceiveAsync();
        if (again.PayloadText == "one") again = await client.ReceiveAsync();
        Assert.Equal(("two", two.PacketId, true), (again.PayloadText, again.PacketId, again.Dup));
    }

    [Fact]
    public async Task A_released_message_is_released_again_and_does_not_come_again()
    {
        await using StoredBroker first = StoredBroker.Start(_directory);
        TestClient client = await first.Broker.ConnectAsync("kept", properties: Kept);
        await client.SubscribeAsync("a", 2);
        TestClient publisher = await first.Broker.ConnectAsync("publisher");
        await publisher.PublishAsync("a", "one", 2);
        ReceivedPacket one = await client.ExpectPublishAsync("a", "one", 2);
        await client.SendAsync(client.Packets.Pubrec(one.PacketId));
        await client.ExpectAsync(client.Packets.Pubrel(one.PacketId));
        await using StoredBroker second = first.Crash(_elsewhere);
        client = await second.Broker.ConnectAsync("kept", cleanStart: false, properties: Kept, sessionPresent: true);
        await client.ExpectAsync(client.Packets.Pubrel(one.PacketId));
        await client.ExpectNothingAsync();
        await client.SendAsync(client.Packets.Pubcomp(one.PacketId));
        await (await second.Broker.ConnectAsync("p2")).PublishAsync("a", "next", 2);
        await client.ExpectPublishAsync("a", "next", 2);
    }

    [Fact]
    public async Task A_publish_that_was_received_is_known_after_the_crash()
    {
        await using StoredBroker first = StoredBroker.Start(_directory);
        TestClient client = await first.Broker.ConnectAsync("kept", properties: Kept);
        await client.SubscribeAsync("a", 2);
        await client.DropAsync();
        TestClient publisher = await first.Broker.ConnectAsync("publisher", properties: Kept);
        await publisher.SendAsync(publisher.Packets.Publish("a", "one", 2, 5));
        await publisher.ExpectAsync(publisher.Packets.Pubrec(5));
        await using StoredBroker second = first.Crash(_elsewhere);
        publisher = await second.Broker.ConnectAsync("publisher", cleanStart: false, properties: Kept, sessionPresent: true);
        await publisher.SendAsync(publisher.Packets.Publish("a", "one", 2, 5, dup: true));
        await publisher.ExpectAsync(publisher.Packets.Pubrec(5));
        await publisher.SendAsync(publisher.Packets.Pubrel(5));
        await publisher.ExpectAsync(publisher.Packets.Pubcomp(5));
        await using StoredBroker third = second.Crash(_third);
        publisher = await third.Broker.ConnectAsync("publisher", cleanStart: false, properties: Kept, sessionPresent: true);
        await publisher.SendAsync(publisher.Packets.Publish("a", "two", 2, 5));
        await publisher.ExpectAsync(publisher.Packets.Pubrec(5));
        client = await third.Broker.ConnectAsync("kept", cleanStart: false, properties: Kept, sessionPresent: true);
        await client.ExpectPublishesInAnyOrderAsync("one", "two");
    }

    [Fact]
    public async Task Retained_values_are_the_last_acknowledged_ones()
    {
        await using StoredBroker first = StoredBroker.Start(_directory);
        TestClient publisher = await first.Broker.ConnectAsync("publisher");
        for (int round = 0; round < 400; round++)
        {
            await publisher.PublishAsync("v/" + (round % 4), "value " + round, 1, retain: true);
        }

        await publisher.PublishAsync("v/0", "", 1, retain: true);
        await publisher.PublishAsync("v/1", "", 1, retain: true);
        await publisher.PublishAsync("v/1", "back", 1, retain: true, properties: Prop.ContentType("x"));
        await using StoredBroker second = first.Crash(_elsewhere);
        Assert.Equal(3, second.Broker.Broker.Retained.Count);
        TestClient client = await second.Broker.ConnectAsync("reader");
        await client.SubscribeAsync("v/#");
        await client.ExpectPublishesInAnyOrderAsync("back", "value 398", "value 399");
        publisher = await second.Broker.ConnectAsync("publisher");
        for (int round = 0; round < 300; round++) await publisher.PublishAsync("v/2", "later " + round, 1, retain: true);
        await publisher.PublishAsync("v/2", "", 1, retain: true);
        await using StoredBroker third = await second.RestartAsync();
        Assert.Equal(2, third.Broker.Broker.Retained.Count);
    }

    [Fact]
    public async Task A_delayed_will_that_fell_due_while_the_broker_was_down_is_published()
    {
        await using StoredBroker first = StoredBroker.Start(_directory);
        TestClient watcher = await first.Broker.ConnectAsync("watcher", properties: Kept);
        await watcher.SubscribeAsync("gone", 1);
        await watcher.DropAsync();
        TestClient client =
            await first.Broker.ConnectAsync("mortal", properties: Kept, will: new TestWill("gone", "mortal", 1, Properties: Prop.WillDelay(60)));
        await client.DropAsync();
        await using StoredBroker second = await first.RestartAsync(downFor: TimeSpan.FromSeconds(30));
        second.Broker.Advance(29);
        Assert.Equal(0, second.Broker.Broker.FindSession("watcher")!.PendingMessages);
        await using StoredBroker third = await second.RestartAsync(downFor: TimeSpan.FromSeconds(30));
        third.Broker.Advance(0);
        watcher = await third.Broker.ConnectAsync("watcher", cleanStart: false, properties: Kept, sessionPresent: true);
        await watcher.ExpectPublishAsync("gone", "mortal", 1);
        await using StoredBroker fourth = await third.RestartAsync(downFor: TimeSpan.FromSeconds(100));
        fourth.Broker.Advance(100);
        Assert.Equal(1, fourth.Broker.Broker.FindSession("watcher")!.PendingMessages);
    }

    [Fact]
    public async Task Expiry_counts_the_time_the_broker_was_down_unless_the_clock_is_not_to_be_believed()
    {
        await using StoredBroker first = StoredBroker.Start(_directory);
        TestClient client = await first.Broker.ConnectAsync("kept", properties: Prop.SessionExpiry(100_000));
        await client.SubscribeAsync("a", 1);
        await client.DropAsync();
        await (await first.Broker.ConnectAsync("short", properties: Prop.SessionExpiry(60))).DropAsync();
        TestClient publisher = await first.Broker.ConnectAsync("publisher");
        await publisher.PublishAsync("a", "10 minutes", 1, properties: Prop.MessageExpiry(600));
        await publisher.PublishAsync("a", "for ever", 1);
        await first.StopAsync();
        // The gateway starts in 1970, as one without a battery does: nothing is old on that account.
        first.Wall.Set(DateTimeOffset.UnixEpoch);
        await using StoredBroker second = await first.RestartAsync();
        second.Broker.Advance(0);
        Assert.NotNull(second.Broker.Broker.FindSession("short"));
        Assert.Equal(2, second.Broker.Broker.FindSession("kept")!.PendingMessages);
        // But it goes on aging while it runs.
        second.Broker.Advance(61);
        Assert.Null(second.Broker.Broker.FindSession("short"));
        second.Wall.Set(new DateTimeOffset(2026, 5, 1, 13, 0, 0, TimeSpan.Zero));
        await using StoredBroker third = await second.RestartAsync();
        Assert.Equal(2, third.Broker.Broker.FindSession("kept")!.PendingMessages);
        await using StoredBroker fourth = await third.RestartAsync(downFor: TimeSpan.FromSeconds(600));
        fourth.Broker.Advance(1);
        Assert.Equal(1, fourth.Broker.Broker.FindSession("kept")!.PendingMessages);
        client = await fourth.Broker.ConnectAsync("kept", cleanStart: false, properties: Kept, sessionPresent: true);
        await client.ExpectPublishAsync("a", "for ever", 1);
    }

    /// <summary>A gateway that learns the time from the network, and loses its power soon after.</summary>
    [Fact]
    public async Task A_clock_that_is_set_while_the_broker_runs_makes_nothing_older_after_a_crash()
    {
        await using StoredBroker first = StoredBroker.Start(_directory);
        TestClient client = await first.Broker.ConnectAsync("kept", properties: Kept);
        await client.SubscribeAsync("a", 1);
        await client.DropAsync();
        TestClient publisher = await first.Broker.ConnectAsync("publisher");
        await publisher.PublishAsync("a", "10 minutes", 1, properties: Prop.MessageExpiry(600));
        first.Wall.Advance(TimeSpan.FromDays(30));
        await first.CommittedAsync();
        await using StoredBroker second = first.Crash(_elsewhere);
        second.Broker.Advance(0);
        client = await second.Broker.ConnectAsync("kept", cleanStart: false, properties: Kept, sessionPresent: true);
        await client.ExpectPublishAsync("a", "10 minutes", 1);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_session_s_queue_policy_and_the_QoS_0_it_kept_come_back(bool crash)
    {
        var policy = new QueuePolicy(3, 1_000_000, TimeSpan.FromSeconds(500.5), 900_000, QueueOverflow.DropOldest, KeepsQoS0: true);
        await using StoredBroker first = StoredBroker.Start(_directory);
        AbsentSession.Begin(first.Broker.Broker, "kept", "a", policy);
        AbsentSession.Begin(first.Broker.Broker, "other", "b", new QueuePolicy(9, 99, null, null, QueueOverflow.HoldPublishers, KeepsQoS0: false));
        TestClient publisher = await first.Broker.ConnectAsync("publisher");
        for (int qos = 0; qos < 3; qos++) await publisher.PublishAsync("a", $"QoS {qos}", qos);
        await first.CommittedAsync();
        await using StoredBroker second = crash ? first.Crash(_elsewhere) : await first.RestartAsync();
        Assert.Equal((3L, 0), (second.Restored.Deliveries, second.Restored.Damaged));
        Assert.Equal(new QueueView(3, 1_000_000, 500.5, 900_000, "drop-oldest", KeepsQos0: true), second.PolicyOf("kept"));
        Assert.Equal(new QueueView(9, 99, null, null, "hold-publishers", KeepsQos0: false), second.PolicyOf("other"));
        // The fourth drives out the first, and is kept though it is QoS 0.
        await (await second.Broker.ConnectAsync("publisher")).PublishAsync("a", "after the start", 0);
        await second.CommittedAsync();
        await using StoredBroker third = second.Crash(_third);
        TestClient client = await third.Broker.ConnectAsync("kept", cleanStart: false, properties: Kept, sessionPresent: true);
        await client.ExpectPublishAsync("a", "QoS 1", 1);
        await client.ExpectPublishAsync("a", "QoS 2", 2);
        await client.ExpectPublishAsync("a", "after the start", 0);
    }

    [Fact]
    public async Task What_waits_grows_older_while_the_broker_is_down()
    {
        var policy = new QueuePolicy(1_000, 1_000_000, TimeSpan.FromSeconds(100), null, QueueOverflow.DropOldest, KeepsQoS0: false);
        await using StoredBroker first = StoredBroker.Start(_directory);
        AbsentSession.Begin(first.Broker.Broker, "kept", "a", policy);
        TestClient publisher = await first.Broker.ConnectAsync("publisher");
        await publisher.PublishAsync("a", "old", 1);
        first.Broker.Advance(60);
        await publisher.PublishAsync("a", "newer", 1);
        await using StoredBroker second = await first.RestartAsync(downFor: TimeSpan.FromSeconds(30));
        second.Broker.Advance(10);
        Assert.Equal(2, second.Broker.Broker.FindSession("kept")!.PendingMessages);
        second.Broker.Advance(1);
        Assert.Equal(1, second.Broker.Broker.FindSession("kept")!.PendingMessages);
        await using StoredBroker third = await second.RestartAsync();
        third.Broker.Advance(59);
        Assert.Equal(1, third.Broker.Broker.FindSession("kept")!.PendingMessages);
        third.Broker.Advance(1);
        Assert.Equal(0, third.Broker.Broker.FindSession("kept")!.PendingMessages);
    }

    [Fact]
    public async Task Subscriptions_come_back_with_their_options()
    {
        await using StoredBroker first = StoredBroker.Start(_directory);
        TestClient client = await first.Broker.ConnectAsync("kept", properties: Kept);
        await client.SubscribeAsync("gone", 1);
        await client.UnsubscribeAsync("gone");
        // No Local, Retain As Published.
        await client.SubscribeAsync("own/#", 1 | 4 | 8, Prop.SubscriptionIdentifier(3));
        await client.SubscribeAsync("$share/g/s", 1);
        await using StoredBroker second = first.Crash(_elsewhere);
        client = await second.Broker.ConnectAsync("kept", cleanStart: false, properties: Kept, sessionPresent: true);
        await client.PublishAsync("own/a", "not to me", 1);
        TestClient publisher = await second.Broker.ConnectAsync("publisher");
        await publisher.PublishAsync("gone", "nobody", 1);
        await publisher.PublishAsync("s", "shared", 1);
        await client.AcknowledgeAsync(await client.ExpectPublishAsync("s", "shared", 1));
        await publisher.PublishAsync("own/a", "kept", 1, retain: true);
        ReceivedPacket received = await client.ExpectPublishAsync("own/a", "kept", 1, retain: true);
        Assert.Equal([3u], received.Properties.SubscriptionIdentifiers);
    }

    [Fact]
    public async Task Sessions_that_ended_do_not_come_back()
    {
        await using StoredBroker first = StoredBroker.Start(_directory);
        TestClient client = await first.Broker.ConnectAsync("kept", properties: Kept);
        await client.SubscribeAsync("a", 1);
        await client.DropAsync();
        await (await first.Broker.ConnectAsync("publisher")).PublishAsync("a", "m", 1);
        client = await first.Broker.ConnectAsync("kept", cleanStart: false, properties: Prop.SessionExpiry(0), sessionPresent: true);
        await client.ExpectPublishAsync("a", "m", 1);
        TestClient other = await first.Broker.ConnectAsync("other", properties: Kept);
        await other.SubscribeAsync("b", 1);
        await first.Broker.ConnectAsync("other", cleanStart: true, properties: Kept);
        await using StoredBroker second = await first.RestartAsync();
        Assert.Equal((1, 0, 0L), (second.Restored.Sessions, second.Restored.Subscriptions, second.Restored.Deliveries));
        await using StoredBroker third = await second.RestartAsync();
        Assert.Equal(1, third.Restored.Sessions);
    }

    private static async Task<StoredBroker> DrainedAsync(TestClient client, StoredBroker broker)
    {
        // What PUBRELs are still to come are answered before the end.
        while (broker.Broker.Broker.FindSession("kept")!.PendingMessages > 0)
        {
            ReceivedPacket rest = await client.ReceiveAsync();
            Assert.Equal(PacketType.Pubrel, rest.Type);
            await client.SendAsync(client.Packets.Pubcomp(rest.PacketId));
            await client.FenceAsync();
        }

        return await broker.RestartAsync();
    }
}
