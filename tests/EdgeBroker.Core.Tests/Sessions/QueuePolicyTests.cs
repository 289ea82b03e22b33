using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Tests.Rig;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Core.Tests.Sessions;

/// <summary>What a session's own policy does to its queue, in memory and on disk alike.</summary>
public sealed class QueuePolicyTests
{
    private static readonly QueuePolicy Wide = new(1_000, 1_000_000, MaxAge: null, MaxStoreBytes: null, QueueOverflow.DropOldest, KeepsQoS0: false);

    public static TheoryData<bool> Journals => [false, true];

    [Theory]
    [InlineData(false, QueueOverflow.DropOldest, "m3 m4 m5", ReasonCode.Success)]
    [InlineData(true, QueueOverflow.DropOldest, "m3 m4 m5", ReasonCode.Success)]
    [InlineData(false, QueueOverflow.DropNewest, "m1 m2 m3", ReasonCode.Success)]
    [InlineData(true, QueueOverflow.DropNewest, "m1 m2 m3", ReasonCode.Success)]
    [InlineData(false, QueueOverflow.Reject, "m1 m2 m3", ReasonCode.QuotaExceeded)]
    [InlineData(true, QueueOverflow.Reject, "m1 m2 m3", ReasonCode.QuotaExceeded)]
    public void A_session_s_own_limits_hold_for_it_alone(bool stored, QueueOverflow overflow, string kept, ReasonCode told)
    {
        Bench bench = BenchOf(stored);
        Away(bench, "other", null);
        Away(bench, "c", Wide with { MaxMessages = 3, Overflow = overflow });
        var reasons = new List<ReasonCode>();
        for (int i = 1; i <= 5; i++) reasons.Add(bench.Publish("a", "m" + i, QoS.AtLeastOnce).Reason);
        Assert.Equal([ReasonCode.Success, ReasonCode.Success, ReasonCode.Success, told, told], reasons);
        Assert.Equal([("c", DropReason.QueueFull, 1), ("c", DropReason.QueueFull, 1)], bench.Events.Dropped);
        Assert.Equal(kept, Fetch(bench, "c"));
        Assert.Equal("m1 m2 m3 m4 m5", Fetch(bench, "other"));
    }

    [Theory]
    [MemberData(nameof(Journals))]
    public void Each_connection_brings_its_policy_and_what_waits_stays(bool stored)
    {
        Bench bench = BenchOf(stored);
        Away(bench, "c", Wide with { MaxMessages = 4 });
        for (int i = 1; i <= 4; i++) bench.Publish("a", "m" + i, QoS.AtLeastOnce);
        bench.Connect("c", expirySeconds: 600, receiveMaximum: 1, policy: Wide with { MaxMessages = 2, Overflow = QueueOverflow.DropNewest }).Drop();
        bench.Publish("a", "m5", QoS.AtLeastOnce);
        Assert.Equal(("c", DropReason.QueueFull, 1), Assert.Single(bench.Events.Dropped));
        // None of its own: that of all.
        bench.Connect("c", expirySeconds: 600, receiveMaximum: 1).Drop();
        bench.Publish("a", "m6", QoS.AtLeastOnce);
        Assert.Equal("m1 m2 m3 m4 m6", Fetch(bench, "c"));
    }

    [Theory]
    [MemberData(nameof(Journals))]
    public void Bytes_on_disk_have_a_limit_of_their_own(bool stored)
    {
        Bench bench = BenchOf(stored);
        Away(bench, "c", Wide with { MaxStoreBytes = 25 });
        foreach (string payload in (string[])["123456789", "abcdefghi", "ABCDEFGHI"]) bench.Publish("a", payload, QoS.AtLeastOnce);
        Assert.Equal(stored ? "abcdefghi ABCDEFGHI" : "123456789 abcdefghi ABCDEFGHI", Fetch(bench, "c"));
    }

    [Theory]
    [MemberData(nameof(Journals))]
    public void What_waits_too_long_is_dropped_whether_somebody_asks_for_it_or_not(bool stored)
    {
        Bench bench = BenchOf(stored);
        QueuePolicy policy = Wide with { MaxAge = TimeSpan.FromSeconds(10) };
        Away(bench, "c", policy);
        bench.Publish("a", "old", QoS.AtLeastOnce);
        bench.Advance(6);
        bench.Publish("a", "newer", QoS.ExactlyOnce);
        bench.Advance(6);
        Assert.Equal(1, bench.Broker.FindSession("c")!.PendingMessages);
        Assert.Equal(("c", DropReason.Expired, 1), Assert.Single(bench.Events.Dropped));
        bench.Time.Advance(TimeSpan.FromSeconds(6));
        bench.Publish("a", "new", QoS.AtLeastOnce);
        Assert.Equal("new", Fetch(bench, "c", policy));
        Assert.Equal(2, bench.Events.Dropped.Sum(one => one.Count));
    }

