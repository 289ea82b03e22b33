using System.Text;
using EdgeBroker.Core;
using EdgeBroker.Core.Cluster;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Storage.Tests.Journal;

/// <summary>A session that moves to another broker, with a store of its own, is there what it was.</summary>
public sealed class MovedSessionTests : IDisposable
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
    public async Task All_that_the_client_relies_on_moves_and_outlives_a_restart()
    {
        await using StoredBroker first = StoredBroker.Start(_directory);
        await BeginAsync(first);
        first.Broker.Advance(7);
        StoredBroker second = StoredBroker.Start(_elsewhere);
        await using (second)
        {
            await MovedSession.MoveAsync(first.Broker.Broker, second.Broker.Broker, "mover");
            SessionSnapshot moved = await MovedSession.CopyAsync(second.Broker.Broker, "mover");
            string before = MovedSession.Describe(moved, second.Broker.Broker);
            Assert.Contains("will bye gone", before, StringComparison.Ordinal);
            Assert.Contains("received 60001 released 2", before, StringComparison.Ordinal);
            Assert.Equal(41, moved.Messages.Count);
            await using StoredBroker third = await second.RestartAsync();
            Assert.Equal(0, third.Restored.Damaged);
            Assert.Equal(before, MovedSession.Describe(await MovedSession.CopyAsync(third.Broker.Broker, "mover"), third.Broker.Broker));
            await GoOnAsync(third);
        }

        await using StoredBroker again = await first.RestartAsync();
        Assert.Null(again.Broker.Broker.FindSession("mover"));
    }

    [Fact]
    public async Task What_comes_while_it_moves_stands_behind_what_it_has_and_nothing_comes_twice()
    {
        await using StoredBroker first = StoredBroker.Start(_directory);
        await using StoredBroker second = StoredBroker.Start(_elsewhere);
        TestClient client = await first.Broker.ConnectAsync("mover", properties: Kept);
        await client.SubscribeAsync("t", 2);
        await client.DropAsync();
        SessionSnapshot filters = await MovedSession.CopyAsync(first.Broker.Broker, "mover");
        Session shadow = second.Broker.Broker.OpenShadow("mover", filters.Subscriptions)!;
        // The first two reach both, the others only one of them.
        Publish(first, "a", 1);
        Publish(first, "b", 2);
        Publish(second, "a", 1);
        Publish(second, "b", 2);
        Publish(second, "c", 3);
        SessionSnapshot snapshot = await MovedSession.CopyAsync(first.Broker.Broker, "mover");
        await MovedSession.ImportAsync(second.Broker.Broker, shadow, MovedSession.Carry(snapshot, first.Broker.Broker, second.Broker.Broker));
        Publish(second, "d", 4);
        client = await second.Broker.ConnectAsync("mover", cleanStart: false, properties: Kept);
        Assert.True(client.Connack.SessionPresent);
        foreach (string payload in new[] { "a", "b", "c", "d" }) await client.AcknowledgeAsync(await client.ExpectPublishAsync("t", payload, 2));
        await client.ExpectNothingAsync();
    }

    [Fact]
    public async Task Until_all_of_it_is_on_disk_a_start_finds_nothing_of_it()
    {
        await using StoredBroker first = StoredBroker.Start(_directory);
        await BeginAsync(first);
        SessionSnapshot snapshot = await MovedSession.CopyAsync(first.Broker.Broker, "mover");
        int facts = 0;
        bool isWhole = false;
        for (; !isWhole; facts++)
        {
            using var directory = new TemporaryDirectory();
            StoredBroker cut = StoredBroker.Start(directory, store => new CutJournal(store, facts));
            await using (cut)
            {
                Broker broker = cut.Broker.Broker;
                Session shadow = broker.OpenShadow("mover", snapshot.Subscriptions)!;
                SessionSnapshot carried = MovedSession.Carry(snapshot, first.Broker.Broker, broker);
                Assert.True(broker.TryImport(shadow, carried, new Epoch(0, new Stamp(5)), out Completion? committed));
                await using StoredBroker found = await cut.RestartAsync();
                Assert.Equal(0, found.Restored.Damaged);
                isWhole = committed!.IsDone;
                Assert.Equal(isWhole, found.Broker.Broker.FindSession("mover") is not null);
                Assert.Equal(isWhole, found.Journal.Cluster!.Owned.Any(one => one.Epoch.Stamp == new Stamp(5)));
                if (isWhole) await GoOnAsync(found);
            }
        }

        Assert.True(facts > 40, $"{facts} facts");
    }

    [Fact]
    public async Task A_session_that_stays_is_as_it_was()
    {
        await using StoredBroker first = StoredBroker.Start(_directory);
        await BeginAsync(first);
        await MovedSession.CopyAsync(first.Broker.Broker, "mover");
        await GoOnAsync(first);
    }

    [Fact]
    public async Task A_member_of_a_shared_group_and_a_session_with_a_policy_of_its_own_stay()
    {
        await using StoredBroker first = StoredBroker.Start(_directory);
        TestClient member = await first.Broker.ConnectAsync("member", properties: Kept);
        await member.SubscribeAsync("$share/g/t", 1);
        Assert.Null(first.Broker.Broker.Pin("member", static () => { }));
        var policy = new QueuePolicy(10, 1000, MaxAge: null, MaxStoreBytes: null, QueueOverflow.DropOldest, KeepsQoS0: true);
        AbsentSession.Begin(first.Broker.Broker, "bridge", "t", policy);
        Assert.Null(first.Broker.Broker.Pin("bridge", static () => { }));
        Assert.Null(first.Broker.Broker.Pin("nobody", static () => { }));
        await member.PublishAsync("t", "still served", qos: 1);
        await member.ExpectPublishAsync("t", "still served", 1);
    }

    [Fact]
    public async Task A_connection_is_closed_before_its_session_is_copied()
    {
        await using StoredBroker first = StoredBroker.Start(_directory);
        TestClient client = await first.Broker.ConnectAsync("mover", properties: Kept);
        await client.SubscribeAsync("t", 1);
        (Session session, SessionSnapshot snapshot) = await MovedSession.ExportAsync(first.Broker.Broker, "mover");
        await client.ExpectDisconnectAsync(ReasonCode.SessionTakenOver);
        Assert.False(session.IsConnected);
        Assert.Single(snapshot.Subscriptions);
    }

    [Fact]
    public async Task A_shadow_that_comes_to_nothing_leaves_nothing()
    {
        await using StoredBroker first = StoredBroker.Start(_directory);
        Broker broker = first.Broker.Broker;
        Session shadow = broker.OpenShadow("mover", [new("t"u8.ToArray(), new SubscriptionOptions(QoS.AtLeastOnce), 0)])!;
        Publish(first, "gathered", 1);
        Assert.Equal(1, shadow.PendingMessages);
        Assert.Null(broker.OpenShadow("mover", []));
        broker.EndMoved(shadow);
        Assert.Null(broker.FindSession("mover"));
        Assert.Equal(0, broker.Subscriptions.Count);
        TestClient client = await first.Broker.ConnectAsync("mover", cleanStart: false, properties: Kept);
        Assert.False(client.Connack.SessionPresent);
    }

    // In flight: QoS 1 unanswered, QoS 2 to be released, QoS 2 unanswered; a publish at QoS 2 received and not released; 39 that wait; a will.
    private static async Task BeginAsync(StoredBroker broker)
    {
        var will = new TestWill("bye", "gone", QoS: 1, Properties: Prop.WillDelay(500));
        TestClient client = await broker.Broker.ConnectAsync("mover", properties: [.. Kept, .. Prop.ReceiveMaximum(3)], will: will);
        await client.SubscribeAsync("t/#", 2 | 8, Prop.SubscriptionIdentifier(268_435_455));
        await client.SubscribeAsync("u", 1 | 4 | 32);
        TestClient publisher = await broker.Broker.ConnectAsync("publisher");
        await publisher.PublishAsync("t/1", "1", qos: 1);
        await publisher.PublishAsync("t/2", "2", qos: 2);
        await publisher.PublishAsync("t/3", "3", qos: 2);
        await client.ExpectPublishAsync("t/1", "1", 1);
        ReceivedPacket second = await client.ExpectPublishAsync("t/2", "2", 2);
        await client.ExpectPublishAsync("t/3", "3", 2);
        await client.SendAsync(Packets.V5.Pubrec(second.PacketId));
        await client.ExpectAsync(Packets.V5.Pubrel(second.PacketId));
        await client.SendAsync(Packets.V5.Publish("elsewhere", "x", 2, 60_001));
        await client.ExpectAsync(PacketType.Pubrec);
        for (int i = 0; i < 39; i++)
        {
            byte[] properties = i % 2 == 0 ? Prop.MessageExpiry(600) : Prop.User("name", "value");
            await publisher.PublishAsync(i % 5 == 0 ? "u" : "t/w", $"w{i}", qos: 1 + (i % 2), properties: properties);
        }

        await client.DropAsync();
    }

    // The client is given what it is owed, under the identifiers that it knows.
    private static async Task GoOnAsync(StoredBroker broker)
    {
        TestClient client = await broker.Broker.ConnectAsync("mover", cleanStart: false, properties: Kept);
        Assert.True(client.Connack.SessionPresent);
        await client.SendAsync(Packets.V5.Publish("t/dup", "known", 2, 60_001, dup: true));
        var seen = new Dictionary<string, ReceivedPacket>();
        var identifiers = new List<int>();
        bool isReleased = false, isKnown = false;
        while (seen.Count < 41 || !isReleased || !isKnown)
        {
            ReceivedPacket packet = await client.ReceiveAsync();
            if (packet.Type == PacketType.Pubrec) isKnown = true;
            if (packet.Type == PacketType.Pubrel && packet.PacketId == 2) isReleased = true;
            if (packet.Type == PacketType.Pubrel) await client.SendAsync(Packets.V5.Pubcomp(packet.PacketId));
            if (packet.Type != PacketType.Publish) continue;
            seen.Add(packet.PayloadText, packet);
            identifiers.Add(packet.PacketId);
            await client.SendAsync(packet.QoS == 1 ? Packets.V5.Puback(packet.PacketId) : Packets.V5.Pubrec(packet.PacketId));
        }

        Assert.Equal([1, 3, .. Enumerable.Range(4, 39)], identifiers);
        Assert.True(seen["1"].Dup && seen["3"].Dup && !seen["w0"].Dup);
        Assert.Equal([268_435_455u], seen["w1"].Properties.SubscriptionIdentifiers);
        Assert.Empty(seen["w5"].Properties.SubscriptionIdentifiers);
        Assert.False(seen.ContainsKey("known"));
    }

    private static void Publish(StoredBroker broker, string payload, long stamp) => broker.Broker.Broker.Publish(
        new Publication { Topic = "t"u8, Payload = Encoding.UTF8.GetBytes(payload), QoS = QoS.ExactlyOnce, Stamp = new Stamp(stamp) },
        broker.Broker.Broker.CreateContext());

    /// <summary>A journal whose process ends behind a number of facts.</summary>
    private sealed class CutJournal(IJournal store, int facts) : IJournal
    {
        private int _left = facts;

        public bool IsDurable => true;

        public JournalCondition Condition => store.Condition;

        public long MaxBytes => store.MaxBytes;

        public JournalStatistics Statistics => store.Statistics;

        public void UseLoops(ILoopRequests loops) => store.UseLoops(loops);

        public StoredSession Open(string clientId) => store.Open(clientId);

        public void Append(JournalFact fact)
        {
            if (_left-- > 0) store.Append(fact);
        }

        public void Load(StoredSession session, IReadOnlyList<SpilledDelivery> deliveries) => store.Load(session, deliveries);
    }
}
