using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Tests.Rig;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Core.Tests.Sessions;

/// <summary>A store that is full: who makes room, who is held, who goes on.</summary>
public sealed class FullStoreTests
{
    private static readonly QueuePolicy DropOldest = new(1_000, 1_000_000, null, null, QueueOverflow.DropOldest, KeepsQoS0: false);

    private readonly TestJournal _journal = new();
    private readonly Bench _bench;

    public FullStoreTests() => _bench = new Bench(journal: _journal);

    [Fact]
    public void The_oldest_of_the_largest_user_go_first_and_count_as_its()
    {
        Away("large", "l", QueueOverflow.DropOldest);
        Away("small", "s", QueueOverflow.DropOldest);
        for (int i = 0; i < 30; i++) Publish("l", "l" + i);
        for (int i = 0; i < 4; i++) Publish("s", "s" + i);
        _journal.Condition = JournalCondition.Full;
        Assert.False(_bench.Publish("s", "new of small", QoS.AtLeastOnce).IsHeld);
        Assert.NotEmpty(_bench.Events.Dropped);
        Assert.All(_bench.Events.Dropped, one => Assert.Equal(("large", DropReason.StoreFull), (one.ClientId, one.Reason)));
        int dropped = _bench.Events.Dropped.Sum(one => one.Count);
        // Room for two such messages, so that the store comes to have some.
        Assert.InRange(dropped, 2, 20);
        _journal.Condition = JournalCondition.Ready;
        Assert.Equal("s0 s1 s2 s3 new of small", Fetch("small"));
        Assert.Equal(string.Join(' ', Enumerable.Range(dropped, 30 - dropped).Select(i => "l" + i)), Fetch("large"));
    }

    [Theory]
    [InlineData(QueueOverflow.Reject)]
    [InlineData(QueueOverflow.HoldPublishers)]
    public void Where_nothing_may_be_dropped_nothing_is_taken_and_nobody_has_half_of_it(QueueOverflow overflow)
    {
        Away("away", "a", overflow);
        Client present = _bench.Connect("present");
        present.Subscribe("#", QoS.AtLeastOnce);
        Publish("a", "kept");
        _journal.Condition = JournalCondition.Full;
        PublishOutcome outcome = _bench.Publish("a", "refused", QoS.AtLeastOnce, retain: true);
        Assert.Equal((ReasonCode.QuotaExceeded, true), (outcome.Reason, outcome.IsHeld));
        Assert.Contains("storage.max_bytes", outcome.Cause, StringComparison.Ordinal);
        Assert.Equal(0, _bench.Broker.Retained.Count);
        Assert.Equal("kept", string.Join(' ', present.Payloads));
        // Others go on: what needs no room, and QoS 0, which nobody can be held for.
        Assert.False(_bench.Publish("b", "for the present", QoS.AtLeastOnce).IsHeld);
        Assert.False(_bench.Publish("a", "zero").IsHeld);
        Assert.Equal("kept for the present zero", string.Join(' ', present.Payloads));
        Assert.Empty(_bench.Events.Dropped);
        _journal.Condition = JournalCondition.Ready;
        Assert.False(_bench.Publish("a", "again", QoS.AtLeastOnce).IsHeld);
        Assert.Equal("kept again", Fetch("away"));
    }

    [Fact]
    public void Who_loses_the_newest_by_choice_holds_nobody_and_drives_nobody_out()
    {
        Away("newest", "a", QueueOverflow.DropNewest);
        Away("oldest", "b", QueueOverflow.DropOldest);
        Client present = _bench.Connect("present", expirySeconds: 600);
        present.Subscribe("a", QoS.AtLeastOnce);
        Publish("b", "b");
        _journal.Condition = JournalCondition.Full;
        PublishOutcome outcome = _bench.Publish("a", "m", QoS.AtLeastOnce);
        Assert.Equal((ReasonCode.Success, false), (outcome.Reason, outcome.IsHeld));
        Assert.Equal("m", Assert.Single(present.Sent).Payload);
        Assert.Equal(("newest", DropReason.StoreFull, 1), Assert.Single(_bench.Events.Dropped));
        Assert.Equal(1, _bench.Broker.FindSession("oldest")!.PendingMessages);
    }

