using CsCheck;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Tests.Rig;
using EdgeBroker.Core.Tests.Topics;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Tests.Receivers;

/// <summary>What every receiver promises, whether it is an MQTT session or a client within the process.</summary>
public sealed class ReceiverContractTests
{
    private static readonly LocalClientOptions ThreeMessages = new() { MaxQueuedMessages = 3 };

    public static TheoryData<string> Kinds => ReceiverRig.Kinds;

    [Theory]
    [MemberData(nameof(Kinds))]
    public void It_gets_what_its_filters_match_once_and_in_order(string kind) =>
        Gen.Select(
            Gen.Select(Gen.Int[0, 999], Gen.Int[0, 999]).Array[0, 6], Gen.Select(Gen.Int[0, 999], Gen.Int[0, 999]).Array[0, 20]).Sample((filters, topics) =>
        {
            var bench = new Bench();
            ReceiverRig receiver = ReceiverRig.Open(kind, bench, "r");
            // Of a group it is the only member, and gets all; but once for each group.
            string[] plain =
            [
                .. filters.Select(one => Naive.Filter(one.Item1, one.Item2)).Where(filter => !filter.StartsWith("$share/", StringComparison.Ordinal)),
            ];
            foreach (string filter in plain) Assert.False(receiver.Subscribe(filter).IsError());
            var expected = new List<string>();
            for (int i = 0; i < topics.Length; i++)
            {
                string topic = Naive.Topic(topics[i].Item1, topics[i].Item2);
                bench.Publish(topic, "m" + i, (QoS)(i % 3));
                if (plain.Any(filter => Naive.Matches(filter, topic))) expected.Add("m" + i);
            }

            Assert.Equal(expected, receiver.TakePayloads());
        });