    [Fact]
    public void What_has_begun_to_be_sent_does_not_grow_too_old()
    {
        var bench = new Bench();
        Client client = bench.Connect("c", expirySeconds: 600, receiveMaximum: 1, policy: Wide with { MaxAge = TimeSpan.FromSeconds(10) });
        client.Subscribe("a", QoS.AtLeastOnce);
        bench.Publish("a", "begun", QoS.AtLeastOnce);
        client.Drop();
        bench.Advance(100);
        Assert.Equal("begun", Fetch(bench, "c"));
    }

    [Theory]
    [InlineData(QueueOverflow.DropNewest)]
    [InlineData(QueueOverflow.Reject)]
    public void What_waited_too_long_makes_room_first(QueueOverflow overflow)
    {
        var bench = new Bench();
        Away(bench, "c", Wide with { MaxMessages = 2, MaxAge = TimeSpan.FromSeconds(10), Overflow = overflow });
        bench.Publish("a", "m1", QoS.AtLeastOnce);
        bench.Publish("a", "m2", QoS.AtLeastOnce);
        bench.Time.Advance(TimeSpan.FromSeconds(12));
        Assert.Equal(ReasonCode.Success, bench.Publish("a", "m3", QoS.AtLeastOnce).Reason);
        Assert.Equal(("c", DropReason.Expired, 2), Assert.Single(bench.Events.Dropped));
        Assert.Equal("m3", Fetch(bench, "c"));
    }

    [Theory]
    [MemberData(nameof(Journals))]
    public void The_latest_of_each_topic_is_kept_in_the_order_in_which_they_came(bool stored)
    {
        var journal = new TestJournal();
        Bench bench = stored ? new Bench(journal: journal) : new Bench();
        Away(bench, "c", Wide with { Overflow = QueueOverflow.KeepLatestPerTopic, MaxMessages = 3 }, "#");
        foreach (string topic in (string[])["a", "b", "a", "c", "b", "b"])
        {
            bench.Publish(topic, topic + bench.Events.Dropped.Count, QoS.ExactlyOnce);
            journal.Commit();
        }

        Assert.Equal(Enumerable.Repeat(("c", DropReason.Superseded, 1), 3), bench.Events.Dropped);
        if (stored) Assert.Equal(3, journal.Messages.Count);
        // A fourth topic: the oldest makes room.
        bench.Publish("d", "d3", QoS.AtLeastOnce);
        Assert.Equal(("c", DropReason.QueueFull, 1), bench.Events.Dropped[^1]);
        if (stored) journal.Commit();
        Assert.Equal("c1 b2 d3", Fetch(bench, "c"));
    }

    [Fact]
    public void A_queue_that_is_to_keep_the_latest_from_now_on_lets_older_ones_go()
    {
        var bench = new Bench();
        Away(bench, "c", Wide, "#");
        for (int i = 0; i < 9; i++) bench.Publish("t" + (i % 3), "m" + i, QoS.AtLeastOnce);
        Client client = bench.Connect("c", expirySeconds: 600, policy: Wide with { Overflow = QueueOverflow.KeepLatestPerTopic });
        client.Pump();
        Assert.Equal("m6 m7 m8", string.Join(' ', client.Payloads));
    }

    [Theory]
    [MemberData(nameof(Journals))]
    public void A_publisher_is_held_until_there_is_room_and_in_its_turn(bool stored)
    {
        var journal = new TestJournal();
        Bench bench = stored ? new Bench(journal: journal) : new Bench();
        QueuePolicy policy = Wide with { Overflow = QueueOverflow.HoldPublishers, MaxMessages = 2 };
        Away(bench, "c", policy);
        Completion?[] completions = [.. Enumerable.Range(0, 6).Select(i => bench.Publish("a", "m" + i, QoS.AtLeastOnce).Completion)];
        journal.Commit();
        Assert.Equal([true, true, false, false, false, false], completions.Select(IsDone));
        Client client = bench.Connect("c", expirySeconds: 600, receiveMaximum: 1, policy: policy);
        for (int done = 3; done <= 6; done++)
        {
            client.Pump();
            Assert.Equal(done, completions.Count(IsDone));
            Assert.True(IsDone(completions[done - 1]));
            client.Puback(client.Sent[^1].Id);
        }

        while (client.Session.PendingMessages > 0)
        {
            client.Pump();
            client.Puback(client.Sent[^1].Id);
        }

        Assert.Equal("m0 m1 m2 m3 m4 m5", string.Join(' ', client.Payloads));
        Assert.Empty(bench.Events.Dropped);
        Assert.True(IsDone(bench.Publish("a", "at once", QoS.AtLeastOnce).Completion) || stored);
    }

