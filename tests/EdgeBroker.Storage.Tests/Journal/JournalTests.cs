using System.Globalization;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Management;
using EdgeBroker.Core.Ports;
using EdgeBroker.Protocol;
using EdgeBroker.Storage.Sqlite;
using EdgeBroker.Testing;

namespace EdgeBroker.Storage.Tests.Journal;

/// <summary>What the journal writes, what it leaves out, and what memory holds meanwhile.</summary>
public sealed class JournalTests : IDisposable
{
    private static readonly byte[] Kept = Prop.SessionExpiry(1000);
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task What_is_acknowledged_promptly_is_never_written_and_its_publisher_does_not_wait_for_the_disk()
    {
        await using StoredBroker broker = StoredBroker.Start(_directory, StoreDurability.Balanced);
        TestClient client = await broker.Broker.ConnectAsync("kept", properties: Kept);
        await client.SubscribeAsync("a", 1);
        TestClient publisher = await broker.Broker.ConnectAsync("publisher");
        JournalStatistics before = broker.Journal.Statistics;
        for (int i = 1; i <= 1000; i++)
        {
            await publisher.SendAsync(publisher.Packets.Publish("a", "m", 1, i));
            ReceivedPacket received = await client.ReceiveAsync();
            await client.SendAsync(client.Packets.Puback(received.PacketId));
            await publisher.ExpectAsync(publisher.Packets.Puback(i));
        }

        await broker.StopAsync();
        JournalStatistics after = broker.Journal.Statistics;
        // One message at a time is on its way: it is all that a commit may find, and how many commits there are is up to the machine. Did publishers wait for
        // them, each would find one.
        long commits = after.Commits - before.Commits;
        Assert.InRange(after.MessagesWritten - before.MessagesWritten, 0, commits);
        Assert.InRange(after.Coalesced, Math.Max(100, 1000 - commits), 1000);
    }

    [Fact]
    public async Task Memory_only_traffic_and_QoS_0_never_touch_the_journal()
    {
        await using StoredBroker broker = StoredBroker.Start(_directory);
        TestClient client = await broker.Broker.ConnectAsync("clean");
        await client.SubscribeAsync("a", 2);
        TestClient kept = await broker.Broker.ConnectAsync("kept", properties: Kept);
        await kept.SubscribeAsync("b", 2);
        long before = broker.Journal.Statistics.Facts;
        await client.PublishAsync("b", "0", 0);
        await kept.ExpectPublishAsync("b", "0");
        TestClient publisher = await broker.Broker.ConnectAsync("publisher");
        await publisher.PublishAsync("a", "1", 1);
        await publisher.PublishAsync("a", "2", 2);
        await publisher.PublishAsync("a", "0", 0);
        await publisher.FenceAsync();
        Assert.Equal(before, broker.Journal.Statistics.Facts);
    }

    /// <summary>With a window of two seconds, each of which would have to be waited for.</summary>
    [Fact]
    public async Task Nobody_waits_out_the_window_while_the_budget_has_room()
    {
        await using StoredBroker broker = StoredBroker.Start(_directory, StoreDurability.FlashSaver);
        TestClient away = await broker.Broker.ConnectAsync("away", properties: Kept);
        await away.SubscribeAsync("away/#", 2);
        await away.DropAsync();
        TestClient reader = await broker.Broker.ConnectAsync("reader", properties: Kept);
        await reader.SubscribeAsync("there", 2);
        TestClient publisher = await broker.Broker.ConnectAsync("publisher", properties: Kept);
        var view = new BrokerView(broker.Broker.Broker, new RecentRefusals(broker.Broker.Time));
        JournalStatistics before = broker.Journal.Statistics;
        long began = Environment.TickCount64;
        for (int i = 0; i < 5; i++)
        {
            await publisher.PublishAsync("away/1", "x", 1);
            // PUBREC, and PUBCOMP.
            await publisher.PublishAsync("away/2", "x", 2);
            // PUBREC and the message, PUBREL, PUBCOMP.
            await publisher.PublishAsync("there", "x", 2);
            await reader.AcknowledgeAsync(await reader.ExpectPublishAsync("there", "x", 2));
            await publisher.SendAsync(publisher.Packets.Publish("value", "x", 1, 100, retain: true));
            await publisher.ExpectAsync(publisher.Packets.Puback(100, ReasonCode.NoMatchingSubscribers));
            Assert.True(view.DeleteRetained("value", out Completion? deleted));
            using var isDeleted = new ManualResetEventSlim();
            // Null: it was on disk before anybody could wait for it.
            if (deleted is null) isDeleted.Set();
            else deleted.WhenDone(isDeleted.Set);
            Assert.True(isDeleted.Wait(Deadline.Timeout));
            await publisher.SubscribeAsync("some");
            TestClient other = await broker.Broker.ConnectAsync("other", properties: Kept);
            await other.SubscribeAsync("other");
            Assert.Equal(KickOutcome.Forgotten, view.Kick("other", forget: true));
            await other.DropAsync();
        }

        // Forty of these waits would take eighty seconds.
        Assert.InRange(Environment.TickCount64 - began, 0, 40_000);
        JournalStatistics after = broker.Journal.Statistics;
        Assert.InRange(before.CommitsLeft!.Value - after.CommitsLeft!.Value, 10, after.Commits - before.Commits);
        Assert.Equal(0, after.WindowMs);
    }