    [Theory]
    [MemberData(nameof(Kinds))]
    public void The_lower_QoS_of_publish_and_subscription_holds(string kind)
    {
        var bench = new Bench();
        ReceiverRig low = ReceiverRig.Open(kind, bench, "low"), high = ReceiverRig.Open(kind, bench, "high");
        Assert.Equal((ReasonCode)1, low.Subscribe("a", QoS.AtLeastOnce));
        Assert.Equal((ReasonCode)2, high.Subscribe("a"));
        for (int qos = 0; qos < 3; qos++) bench.Publish("a", "m", (QoS)qos);
        Assert.Equal([QoS.AtMostOnce, QoS.AtLeastOnce, QoS.AtLeastOnce], low.Take().Select(one => one.QoS));
        Assert.Equal([QoS.AtMostOnce, QoS.AtLeastOnce, QoS.ExactlyOnce], high.Take().Select(one => one.QoS));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Overlapping_filters_give_one_copy_with_every_identifier_and_the_highest_QoS(string kind)
    {
        var bench = new Bench();
        ReceiverRig receiver = ReceiverRig.Open(kind, bench, "r");
        receiver.Subscribe("a/+", QoS.AtMostOnce, identifier: 7);
        receiver.Subscribe("a/#", QoS.AtLeastOnce, identifier: 300);
        receiver.Subscribe("#", QoS.AtMostOnce);
        bench.Publish("a/b", "m", QoS.ExactlyOnce);
        bench.Publish("a", "n", QoS.ExactlyOnce);
        Assert.Equal([new Received("a/b", "m", QoS.AtLeastOnce, false, "7 300"), new Received("a", "n", QoS.AtLeastOnce, false, "300")], receiver.Take());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void No_Local_keeps_its_own_messages_from_it_and_from_nobody_else(string kind)
    {
        var bench = new Bench();
        ReceiverRig one = ReceiverRig.Open(kind, bench, "one"), two = ReceiverRig.Open(kind, bench, "two");
        foreach (ReceiverRig each in (ReceiverRig[])[one, two]) each.Subscribe("a/#", QoS.AtLeastOnce, noLocal: true);
        one.Subscribe("a/own", QoS.AtMostOnce, identifier: 5);
        Assert.Equal(ReasonCode.Success, one.Publish("a/b", "m", QoS.AtLeastOnce));
        one.Publish("a/own", "n", QoS.AtLeastOnce);
        two.Publish("a/own", "o", QoS.AtLeastOnce);
        // Of overlapping filters the one without No Local counts for its own message, both for another's.
        Assert.Equal([new Received("a/own", "n", QoS.AtMostOnce, false, "5"), new Received("a/own", "o", QoS.AtLeastOnce, false, "5")], one.Take());
        Assert.Equal(["m", "n"], two.TakePayloads());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Nobody_is_told_as_no_matching_subscribers(string kind)
    {
        ReceiverRig receiver = ReceiverRig.Open(kind, new Bench(), "r");
        receiver.Subscribe("b");
        Assert.Equal(ReasonCode.NoMatchingSubscribers, receiver.Publish("a", "m"));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Retained_messages_come_on_subscribing_as_the_options_ask(string kind)
    {
        var bench = new Bench();
        for (int i = 0; i < 40; i++) bench.Publish("a/" + i, "old" + i, QoS.AtLeastOnce, retain: true);
        bench.Publish("a/gone", "gone", retain: true, expirySeconds: 1);
        bench.Publish("other", "other", retain: true);
        bench.Advance(2);
        ReceiverRig receiver = ReceiverRig.Open(kind, bench, "r");
        receiver.Subscribe("a/+", QoS.AtMostOnce, identifier: 9);
        List<Received> all = receiver.Take();
        Assert.Equal(Enumerable.Range(0, 40).Select(i => "old" + i).Order(), all.Select(one => one.Payload).Order());
        Assert.All(all, one => Assert.Equal((true, QoS.AtMostOnce, "9"), (one.Retain, one.QoS, one.Identifiers)));
        receiver.Subscribe("a/+", handling: RetainHandling.SendIfNew);
        receiver.Subscribe("a/#", handling: RetainHandling.DoNotSend);
        Assert.Empty(receiver.Take());
        receiver.Subscribe("other", handling: RetainHandling.SendIfNew);
        receiver.Subscribe("nothing/here");
        Assert.Equal(["other"], receiver.TakePayloads());
        receiver.Subscribe("a/+");
        Assert.Equal(40, receiver.Take().Count);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Retained_messages_come_before_what_is_published_later(string kind)
    {
        var bench = new Bench();
        for (int i = 0; i < 10; i++) bench.Publish("a/" + i, "old", retain: true);
        ReceiverRig receiver = ReceiverRig.Open(kind, bench, "r");
        receiver.Subscribe("a/#");
        if (kind == "session") Assert.Equal(10, receiver.Take().Count);
        bench.Publish("a/3", "new", QoS.AtLeastOnce, retain: true);
        List<Received> all = receiver.Take();
        Assert.Equal(new Received("a/3", "new", QoS.AtLeastOnce, false, ""), all[^1]);
        // What was set anew comes once.
        Assert.Equal(kind == "session" ? 1 : 10, all.Count);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Retain_is_cleared_unless_the_subscription_asks_for_it(string kind)
    {
        var bench = new Bench();
        ReceiverRig plain = ReceiverRig.Open(kind, bench, "plain"), asPublished = ReceiverRig.Open(kind, bench, "asPublished");
        plain.Subscribe("a");
        asPublished.Subscribe("a", retainAsPublished: true);
        bench.Publish("a", "m", retain: true);
        Assert.False(Assert.Single(plain.Take()).Retain);
        Assert.True(Assert.Single(asPublished.Take()).Retain);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Members_of_a_shared_group_take_turns_whatever_they_are(string kind)
    {
        var bench = new Bench();
        ReceiverRig[] members = [ReceiverRig.Open(kind, bench, "one"), ReceiverRig.Open(kind, bench, "two"), ReceiverRig.Open("session", bench, "three")];
        foreach (ReceiverRig member in members) Assert.False(member.Subscribe("$share/g/a/#", QoS.AtLeastOnce).IsError());
        bench.Publish("a/b", "retained", retain: true);
        // A shared subscription gets no retained messages.
        members[0].Subscribe("$share/g/a/#", QoS.AtLeastOnce);
        for (int i = 0; i < 299; i++) bench.Publish("a/" + i, "m" + i, (QoS)(i % 2));
        List<string>[] got = [.. members.Select(member => member.TakePayloads())];
        Assert.All(got, one => Assert.Equal(100, one.Count));
        Assert.Equal(300, got.SelectMany(one => one).Distinct().Count());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void What_a_member_leaves_unread_above_QoS_0_goes_to_another(string kind)
    {
        var bench = new Bench();
        ReceiverRig leaving = ReceiverRig.Open(kind, bench, "leaving");
        leaving.Subscribe("$share/g/a", QoS.AtLeastOnce);
        leaving.Stall();
        for (int i = 0; i < 5; i++) bench.Publish("a", "m" + i, QoS.AtLeastOnce);
        ReceiverRig staying = ReceiverRig.Open("session", bench, "staying");
        staying.Subscribe("$share/g/a", QoS.AtLeastOnce);
        leaving.Close();
        Assert.Equal(["m0", "m1", "m2", "m3", "m4"], staying.TakePayloads());
        Assert.Empty(bench.Events.Dropped);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_member_whose_queue_is_full_is_passed_over(string kind)
    {
        var bench = new Bench();
        ReceiverRig busy = ReceiverRig.Open(kind, bench, "busy", ThreeMessages), ready = ReceiverRig.Open(kind, bench, "ready");
        foreach (ReceiverRig member in (ReceiverRig[])[busy, ready]) member.Subscribe("$share/g/a");
        busy.Stall();
        for (int i = 0; i < 20; i++) bench.Publish("a", "m" + i);
        Assert.Equal(20, busy.Take().Count + ready.Take().Count);
        Assert.Empty(bench.Events.Dropped);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void An_ended_subscription_brings_nothing_more_and_what_waits_stays(string kind)
    {
        var bench = new Bench();
        ReceiverRig receiver = ReceiverRig.Open(kind, bench, "r");
        receiver.Subscribe("a");
        receiver.Stall();
        bench.Publish("a", "m", QoS.AtLeastOnce);
        Assert.Equal(ReasonCode.Success, receiver.Unsubscribe("a"));
        Assert.Equal(ReasonCode.NoSubscriptionExisted, receiver.Unsubscribe("a"));
        Assert.Equal(ReasonCode.NoMatchingSubscribers, bench.Publish("a", "n", QoS.AtLeastOnce).Reason);
        Assert.Equal(["m"], receiver.TakePayloads());
        Assert.True(bench.Broker.Subscriptions.Root.IsEmpty);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void One_that_is_closed_is_gone_from_the_tree(string kind)
    {
        var bench = new Bench();
        ReceiverRig receiver = ReceiverRig.Open(kind, bench, "r");
        receiver.Subscribe("a/b");
        receiver.Subscribe("a/#");
        receiver.Subscribe("$share/g/a/+");
        Assert.Equal(ReceiverReadiness.Ready, receiver.Receiver.Readiness);
        receiver.Close();
        Assert.Equal(ReceiverReadiness.Gone, receiver.Receiver.Readiness);
        Assert.Equal(ReasonCode.NoMatchingSubscribers, bench.Publish("a/b", "m", QoS.AtLeastOnce).Reason);
        Assert.True(bench.Broker.Subscriptions.Root.IsEmpty);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Subscriptions_are_bounded(string kind)
    {
        var bench = new Bench(new MqttOptions { SysInterval = TimeSpan.Zero, MaxSubscriptionsPerClient = 2, MaxTopicLevels = 3 });
        ReceiverRig receiver = ReceiverRig.Open(kind, bench, "r");
        Assert.Equal(ReasonCode.TopicFilterInvalid, receiver.Subscribe("a/b/c/d"));
        foreach (string filter in (string[])["a", "b", "a"]) Assert.False(receiver.Subscribe(filter).IsError());
        Assert.Equal(ReasonCode.QuotaExceeded, receiver.Subscribe("c"));
        receiver.Unsubscribe("a");
        Assert.False(receiver.Subscribe("c").IsError());
    }

    [Theory]
    [InlineData("session", QueueOverflow.DropOldest, "m7 m8 m9", ReasonCode.Success)]
    [InlineData("local", QueueOverflow.DropOldest, "m7 m8 m9", ReasonCode.Success)]
    [InlineData("session", QueueOverflow.DropNewest, "m0 m1 m2", ReasonCode.Success)]
    [InlineData("local", QueueOverflow.DropNewest, "m0 m1 m2", ReasonCode.Success)]
    [InlineData("session", QueueOverflow.Reject, "m0 m1 m2", ReasonCode.QuotaExceeded)]
    [InlineData("local", QueueOverflow.Reject, "m0 m1 m2", ReasonCode.QuotaExceeded)]
    public void The_queue_is_bounded_in_messages_and_every_drop_is_told(string kind, QueueOverflow overflow, string left, ReasonCode told)
    {
        var bench = new Bench(new MqttOptions { SysInterval = TimeSpan.Zero, MaxQueuedMessages = 3, QueueOverflow = overflow });
        ReceiverRig receiver = ReceiverRig.Open(kind, bench, "r", ThreeMessages with { Overflow = overflow });
        receiver.Subscribe("a");
        receiver.Stall();
        for (int i = 0; i < 10; i++) Assert.Equal(i < 3 ? ReasonCode.Success : told, bench.Publish("a", "m" + i, QoS.AtLeastOnce).Reason);
        Assert.Equal(left, string.Join(' ', receiver.TakePayloads()));
        Assert.Equal(7, bench.Events.Dropped.Sum(drop => drop.Count));
        Assert.All(bench.Events.Dropped, drop => Assert.Equal(receiver.Receiver.Id, drop.ClientId));
        Assert.Equal(7, bench.Broker.CountTraffic().PublishesDropped);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void The_queue_is_bounded_in_bytes_and_a_message_that_fits_no_queue_drives_nothing_out(string kind)
    {
        var bench = new Bench(new MqttOptions { SysInterval = TimeSpan.Zero, MaxQueuedBytes = 100 });
        ReceiverRig receiver = ReceiverRig.Open(kind, bench, "r", new LocalClientOptions { MaxQueuedBytes = 100 });
        receiver.Subscribe("a");
        receiver.Stall();
        for (int i = 0; i < 4; i++) bench.Publish("a", i + new string('x', 30), QoS.AtLeastOnce);
        bench.Publish("a", new string('y', 100), QoS.AtLeastOnce);
        Assert.Equal("123", string.Concat(receiver.TakePayloads().Select(payload => payload[0])));
        Assert.Equal(2, bench.Events.Dropped.Sum(drop => drop.Count));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void What_expires_while_it_waits_is_dropped_and_told(string kind)
    {
        var bench = new Bench();
        ReceiverRig receiver = ReceiverRig.Open(kind, bench, "r");
        receiver.Subscribe("a");
        receiver.Stall();
        bench.Publish("a", "short", QoS.AtLeastOnce, expirySeconds: 5);
        bench.Publish("a", "long", QoS.AtLeastOnce, expirySeconds: 50);
        bench.Advance(10);
        Assert.Equal(["long"], receiver.TakePayloads());
        Assert.Equal((receiver.Receiver.Id, Ports.DropReason.Expired, 1), Assert.Single(bench.Events.Dropped));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Messages_of_a_batch_come_as_they_would_one_by_one(string kind) =>
        Gen.Select(Gen.Int[0, 5], Gen.Int[0, 3], Gen.Int[0, 2]).Array[0, 40].Sample(steps =>
        {
            List<Received>[] together = Run(kind, steps, waits: true), singly = Run(kind, steps, waits: false);
            for (int i = 0; i < singly.Length; i++) Assert.Equal(singly[i], together[i]);
        });

    private static List<Received>[] Run(string kind, (int Kind, int Topic, int Publisher)[] steps, bool waits)
    {
        var bench = new Bench();
        ReceiverRig whole = ReceiverRig.Open(kind, bench, "whole"), other = ReceiverRig.Open(kind, bench, "other");
        ReceiverRig member = ReceiverRig.Open(kind, bench, "member");
        whole.Subscribe("#");
        other.Subscribe("t/1", identifier: 7);
        other.Subscribe("t/+", QoS.AtMostOnce, noLocal: true);
        member.Subscribe("$share/g/t/2");
        Receiver?[] publishers = [null, other.Receiver, whole.Receiver];
        for (int i = 0; i < steps.Length; i++)
        {
            (int action, int topic, int publisher) = steps[i];
            // Now and then one that does not wait, and may not overtake those that do.
            QoS qos = action == 0 ? QoS.AtLeastOnce : QoS.AtMostOnce;
            bench.Publish("t/" + topic, "m" + i, qos, action == 1, action == 2 ? 60 : null, publishers[publisher], waits: waits);
        }

        bench.Deliver();
        return [whole.Take(), other.Take(), member.Take()];
    }
}