    [Fact]
    public void A_message_that_is_sent_at_once_needs_no_room()
    {
        Client client = _bench.Connect("c", expirySeconds: 600, receiveMaximum: 1, policy: DropOldest with { Overflow = QueueOverflow.Reject });
        client.Subscribe("a", QoS.ExactlyOnce);
        _journal.Condition = JournalCondition.Full;
        Assert.False(_bench.Publish("a", "one", QoS.AtLeastOnce).IsHeld);
        Assert.Equal("one", Assert.Single(client.Sent).Payload);
        // The window is full, and QoS 2 waits for the disk in any case.
        Assert.True(_bench.Publish("a", "two", QoS.AtLeastOnce).IsHeld);
        client.Puback(client.Sent[0].Id);
        Assert.True(_bench.Publish("a", "two", QoS.ExactlyOnce).IsHeld);
        Assert.False(_bench.Publish("a", "two", QoS.AtLeastOnce).IsHeld);
    }

    [Fact]
    public void A_group_holds_publishers_only_when_no_member_can_take_the_message()
    {
        Away("away", "$share/g/a", QueueOverflow.Reject);
        _journal.Condition = JournalCondition.Full;
        Assert.True(_bench.Publish("a", "m", QoS.AtLeastOnce).IsHeld);
        Client present = _bench.Connect("present", expirySeconds: 600);
        present.Subscribe("$share/g/a", QoS.AtLeastOnce);
        Assert.False(_bench.Publish("a", "m", QoS.AtLeastOnce).IsHeld);
        Assert.Equal("m", Assert.Single(present.Sent).Payload);
    }

    [Fact]
    public void A_retained_value_needs_room_where_its_topic_has_none_yet()
    {
        Assert.False(_bench.Publish("known", "1", QoS.AtLeastOnce, retain: true).IsHeld);
        _journal.Condition = JournalCondition.Full;
        Assert.False(_bench.Publish("known", "2", QoS.AtLeastOnce, retain: true).IsHeld);
        Assert.False(_bench.Publish("known", "", QoS.AtLeastOnce, retain: true).IsHeld);
        Assert.True(_bench.Publish("known", "3", QoS.AtLeastOnce, retain: true).IsHeld);
        _journal.Condition = JournalCondition.Ready;
        Away("away", "a", QueueOverflow.DropOldest);
        for (int i = 0; i < 20; i++) Publish("a", "a" + i);
        _journal.Condition = JournalCondition.Full;
        Assert.False(_bench.Publish("known", "3", QoS.AtLeastOnce, retain: true).IsHeld);
        Assert.Equal("away", Assert.Single(_bench.Events.Dropped).ClientId);
    }

    [Fact]
    public void What_the_broker_owes_already_is_taken_all_the_same()
    {
        Away("away", "w", QueueOverflow.Reject);
        Client client = _bench.Connect("c", will: Bench.WillOf("w", "gone", qos: QoS.AtLeastOnce));
        _journal.Condition = JournalCondition.Full;
        client.Drop();
        _journal.Condition = JournalCondition.Ready;
        Assert.Equal("gone", Fetch("away"));
    }

    [Fact]
    public void QoS_0_for_the_absent_gives_way()
    {
        Client client = _bench.Connect("c", expirySeconds: 600, policy: DropOldest with { KeepsQoS0 = true });
        client.Subscribe("a");
        client.Drop();
        _bench.Publish("a", "kept");
        _journal.Condition = JournalCondition.Full;
        _bench.Publish("a", "dropped");
        Assert.Equal(("c", DropReason.StoreFull, 1), Assert.Single(_bench.Events.Dropped));
        Assert.Equal(1, _bench.Broker.FindSession("c")!.PendingMessages);
    }