    [Fact]
    public async Task A_spent_budget_is_said_once_and_who_waits_waits_for_the_window()
    {
        var options = new StorageOptions { CommitsPerSecond = 1 };
        var log = new RecordedLog();
        await using StoredBroker broker = StoredBroker.Start(_directory, options, TestBrokerOptions.Quiet, log);
        TestClient publisher = await broker.Broker.ConnectAsync("publisher");
        int published = 0;
        for (; broker.Journal.Statistics.WindowMs == 0; published++)
        {
            Assert.InRange(published, 0, 1000);
            await publisher.SendAsync(publisher.Packets.Publish("value", "x", 1, 100, retain: true));
            await publisher.ExpectAsync(publisher.Packets.Puback(100, ReasonCode.NoMatchingSubscribers));
        }

        Assert.InRange(published, 299, 1000);
        Assert.Equal(1000, broker.Journal.Statistics.WindowMs);
        await broker.StopAsync();
        Assert.Single(log.Entries, entry => entry.Id == 7108);
    }

    [Fact]
    public async Task Retained_values_collapse_to_the_last_of_a_window()
    {
        await using StoredBroker broker = StoredBroker.Start(_directory, StoreDurability.Balanced);
        TestClient publisher = await broker.Broker.ConnectAsync("publisher");
        long before = broker.Journal.Statistics.Commits;
        await publisher.SendAsync([.. Enumerable.Range(1, 100).SelectMany(i => publisher.Packets.Publish("v", "value " + i, 1, i, retain: true))]);
        for (int i = 1; i <= 100; i++) await publisher.ExpectAsync(publisher.Packets.Puback(i, ReasonCode.NoMatchingSubscribers));
        // A commit writes one value, and how many windows a hundred publishes take is up to the machine.
        JournalStatistics after = broker.Journal.Statistics;
        Assert.InRange(after.Coalesced, 100 - (after.Commits - before), 99);
    }

    [Fact]
    public async Task The_oldest_of_a_full_queue_make_room_on_disk_too()
    {
        await using StoredBroker first = StoredBroker.Start(_directory, limits: TestBrokerOptions.Quiet with { MaxQueuedMessages = 100 });
        TestClient client = await first.Broker.ConnectAsync("kept", properties: Kept);
        await client.SubscribeAsync("a", 1);
        await client.DropAsync();
        TestClient publisher = await first.Broker.ConnectAsync("publisher");
        for (int i = 0; i < 350; i++) await publisher.PublishAsync("a", i.ToString(CultureInfo.InvariantCulture), 1);
        await using StoredBroker second = await first.RestartAsync();
        Assert.Equal(100, second.Restored.Deliveries);
        client = await second.Broker.ConnectAsync("kept", cleanStart: false, properties: Kept, sessionPresent: true);
        for (int i = 250; i < 350; i++) await client.AcknowledgeAsync(await client.ExpectPublishAsync("a", i.ToString(CultureInfo.InvariantCulture), 1));
        await client.ExpectNothingAsync();
    }