    [Theory]
    [InlineData("ends")]
    [InlineData("another policy")]
    [InlineData("wider limits")]
    [InlineData("ages")]
    public void Nobody_stays_held_for_a_queue_that_holds_nobody_any_more(string change)
    {
        var bench = new Bench(new MqttOptions { MaxQueuedMessages = 1, QueueOverflow = QueueOverflow.HoldPublishers, SysInterval = TimeSpan.Zero });
        QueuePolicy? own = change == "ages" ? new QueuePolicy(1, 1_000, TimeSpan.FromSeconds(10), null, QueueOverflow.HoldPublishers, false) : null;
        Away(bench, "c", own);
        Completion?[] completions = [.. Enumerable.Range(0, 3).Select(i => bench.Publish("a", "m" + i, QoS.AtLeastOnce).Completion)];
        int told = 0;
        completions[2]!.WhenDone(() => told++);
        Assert.Equal([true, false, false], completions.Select(IsDone));
        switch (change)
        {
            case "ends":
                bench.Connect("c", cleanStart: true);
                break;
            case "another policy":
                bench.Connect("c", expirySeconds: 600, policy: Wide);
                break;
            case "wider limits":
                bench.Broker.Options = bench.Broker.Options with { MaxQueuedMessages = 10 };
                bench.Advance(1);
                break;
            default:
                bench.Advance(12);
                break;
        }

        Assert.True(Array.TrueForAll(completions, IsDone));
        Assert.Equal(1, told);
    }

    [Fact]
    public void A_message_larger_than_the_queue_is_held_until_it_is_the_oldest()
    {
        var bench = new Bench();
        var policy = new QueuePolicy(10, 20, null, null, QueueOverflow.HoldPublishers, KeepsQoS0: false);
        Away(bench, "c", policy);
        Completion? small = bench.Publish("a", "small", QoS.AtLeastOnce).Completion;
        Completion? large = bench.Publish("a", new string('x', 100), QoS.AtLeastOnce).Completion;
        Assert.Equal([true, false], [IsDone(small), IsDone(large)]);
        Client client = bench.Connect("c", expirySeconds: 600, receiveMaximum: 1, policy: policy);
        client.Pump();
        Assert.Single(client.Sent);
        Assert.True(IsDone(large));
    }

    [Theory]
    [MemberData(nameof(Journals))]
    public void QoS_0_waits_among_the_others_where_it_is_to_be_kept(bool stored)
    {
        var journal = new TestJournal();
        Bench bench = stored ? new Bench(journal: journal) : new Bench();
        Away(bench, "c", Wide with { KeepsQoS0 = true });
        Away(bench, "other", Wide);
        Assert.Null(bench.Publish("a", "zero", expirySeconds: 5).Completion);
        bench.Publish("a", "one", QoS.AtLeastOnce);
        bench.Publish("a", "zero again");
        bench.Publish("a", "two", QoS.ExactlyOnce);
        bench.Publish("a", "gone", expirySeconds: 5);
        journal.Commit();
        if (stored) Assert.Equal(5, journal.Messages.Count(one => one.ClientId == "c"));
        bench.Time.Advance(TimeSpan.FromSeconds(2));
        Client client = bench.Connect("c", expirySeconds: 600, receiveMaximum: 1, policy: Wide with { KeepsQoS0 = true });
        client.Pump();
        // Nothing that needs an acknowledgement overtakes, and QoS 0 waits for none.
        Assert.Equal([("zero", QoS.AtMostOnce), ("one", QoS.AtLeastOnce), ("zero again", QoS.AtMostOnce)], client.Sent.Select(one => (one.Payload, one.QoS)));
        Assert.Equal(3u, client.Sent[0].ExpirySeconds);
        bench.Publish("a", "last");
        Assert.Equal(3, client.Sent.Count);
        bench.Time.Advance(TimeSpan.FromSeconds(4));
        client.Puback(client.Sent[1].Id);
        client.Pump();
        Assert.Equal("two last", string.Join(' ', client.Payloads.Skip(3)));
        Assert.Equal(("c", DropReason.Expired, 1), Assert.Single(bench.Events.Dropped));
        bench.Publish("a", "at once");
        Assert.Equal("at once", client.Sent[^1].Payload);
        if (stored) Assert.Single(journal.Messages, one => one.ClientId == "c");
        Assert.Equal("one two", Fetch(bench, "other"));
    }

