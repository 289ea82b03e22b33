using System.Globalization;
using EdgeBroker.Core;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Storage.Tests.Journal;

/// <summary>A store at its configured size: what was acknowledged is kept but by a receiver's own policy, and who needs no room goes on.</summary>
public sealed class FullStoreTests : IDisposable
{
    private static readonly byte[] Kept = Prop.SessionExpiry(1000);
    private static readonly StorageOptions Small = new() { Durability = StoreDurability.Strict, MaxBytes = 400_000 };
    private static readonly QueuePolicy Wide = new(100_000, 100_000_000, null, null, QueueOverflow.DropOldest, KeepsQoS0: false);

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Where_nothing_may_be_dropped_publishers_are_held_or_told_and_others_go_on()
    {
        await using StoredBroker broker = StoredBroker.Start(_directory, Small, TestBrokerOptions.Quiet with { QueueOverflow = QueueOverflow.Reject });
        foreach (string absent in (string[])["a", "b"])
        {
            TestClient client = await broker.Broker.ConnectAsync(absent, properties: Kept);
            await client.SubscribeAsync(absent, 1);
            await client.DropAsync();
        }

        TestClient live = await broker.Broker.ConnectAsync("live");
        await live.SubscribeAsync("live", 1);
        TestClient modern = await broker.Broker.ConnectAsync("modern");
        // One session alone cannot have it all.
        (int acceptedOfA, string reason) = await FillAsync(modern, "a");
        Assert.Contains("mqtt.max_queued_bytes", reason, StringComparison.Ordinal);
        Assert.Equal(JournalCondition.Ready, broker.Journal.Condition);
        (int acceptedOfB, reason) = await FillAsync(modern, "b");
        Assert.Contains("storage.max_bytes", reason, StringComparison.Ordinal);
        Assert.Equal(JournalCondition.Full, broker.Journal.Condition);
        Assert.InRange(acceptedOfA, 150, 200);
        Assert.InRange(acceptedOfB, 20, 150);

        TestClient old = await broker.Broker.ConnectAsync("old", ProtocolVersion.V311);
        await old.SendAsync(old.Packets.Publish("b", PayloadOf(acceptedOfB), 1, 1));
        await Deadline.AdvanceUntil(broker.Broker.Time, IsHeld, "the publisher to be held");
        await modern.PublishAsync("live", "1", 1);
        await live.AcknowledgeAsync(await live.ExpectPublishAsync("live", "1", 1));
        TestClient otherOld = await broker.Broker.ConnectAsync("other old", ProtocolVersion.V311);
        await otherOld.PublishAsync("live", "2", 2);
        await live.AcknowledgeAsync(await live.ExpectPublishAsync("live", "2", 1));

        await DrainAsync(broker, "a", acceptedOfA);
        await Deadline.Until(() => broker.Journal.Condition == JournalCondition.Ready, "the store to have room");
        broker.Broker.Advance(1);
        await old.ExpectAsync(old.Packets.Puback(1));
        Assert.Empty(broker.Broker.Broker.StoreHold.Publishers);
        await DrainAsync(broker, "b", acceptedOfB + 1);
        Assert.DoesNotContain(broker.Broker.Events.All, one => one is { Kind: BrokerEventKind.Dropped, Drop: not DropReason.QueueFull });

        bool IsHeld()
        {
            broker.Broker.RunDue();
            return broker.Broker.Broker.StoreHold.Publishers is ["old"];
        }
    }

    [Fact]
    public async Task One_absent_client_that_lets_its_oldest_go_makes_room_for_all_others()
    {
        await using StoredBroker broker = StoredBroker.Start(_directory, Small, TestBrokerOptions.Quiet);
        AbsentSession.Begin(broker.Broker.Broker, "giant", "g", Wide);
        AbsentSession.Begin(broker.Broker.Broker, "careful", "c", Wide with { Overflow = QueueOverflow.Reject });
        AbsentSession.Begin(broker.Broker.Broker, "careless", "n", Wide with { Overflow = QueueOverflow.DropNewest });
        TestClient old = await broker.Broker.ConnectAsync("old", ProtocolVersion.V311);
        int ofGiant = 0;
        for (; broker.Journal.Condition != JournalCondition.Full; ofGiant++) await old.PublishAsync("g", PayloadOf(ofGiant), 1);
        // Nobody is held for it: each of these is acknowledged, by 3.1.1, so each must be there.
        for (int i = 0; i < 60; i++)
        {
            await old.PublishAsync("c", PayloadOf(i), 1 + (i % 2));
            if (broker.Journal.Condition == JournalCondition.Full) await old.PublishAsync("n", PayloadOf(i), 1);
            await old.PublishAsync("g", PayloadOf(ofGiant++), 1);
        }

        BrokerEvent[] drops = [.. broker.Broker.Events.All.Where(one => one.Kind == BrokerEventKind.Dropped)];
        Assert.All(drops, one => Assert.Equal(DropReason.StoreFull, one.Drop));
        Assert.DoesNotContain(drops, one => one.ClientId == "careful");
        int dropped = drops.Where(one => one.ClientId == "giant").Sum(one => one.Count);
        Assert.InRange(dropped, 60, ofGiant - 100);
        Assert.Contains(drops, one => one.ClientId == "careless");
        await DrainAsync(broker, "careful", 60);
        await DrainAsync(broker, "giant", ofGiant - dropped, first: dropped);
    }

    /// <summary>Publishes until it is refused; returns how many were accepted, and why no more.</summary>
    private static async Task<(int Accepted, string Reason)> FillAsync(TestClient publisher, string topic)
    {
        for (int i = 0; ; i++)
        {
            await publisher.SendAsync(publisher.Packets.Publish(topic, PayloadOf(i), 1, 1));
            ReceivedPacket answer = await publisher.ExpectAsync(PacketType.Puback);
            if (answer.Reason == ReasonCode.Success) continue;
            Assert.Equal(ReasonCode.QuotaExceeded, answer.Reason);
            return (i, answer.Properties.Text(PropertyId.ReasonString)!);
        }
    }

    /// <summary>Fetches what waits for a session: so many messages, none missing between the first and the last.</summary>
    private static async Task DrainAsync(StoredBroker broker, string clientId, int count, int first = 0)
    {
        TestClient client = await broker.Broker.ConnectAsync(clientId, cleanStart: false, properties: Kept, sessionPresent: true);
        for (int i = 0; i < count;)
        {
            ReceivedPacket received = await client.ReceiveAsync();
            if (received.Type == PacketType.Publish) Assert.Equal(PayloadOf(first + i++).TrimEnd('.'), received.PayloadText.TrimEnd('.'));
            await client.AcknowledgeAsync(received);
        }

        await client.FenceAsync();
    }

    private static string PayloadOf(int number) => number.ToString(CultureInfo.InvariantCulture).PadRight(1000, '.');
}