    [Fact]
    public async Task Expired_messages_leave_the_disk_without_their_client()
    {
        await using StoredBroker first = StoredBroker.Start(_directory);
        TestClient client = await first.Broker.ConnectAsync("kept", properties: Kept);
        await client.SubscribeAsync("a", 1);
        await client.DropAsync();
        TestClient publisher = await first.Broker.ConnectAsync("publisher");
        for (int i = 0; i < 200; i++) await publisher.PublishAsync("a", "x", 1, properties: i % 2 == 0 ? Prop.MessageExpiry(10) : null);
        await using StoredBroker second = await first.RestartAsync();
        second.Broker.Advance(11);
        Assert.Equal(100, second.Broker.Broker.FindSession("kept")!.PendingMessages);
        await using StoredBroker third = await second.RestartAsync();
        Assert.Equal(100, third.Restored.Deliveries);
    }

    [Fact]
    public async Task What_an_ended_member_of_a_group_has_on_disk_goes_to_another()
    {
        await using StoredBroker first = StoredBroker.Start(_directory);
        TestClient one = await first.Broker.ConnectAsync("one", properties: Prop.SessionExpiry(10));
        await one.SubscribeAsync("$share/g/a", 1);
        await one.DropAsync();
        TestClient publisher = await first.Broker.ConnectAsync("publisher");
        for (int i = 0; i < 100; i++) await publisher.PublishAsync("a", i.ToString(CultureInfo.InvariantCulture), 1);
        await using StoredBroker second = await first.RestartAsync();
        TestClient two = await second.Broker.ConnectAsync("two", properties: Kept);
        await two.SubscribeAsync("$share/g/a", 1);
        second.Broker.Advance(11);
        Task<List<ReceivedPacket>> received =
            two.ExpectPublishesInAnyOrderAsync([.. Enumerable.Range(0, 100).Select(i => i.ToString(CultureInfo.InvariantCulture))]);
        while (!received.IsCompleted)
        {
            // What was read back is handed over by the one who keeps house.
            second.Broker.RunDue();
            await Task.WhenAny(received, Task.Delay(1));
        }

        await received;
        await using StoredBroker third = await second.RestartAsync();
        Assert.Equal((1, 100L), (third.Restored.Sessions, third.Restored.Deliveries));
    }

    [Fact]
    public async Task Nothing_is_left_of_what_everyone_has()
    {
        await using StoredBroker first = StoredBroker.Start(_directory);
        for (int c = 0; c < 3; c++)
        {
            TestClient client = await first.Broker.ConnectAsync("kept " + c, properties: Kept);
            await client.SubscribeAsync("a", 1);
            await client.DropAsync();
        }

        TestClient publisher = await first.Broker.ConnectAsync("publisher");
        for (int i = 0; i < 300; i++) await publisher.PublishAsync("a", "m", 1);
        Assert.Equal(300, first.Journal.Statistics.MessagesWritten);
        for (int c = 0; c < 3; c++)
        {
            TestClient client = await first.Broker.ConnectAsync("kept " + c, cleanStart: false, properties: Kept, sessionPresent: true);
            for (int i = 0; i < 300; i++) await client.AcknowledgeAsync(await client.ExpectPublishAsync("a", "m", 1));
            await client.FenceAsync();
        }

        await first.StopAsync();
        using var database = SqliteDatabase.Open(Path.Combine(_directory.File("data"), "edgebroker.db"), DatabaseAccess.ReadOnly);
        // A stretch of 64 message numbers goes when all of it is done with; the last one waits for its end.
        Assert.InRange(database.QueryInt64("SELECT count(*) FROM message")!.Value, 0, 63);
    }

    [Fact]
    public async Task An_end_commits_what_waits_and_does_not_wait_itself()
    {
        await using StoredBroker first = StoredBroker.Start(_directory, StoreDurability.FlashSaver);
        // It is there and acknowledges nothing, so nothing hurries.
        TestClient client = await first.Broker.ConnectAsync("kept", properties: Kept);
        await client.SubscribeAsync("a", 1);
        TestClient publisher = await first.Broker.ConnectAsync("publisher");
        await publisher.SendAsync([.. Enumerable.Range(1, 100).SelectMany(i => publisher.Packets.Publish("a", "m", 1, i))]);
        await publisher.FenceAsync();
        long began = Environment.TickCount64;
        await using StoredBroker second = await first.RestartAsync();
        Assert.InRange(Environment.TickCount64 - began, 0, (long)Deadline.Timeout.TotalMilliseconds);
        Assert.Equal(100, second.Restored.Deliveries);
    }
}