    [Fact]
    public void A_client_that_reads_slowly_keeps_QoS_0_too_and_the_limits_hold()
    {
        var bench = new Bench();
        Client client = bench.Connect("c", policy: Wide with { KeepsQoS0 = true, MaxMessages = 2, Overflow = QueueOverflow.DropNewest });
        client.Subscribe("a");
        client.Link.HasRoom = false;
        for (int i = 0; i < 3; i++) bench.Publish("a", "m" + i);
        Assert.Empty(client.Sent);
        Assert.Equal(("c", DropReason.QueueFull, 1), Assert.Single(bench.Events.Dropped));
        client.Link.HasRoom = true;
        client.Pump();
        Assert.Equal("m0 m1", string.Join(' ', client.Payloads));
    }

    [Fact]
    public void QoS_0_messages_received_together_are_kept_one_by_one()
    {
        var bench = new Bench();
        Away(bench, "c", Wide with { KeepsQoS0 = true }, "#");
        Client present = bench.Connect("present", policy: Wide with { KeepsQoS0 = true });
        present.Subscribe("#");
        for (int i = 0; i < 4; i++) bench.Publish("a", "m" + i, waits: true);
        for (int i = 4; i < 8; i++) bench.Publish("b" + (i % 2), "m" + i, waits: true);
        bench.Deliver();
        Assert.Equal("m0 m1 m2 m3 m4 m5 m6 m7", string.Join(' ', present.Payloads));
        Assert.Equal("m0 m1 m2 m3 m4 m5 m6 m7", Fetch(bench, "c"));
    }

    [Fact]
    public void A_queue_that_holds_publishers_drops_QoS_0_since_nobody_can_be_held_for_it()
    {
        var bench = new Bench();
        Away(bench, "c", Wide with { KeepsQoS0 = true, MaxMessages = 1, Overflow = QueueOverflow.HoldPublishers });
        bench.Publish("a", "kept");
        Assert.Null(bench.Publish("a", "dropped").Completion);
        Assert.Equal(("c", DropReason.QueueFull, 1), Assert.Single(bench.Events.Dropped));
        Assert.Equal("kept", Fetch(bench, "c"));
    }

    [Fact]
    public void A_policy_is_part_of_what_is_stored()
    {
        var journal = new SavedJournal();
        QueuePolicy policy = Wide with { MaxAge = TimeSpan.FromHours(1) };
        var bench = new Bench(journal: journal);
        Away(bench, "c", policy);
        Assert.Same(policy, journal.Saved[^1].QueuePolicy);
        bench.Connect("c", expirySeconds: 600);
        Assert.Null(journal.Saved[^1].QueuePolicy);
    }

    private static bool IsDone(Completion? completion) => completion is null or { IsDone: true };

    private static Bench BenchOf(bool stored) => stored ? new Bench(journal: new TestJournal()) : new Bench();

    private static void Away(Bench bench, string clientId, QueuePolicy? policy, string filter = "a")
    {
        Client client = bench.Connect(clientId, expirySeconds: 600, policy: policy);
        client.Subscribe(filter, QoS.ExactlyOnce);
        client.Drop();
    }

    private static string Fetch(Bench bench, string clientId, QueuePolicy? policy = null)
    {
        (bench.Broker.Journal as TestJournal)?.Commit();
        Client client = bench.Connect(clientId, expirySeconds: 600, policy: policy ?? Wide);
        client.Pump();
        return string.Join(' ', client.Payloads);
    }

    /// <summary>Remembers how sessions stood.</summary>
    private sealed class SavedJournal : IJournal
    {
        private readonly TestJournal _journal = new();

        public List<SessionSaved> Saved { get; } = [];

        public bool IsDurable => true;

        public JournalCondition Condition => JournalCondition.Ready;

        public long MaxBytes => long.MaxValue;

        public JournalStatistics Statistics => default;

        public StoredSession Open(string clientId) => _journal.Open(clientId);

        public void Append(JournalFact fact)
        {
            if (fact is SessionSaved saved) Saved.Add(saved);
            _journal.Append(fact);
        }

        public void Load(StoredSession session, IReadOnlyList<SpilledDelivery> deliveries) => _journal.Load(session, deliveries);
    }
}