    [Theory]
    [InlineData(QueueOverflow.DropNewest, false)]
    [InlineData(QueueOverflow.Reject, false)]
    [InlineData(QueueOverflow.HoldPublishers, false)]
    [InlineData(QueueOverflow.DropOldest, true)]
    [InlineData(QueueOverflow.KeepLatestPerTopic, true)]
    public void One_session_that_drops_nothing_cannot_take_the_whole_store(QueueOverflow overflow, bool takesAll)
    {
        var bench = new Bench(journal: new TestJournal { MaxBytes = 200 });
        Client client = bench.Connect("c", expirySeconds: 600, policy: DropOldest with { Overflow = overflow });
        client.Subscribe("#", QoS.AtLeastOnce);
        client.Drop();
        var outcomes = new List<PublishOutcome>();
        for (int i = 0; i < 15; i++) outcomes.Add(bench.Publish("t" + (char)('a' + i), "12345678", QoS.AtLeastOnce));
        bool[] taken = [.. outcomes.Select(one => one.Reason == ReasonCode.Success)];
        int waiting = bench.Broker.FindSession("c")!.PendingMessages;
        Assert.Equal(takesAll || overflow == QueueOverflow.HoldPublishers ? 15 : 10, waiting);
        if (overflow == QueueOverflow.Reject) Assert.Equal(10, taken.Count(one => one));
    }

    [Fact]
    public void Publishers_are_shown_while_they_are_held_and_try_again_when_it_is_worth_it()
    {
        int tried = 0;
        _journal.Condition = JournalCondition.Full;
        Hold();
        _bench.Advance(0);
        Assert.Equal(1, tried);
        Assert.Equal((JournalCondition.Full, "p"), (_bench.Broker.StoreHold.Condition, Assert.Single(_bench.Broker.StoreHold.Publishers)));
        // Somebody's receiver may be back although the store is as full as before: now and then, not each time.
        for (int i = 0; i < 20; i++) _bench.Advance(0.1);
        Assert.Equal(3, tried);
        Assert.Equal("p", Assert.Single(_bench.Broker.StoreHold.Publishers));
        _journal.Condition = JournalCondition.Failing;
        _bench.Advance(10);
        Assert.Equal(3, tried);
        _journal.Condition = JournalCondition.Ready;
        _bench.Advance(0);
        Assert.Equal(4, tried);
        Assert.Empty(_bench.Broker.StoreHold.Publishers);

        void Hold() => _bench.Broker.WhenStoreRecovers("p", () =>
        {
            tried++;
            if (_journal.Condition != JournalCondition.Ready) Hold();
        });
    }

    [Fact]
    public void Who_sets_values_faster_than_they_are_written_waits_for_the_journal_and_nobody_else_does()
    {
        _journal.IsFullOfValues = true;
        PublishOutcome held = _bench.Publish("a", "1", QoS.AtMostOnce, retain: true);
        Assert.Equal((true, true), (held.IsHeld, held.IsBrief));
        Assert.Equal(0, _bench.Broker.Retained.Count);
        int tried = 0;
        _bench.Broker.WhenStoreRecovers("p", () => tried++);
        Assert.False(_bench.Publish("a", "2", QoS.AtMostOnce).IsHeld);
        Assert.False(_bench.Publish("b", "3", QoS.AtLeastOnce, retain: true).IsHeld);
        Assert.Equal((1, 0), (_bench.Broker.Retained.Count, tried));

        _journal.IsFullOfValues = false;
        _journal.CaughtUp();
        Assert.Equal(1, tried);
        Assert.False(_bench.Publish("a", "1", QoS.AtMostOnce, retain: true).IsHeld);
        Assert.Equal(2, _bench.Broker.Retained.Count);
    }

    private void Publish(string topic, string payload)
    {
        Assert.False(_bench.Publish(topic, payload, QoS.AtLeastOnce).IsHeld);
        _journal.Commit();
    }

    private void Away(string clientId, string filter, QueueOverflow overflow)
    {
        Client client = _bench.Connect(clientId, expirySeconds: 600, policy: DropOldest with { Overflow = overflow });
        client.Subscribe(filter, QoS.ExactlyOnce);
        client.Drop();
    }

    private string Fetch(string clientId)
    {
        _journal.Commit();
        Client client = _bench.Connect(clientId, expirySeconds: 600);
        SpinWait.SpinUntil(() => Pump(client) == 0, TimeSpan.FromSeconds(5));
        return string.Join(' ', client.Payloads);
    }

    /// <summary>What waits on disk comes from another thread.</summary>
    private static int Pump(Client client)
    {
        client.Pump();
        return client.Session.PendingMessages - client.Sent.Count;
    }
}
