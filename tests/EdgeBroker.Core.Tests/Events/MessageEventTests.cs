using EdgeBroker.Core.Events;
using EdgeBroker.Core.Management;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Tests.Rig;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Tests.Events;

/// <summary>What is told of messages and subscriptions, and when.</summary>
public sealed class MessageEventTests
{
    private readonly Bench _bench = new();

    [Fact]
    public void A_message_is_told_when_it_is_taken_and_when_a_receiver_has_it()
    {
        EventSheet sheet = Watch(EventKinds.MessagePublished | EventKinds.MessageDelivered);
        Client publisher = _bench.Connect("p"), one = _bench.Connect("one"), two = _bench.Connect("two"), away = _bench.Connect("away", expirySeconds: 60);
        _bench.Connect("none").Subscribe("t");
        one.Subscribe("t", QoS.AtLeastOnce);
        two.Subscribe("t", QoS.ExactlyOnce);
        away.Subscribe("t", QoS.AtLeastOnce);
        away.Drop();
        publisher.Publish("t", "m", QoS.ExactlyOnce);
        Assert.Equal(["published t m by p", "delivered m to none with 0"], sheet.Lines);
        one.Puback(one.Sent[^1].Id);
        Assert.Equal("delivered m to one with 1", sheet.Lines[^1]);
        // With PUBREC the message is the client's.
        two.Pubrec(two.Sent[^1].Id);
        Assert.Equal("delivered m to two with 2", sheet.Lines[^1]);
        two.Pubrec(two.Sent[1].Id);
        two.Pubcomp(two.Sent[1].Id);
        Assert.Equal(4, sheet.Lines.Count);
        Client back = _bench.Connect("away", expirySeconds: 60);
        back.Pump();
        Assert.Equal(4, sheet.Lines.Count);
        back.Puback(back.Sent[^1].Id);
        Assert.Equal("delivered m to away with 1", sheet.Lines[^1]);
        publisher.Publish("nobody", "n");
        Assert.Equal("published nobody n by p", sheet.Lines[^1]);
    }

    [Fact]
    public void What_a_client_refuses_it_does_not_have()
    {
        EventSheet sheet = Watch(EventKinds.MessageDelivered);
        Client publisher = _bench.Connect("p"), one = _bench.Connect("one"), two = _bench.Connect("two");
        one.Subscribe("t", QoS.AtLeastOnce);
        two.Subscribe("t", QoS.ExactlyOnce);
        publisher.Publish("t", "m", QoS.ExactlyOnce);
        one.Puback(one.Sent[^1].Id, refused: true);
        two.Pubrec(two.Sent[^1].Id, refused: true);
        Assert.Empty(sheet.Lines);
    }

    [Fact]
    public void What_waited_at_QoS_0_and_what_was_retained_is_told_when_it_is_sent()
    {
        EventSheet sheet = Watch(EventKinds.MessageDelivered);
        _bench.Publish("r", "kept", retain: true);
        var policy = new QueuePolicy(100, long.MaxValue, MaxAge: null, MaxStoreBytes: null, QueueOverflow.DropOldest, KeepsQoS0: true);
        Client away = _bench.Connect("away", expirySeconds: 60, policy: policy);
        away.Subscribe("t");
        away.Drop();
        _bench.Publish("t", "m");
        Assert.Empty(sheet.Lines);
        Client back = _bench.Connect("away", expirySeconds: 60, policy: policy);
        back.Pump();
        Assert.Equal(["delivered m to away with 0"], sheet.Lines);
        back.Subscribe("r");
        back.Pump();
        Assert.Equal(["kept"], back.Payloads.Skip(1));
        Assert.Equal("delivered kept to away with 0", sheet.Lines[^1]);
    }

