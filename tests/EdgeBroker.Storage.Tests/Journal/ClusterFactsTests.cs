using System.Text;
using EdgeBroker.Core.Cluster;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Messages;
using EdgeBroker.Protocol;
using EdgeBroker.Storage.Opening;
using EdgeBroker.Storage.Restoring;
using EdgeBroker.Storage.Sqlite;
using EdgeBroker.Storage.Tools;
using EdgeBroker.Testing;

namespace EdgeBroker.Storage.Tests.Journal;

/// <summary>What the nodes of a cluster need to find again on their disks.</summary>
public sealed class ClusterFactsTests : IDisposable
{
    private static readonly byte[] Kept = Prop.SessionExpiry(1000);
    private readonly TemporaryDirectory _directory = new();
    private readonly TemporaryDirectory _elsewhere = new();

    public void Dispose()
    {
        _directory.Dispose();
        _elsewhere.Dispose();
    }

    [Fact]
    public async Task A_broker_that_is_alone_leaves_nothing_of_other_nodes()
    {
        await using StoredBroker first = StoredBroker.Start(_directory);
        TestClient client = await first.Broker.ConnectAsync("kept", properties: Kept);
        await client.SubscribeAsync("a", 1);
        await client.PublishAsync("a", "m", 1, retain: true);
        await using StoredBroker second = await first.RestartAsync();
        RestoredCluster cluster = second.Journal.Cluster!;
        Assert.Equal(Stamp.None, cluster.StampBound);
        Assert.Empty(cluster.Owned);
        Assert.Empty(cluster.Taken);
        Assert.Empty(cluster.SessionTombstones);
    }

    [Fact]
    public async Task Stamps_of_messages_and_of_retained_values_come_back()
    {
        await using StoredBroker first = StoredBroker.Start(_directory);
        TestClient client = await first.Broker.ConnectAsync("kept", properties: Kept);
        await client.SubscribeAsync("a", 1);
        await client.DropAsync();
        Publish(first, "a", "m", new Stamp(long.MaxValue), retain: true);
        await using StoredBroker second = await first.RestartAsync();
        Assert.Equal(new Stamp(long.MaxValue), second.Broker.Broker.Retained.StampOf("a"u8));
        await second.StopAsync();
        using SqliteDatabase database = Reading();
        Assert.Equal(long.MaxValue, database.QueryInt64("SELECT stamp FROM message"));
    }

    [Fact]
    public async Task A_retained_value_that_was_removed_with_a_stamp_leaves_a_tombstone_until_the_next_value()
    {
        await using StoredBroker first = StoredBroker.Start(_directory);
        Publish(first, "a", "value", new Stamp(5), retain: true);
        Publish(first, "a", "", new Stamp(6), retain: true);
        Publish(first, "b", "", new Stamp(7), retain: true);
        Assert.Equal(0, first.Broker.Broker.Retained.Count);
        await using StoredBroker second = await first.RestartAsync();
        Assert.Equal((0, 0), (second.Restored.Retained, second.Restored.Damaged));
        Assert.Equal(0, second.Broker.Broker.Retained.Count);
        TestClient reader = await second.Broker.ConnectAsync("reader");
        await reader.SubscribeAsync("#");
        await reader.ExpectNothingAsync();
        Assert.Equal(new Stamp(6), second.Broker.Broker.Retained.StampOf("a"u8));
        Assert.Equal(new Stamp(7), second.Broker.Broker.Retained.StampOf("b"u8));
        Publish(second, "a", "later", new Stamp(8), retain: true);
        await using StoredBroker third = await second.RestartAsync();
        Assert.Equal(1, third.Restored.Retained);
        Assert.Equal(new Stamp(8), third.Broker.Broker.Retained.StampOf("a"u8));
        // Swept with the other rows that are superseded.
        TestClient publisher = await third.Broker.ConnectAsync("publisher");
        for (int i = 0; i < 300; i++) await publisher.PublishAsync("c", $"{i}", 1, retain: true);
        await third.StopAsync();
        using SqliteDatabase database = Reading();
        Assert.Equal(2, database.QueryInt64("SELECT count(*) FROM retained WHERE topic IN (x'61', x'62')"));
    }

