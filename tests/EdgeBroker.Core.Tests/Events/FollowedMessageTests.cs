using System.Globalization;
using System.Text;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Tests.Rig;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Core.Tests.Events;

/// <summary>What is told of messages that somebody follows: when they were acknowledged, and how long each receiver had to wait.</summary>
public sealed class FollowedMessageTests
{
    [Fact]
    public void Who_follows_a_message_hears_of_its_deliveries_and_of_no_others()
    {
        var bench = new Bench();
        Follower follower = Follow(bench);
        Client publisher = bench.Connect("p"), now = bench.Connect("now"), later = bench.Connect("later");
        now.Subscribe("#");
        later.Subscribe("#", QoS.ExactlyOnce);
        publisher.Publish("followed", "m", QoS.ExactlyOnce);
        publisher.Publish("other", "n", QoS.ExactlyOnce);
        Assert.Equal(["m to now after 0", "taken after 0: Success"], follower.Lines);
        bench.Time.Advance(TimeSpan.FromMilliseconds(1.5));
        foreach (Packet sent in later.Sent.ToArray()) later.Pubrec(sent.Id);
        Assert.Equal("m to later after 1.5", follower.Lines[^1]);
        Assert.Equal(3, follower.Lines.Count);
    }

    [Fact]
    public void The_acknowledgement_is_told_when_nothing_is_waited_for_any_more()
    {
        var journal = new TestJournal();
        var bench = new Bench(journal: journal);
        Follower follower = Follow(bench);
        bench.Connect("s", expirySeconds: 60).Subscribe("#", QoS.AtLeastOnce);
        bench.Publish("followed", "m", QoS.AtLeastOnce, retain: true);
        Assert.Empty(follower.Lines);
        bench.Time.Advance(TimeSpan.FromMilliseconds(12));
        journal.Commit();
        Assert.Equal(["taken after 12, 0 of them before it waited: Success"], follower.Lines);
    }

    [Fact]
    public void What_waits_in_a_queue_is_told_with_its_publisher_and_the_time_it_took()
    {
        var bench = new Bench();
        Follower follower = Follow(bench);
        Client publisher = bench.Connect("p"), away = bench.Connect("away", expirySeconds: 600);
        away.Subscribe("#", QoS.AtLeastOnce);
        away.Drop();
        publisher.Publish("followed", "m", QoS.AtLeastOnce);
        bench.Advance(90);
        Client back = bench.Connect("away", expirySeconds: 600);
        back.Pump();
        back.Puback(back.Sent[^1].Id);
        Assert.Equal("m to away after 90000, by p, from its queue", follower.Lines[^1]);
    }

    [Fact]
    public void One_that_was_queued_before_anybody_followed_is_told_with_seconds()
    {
        var bench = new Bench();
        Client away = bench.Connect("away", expirySeconds: 600);
        away.Subscribe("#", QoS.AtLeastOnce);
        away.Drop();
        bench.Publish("followed", "m", QoS.AtLeastOnce);
        bench.Advance(90.7);
        Follower follower = Follow(bench, EventKinds.MessageDelivered);
        Client back = bench.Connect("away", expirySeconds: 600);
        back.Pump();
        back.Puback(back.Sent[^1].Id);
        Assert.Equal(["m to away after 90000, from its queue"], follower.Lines);
    }

    [Fact]
    public void A_local_client_and_a_member_of_a_shared_group_are_told_of()
    {
        var bench = new Bench();
        Follower follower = Follow(bench);
        using LocalClient local = bench.Broker.OpenLocal("probe", new LocalClientOptions());
        local.Subscribe("followed", new SubscriptionOptions(QoS.AtLeastOnce));
        Client member = bench.Connect("member");
        member.Subscribe("$share/g/#", QoS.AtLeastOnce);
        bench.Publish("followed", "m", QoS.AtLeastOnce);
        bench.Time.Advance(TimeSpan.FromMilliseconds(2));
        Assert.True(local.TryRead(out _));
        member.Puback(member.Sent[^1].Id);
        Assert.Equal(["m to $local/probe after 2", "m to member after 2"], follower.Lines.Skip(1));
    }

    [Fact]
    public void One_that_is_followed_does_not_overtake_those_that_wait_for_others()
    {
        var bench = new Bench();
        Follow(bench);
        Client publisher = bench.Connect("p"), subscriber = bench.Connect("s");
        subscriber.Subscribe("#");
        publisher.Publish("a", "1", waits: true);
        publisher.Publish("followed", "2", waits: true);
        publisher.Publish("a", "3", waits: true);
        Assert.Equal(["1", "2"], subscriber.Payloads);
        bench.Deliver();
        Assert.Equal(["1", "2", "3"], subscriber.Payloads);
        // Neither of the others by itself.
        Assert.Equal(2, subscriber.Link.Segments);
    }

    [Fact]
    public void What_is_noted_of_a_message_is_accounted_with_it()
    {
        long Queued(bool isFollowed)
        {
            var bench = new Bench();
            if (isFollowed) Follow(bench);
            Client away = bench.Connect("away", expirySeconds: 600);
            away.Subscribe("#", QoS.AtLeastOnce);
            away.Drop();
            long before = bench.Broker.Limits.Ledger.Bytes(MemoryKind.Queues);
            bench.Publish("followed", "m", QoS.AtLeastOnce);
            return bench.Broker.Limits.Ledger.Bytes(MemoryKind.Queues) - before;
        }

        Assert.Equal(64, Queued(true) - Queued(false));
    }

    [Fact]
    public void What_nobody_follows_allocates_nothing()
    {
        var bench = new Bench();
        byte[] topic = "t"u8.ToArray();
        bench.Broker.Events.Add(new EventSheet(EventKinds.MessageFollowed));
        Assert.True(bench.Broker.Events.Wants(EventKinds.MessageFollowed));
        Assert.Equal(0, Allocations.Least(() =>
        {
            for (int i = 0; i < 1_000; i++) bench.Broker.Publish(new Publication { Topic = topic, Payload = topic }, bench.Context);
        }));
    }

    private static Follower Follow(Bench bench, EventKinds kinds = EventKinds.MessageFollowed)
    {
        var follower = new Follower(kinds);
        bench.Broker.Events.Add(follower);
        return follower;
    }

    private sealed class Follower(EventKinds wanted) : BrokerEventSink
    {
        public List<string> Lines { get; } = [];

        public override EventKinds Wanted => wanted;

        public override MessagePassage? Follow(in Publication message, MessagePassage? passage) =>
            passage ?? (message.Topic.SequenceEqual("followed"u8) ? MessagePassage.Of(message) : null);

        public override void MessageAcknowledged(in AcknowledgedEvent what) => Lines.Add(what.HasWaited
            ? string.Create(CultureInfo.InvariantCulture, $"taken after {what.DoneMs}, {what.RoutedMs} of them before it waited: {what.Reason}")
            : string.Create(CultureInfo.InvariantCulture, $"taken after {what.DoneMs}: {what.Reason}"));

        public override void MessageDelivered(in DeliveredEvent what)
        {
            string by = what.HasWaited && what.Message.Passage?.PublisherId is { } publisher ? ", by " + publisher : "";
            string queue = what.HasWaited ? ", from its queue" : "";
            string payload = Encoding.UTF8.GetString(what.Message.Payload);
            Lines.Add(string.Create(CultureInfo.InvariantCulture, $"{payload} to {what.To.Id} after {what.DelayMs}{by}{queue}"));
        }
    }
}