    [Fact]
    public void A_local_client_has_what_its_owner_has_read()
    {
        EventSheet sheet = Watch(EventKinds.MessageDelivered);
        _bench.Publish("r", "kept", retain: true);
        using LocalClient local = _bench.Broker.OpenLocal("probe", new LocalClientOptions());
        local.Subscribe("#", new SubscriptionOptions(QoS.AtLeastOnce));
        _bench.Publish("t", "m", QoS.AtLeastOnce);
        Assert.Empty(sheet.Lines);
        Assert.True(local.TryRead(out _));
        Assert.True(local.TryRead(out _));
        Assert.Equal(["delivered kept to $local/probe with 0", "delivered m to $local/probe with 1"], sheet.Lines);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Messages_that_are_delivered_together_are_told_one_by_one(bool deliveredToo)
    {
        EventSheet sheet = Watch(EventKinds.MessagePublished | (deliveredToo ? EventKinds.MessageDelivered : EventKinds.None));
        Client publisher = _bench.Connect("p"), subscriber = _bench.Connect("s");
        subscriber.Subscribe("t");
        for (int i = 0; i < 3; i++) publisher.Publish("t", "m" + i, waits: true);
        Assert.Equal(["published t m0 by p", "published t m1 by p", "published t m2 by p"], sheet.Lines);
        _bench.Deliver();
        Assert.Equal(["m0", "m1", "m2"], subscriber.Payloads);
        // As one piece where nobody wants to know.
        Assert.Equal(deliveredToo ? 0 : 1, subscriber.Link.Segments);
        Assert.Equal(
            deliveredToo ? ["delivered m0 to s with 0", "delivered m1 to s with 0", "delivered m2 to s with 0"] : [], sheet.Lines.Skip(3));
    }

    [Fact]
    public void Members_of_a_shared_group_are_told_of_as_well()
    {
        EventSheet sheet = Watch(EventKinds.MessageDelivered);
        Client publisher = _bench.Connect("p");
        _bench.Connect("one").Subscribe("$share/g/t");
        publisher.Publish("t", "m", waits: true);
        _bench.Deliver();
        Assert.Equal(["delivered m to one with 0"], sheet.Lines);
    }

    [Fact]
    public void What_is_dropped_is_not_delivered()
    {
        EventSheet sheet = Watch(EventKinds.MessageDelivered | EventKinds.MessagesDropped);
        Client publisher = _bench.Connect("p"), subscriber = _bench.Connect("s");
        subscriber.Subscribe("t");
        subscriber.Link.IsFull = true;
        publisher.Publish("t", "m");
        Assert.Equal([EventKinds.MessagesDropped], sheet.Kinds);
    }

    [Fact]
    public void Every_change_of_a_retained_message_is_told()
    {
        EventSheet sheet = Watch(EventKinds.MessageRetained);
        _bench.Publish("t", "1", retain: true);
        _bench.Publish("t", "2", retain: true);
        _bench.Publish("t", "", retain: true);
        _bench.Publish("t", "", retain: true);
        _bench.Publish("t", "not kept");
        _bench.Publish("t", "3", retain: true, expirySeconds: 1);
        _bench.Time.Advance(TimeSpan.FromSeconds(2));
        _bench.Broker.RunDue();
        _bench.Publish("t", "4", retain: true);
        new BrokerView(_bench.Broker, new RecentRefusals(_bench.Time)).DeleteRetained("t", out _);
        Assert.Equal(["Set t 1", "Replaced t 2", "Deleted t ", "Set t 3", "Expired t 3", "Set t 4", "Deleted t "], sheet.Lines);
    }

    [Fact]
    public void What_the_broker_says_of_itself_is_not_told()
    {
        var bench = new Bench(new MqttOptions { SysInterval = TimeSpan.FromSeconds(1) });
        var sheet = new EventSheet(EventKinds.MessagePublished | EventKinds.MessageDelivered | EventKinds.MessageRetained);
        bench.Broker.Events.Add(sheet);
        Client subscriber = bench.Connect("s");
        subscriber.Subscribe("$SYS/#");
        bench.Broker.RunDue();
        Assert.NotEmpty(subscriber.Sent);
        Assert.Empty(sheet.Kinds);
    }

    [Fact]
    public void Subscriptions_are_told_of_from_beginning_to_end()
    {
        EventSheet sheet = Watch(EventKinds.SubscriptionCreated | EventKinds.SubscriptionRemoved | EventKinds.SubscribeRefused);
        Client client = _bench.Connect("c");
        client.Subscribe("a", QoS.AtLeastOnce);
        client.Subscribe("a");
        client.Subscribe("$share/g/b");
        client.Unsubscribe("a");
        client.Unsubscribe("never");
        client.Drop();
        Assert.Equal(
            [
                "c subscribed to a with 1", "c subscribed to a with 0 again", "c subscribed to $share/g/b with 0", "c lost a: Unsubscribed",
                "c lost $share/g/b: SessionEnded",
            ],
            sheet.Lines);
    }

    private EventSheet Watch(EventKinds kinds)
    {
        var sheet = new EventSheet(kinds);
        _bench.Broker.Events.Add(sheet);
        return sheet;
    }
}