    [Fact]
    public async Task Where_messages_came_from_comes_back_with_the_last_position_of_each_lane()
    {
        var store = Guid.NewGuid();
        await using StoredBroker first = StoredBroker.Start(_directory);
        for (int i = 1; i <= 3; i++) Append(first, new MessageOrigin(store, -77, 1, i));
        Append(first, new MessageOrigin(store, -77, 2, 9));
        await first.CommittedAsync();
        Append(first, new MessageOrigin(store, -77, 1, 4));
        await using StoredBroker second = await first.RestartAsync();
        Assert.Equal([new(store, -77, 1, 4), new(store, -77, 2, 9)], second.Journal.Cluster!.Taken);

        static void Append(StoredBroker broker, MessageOrigin origin)
        {
            var record = new PublishRecord(null);
            record.AddOrigin(origin);
            broker.Journal.Append(record);
            record.Seal();
        }
    }

    [Fact]
    public async Task Who_owns_a_session_comes_back_as_long_as_there_is_the_session()
    {
        await using StoredBroker first = StoredBroker.Start(_directory);
        StoredSession[] sessions = [first.Journal.Open("mine"), first.Journal.Open("over")];
        foreach (StoredSession one in sessions)
        {
            first.Journal.Append(Saved(one, new Epoch(3, new Stamp(4))));
            first.Journal.Append(Saved(one, new Epoch(3, new Stamp(6))));
            // How it stands otherwise says nothing of it: in the same transaction, and in a later one.
            first.Journal.Append(Saved(one));
        }

        await first.CommittedAsync();
        first.Journal.Append(Saved(sessions[0]));
        first.Journal.Append(new SessionDeleted(sessions[1], []));
        await using StoredBroker second = await first.RestartAsync();
        Assert.Equal([new("mine", new Epoch(3, new Stamp(6)))], second.Journal.Cluster!.Owned);

        static SessionSaved Saved(StoredSession session, Epoch epoch = default) => new(session)
        {
            Epoch = epoch,
            ExpirySeconds = 100,
            IsConnected = false,
            EndsAtMs = 100_000,
            WillAtMs = SessionSaved.Never,
            SentPosition = 0,
            Will = null,
            UserName = null,
            QueuePolicy = null,
        };
    }

    [Fact]
    public async Task Tombstones_of_sessions_and_the_bound_of_stamps_come_back()
    {
        await using StoredBroker first = StoredBroker.Start(_directory);
        first.Journal.Append(new StampBoundRaised(new Stamp(1000)));
        foreach (string client in (string[])["a", "b", "c"]) first.Journal.Append(new SessionTombstoneChanged(new SessionTombstone(client, new Stamp(5))));
        await first.CommittedAsync();
        first.Journal.Append(new SessionTombstoneChanged(new SessionTombstone("b", new Stamp(6))));
        first.Journal.Append(new SessionTombstoneChanged(new SessionTombstone("c", Stamp.None)));
        await first.CommittedAsync();
        // The bound was on disk with its fact, not only at the end.
        await using StoredBroker second = first.Crash(_elsewhere);
        Assert.Equal(new Stamp(1000), second.Journal.Cluster!.StampBound);
        Assert.Equal([new("a", new Stamp(5)), new("b", new Stamp(6))], second.Journal.Cluster.SessionTombstones.OrderBy(one => one.ClientId));
        await using StoredBroker third = await second.RestartAsync();
        Assert.Equal(new Stamp(1000), third.Journal.Cluster!.StampBound);
    }

    [Fact]
    public async Task A_store_keeps_its_identity_and_a_copy_that_is_used_gets_another()
    {
        await using StoredBroker first = StoredBroker.Start(_directory);
        Guid id = first.StoreId;
        Assert.NotEqual(Guid.Empty, id);
        await using StoredBroker second = await first.RestartAsync();
        Assert.Equal(id, second.StoreId);
        Directory.CreateDirectory(_elsewhere.File("data"));
        StoreBackup.Run(StoreFile.PathIn(_directory.File("data")), StoreFile.PathIn(_elsewhere.File("data")), replace: false, CancellationToken.None);
        await using StoredBroker copy = StoredBroker.Start(_elsewhere);
        Assert.NotEqual(id, copy.StoreId);
        await using StoredBroker again = await copy.RestartAsync();
        Assert.Equal(copy.StoreId, again.StoreId);
        await using StoredBroker third = await second.RestartAsync();
        Assert.Equal(id, third.StoreId);
    }

    private static void Publish(StoredBroker broker, string topic, string payload, Stamp stamp, bool retain) =>
        broker.Broker.Broker.Publish(
            new Publication
            {
                Topic = Encoding.UTF8.GetBytes(topic),
                Payload = Encoding.UTF8.GetBytes(payload),
                QoS = QoS.AtLeastOnce,
                Retain = retain,
                Stamp = stamp,
            },
            broker.Broker.Broker.CreateContext());

    private SqliteDatabase Reading() => SqliteDatabase.Open(StoreFile.PathIn(_directory.File("data")), DatabaseAccess.ReadOnly);
}
