using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Tests.Rig;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Tests.Sessions;

public sealed class OrphanTests
{
    private readonly Bench _bench = new();

    [Fact]
    public void A_shared_message_not_acknowledged_goes_to_another_member_when_the_session_ends()
    {
        Client one = Member("one", 1), two = Member("two", 100);
        two.Link.HasRoom = false;
        for (int i = 0; i < 4; i++) _bench.Publish("a", "m" + i, QoS.AtLeastOnce);
        two.Link.HasRoom = true;
        two.Pump();
        one.Drop();
        two.Pump();
        Assert.Equal(["m0", "m1", "m2", "m3"], two.Payloads.Order());
        Assert.Empty(_bench.Events.Dropped);
    }

    [Fact]
    public void An_exactly_once_message_already_begun_goes_to_nobody_else()
    {
        Client one = Member("one", 1);
        _bench.Publish("a", "begun", QoS.ExactlyOnce);
        _bench.Publish("a", "waiting", QoS.ExactlyOnce);
        Client two = Member("two", 10);
        one.Drop();
        Assert.Equal(["waiting"], two.Payloads);
        Assert.Equal(("one", DropReason.SessionEnded, 1), Assert.Single(_bench.Events.Dropped));
    }

    [Fact]
    public void Without_another_member_they_are_counted_as_dropped()
    {
        Client one = Member("one", 1);
        _bench.Publish("a", "m1", QoS.AtLeastOnce);
        _bench.Publish("a", "m2", QoS.AtLeastOnce);
        one.Drop();
        Assert.Equal(2, _bench.Events.Dropped.Sum(drop => drop.Count));
        Assert.Equal(0, _bench.Broker.Subscriptions.SharedCount);
    }

    [Fact]
    public void Messages_of_ordinary_subscriptions_end_with_the_session()
    {
        Client one = _bench.Connect("one"), two = _bench.Connect("two");
        one.Subscribe("a", QoS.AtLeastOnce);
        two.Subscribe("a", QoS.AtLeastOnce);
        _bench.Publish("a", "m", QoS.AtLeastOnce);
        one.Drop();
        Assert.Equal(["m"], two.Payloads);
        Assert.Equal(("one", DropReason.SessionEnded, 1), Assert.Single(_bench.Events.Dropped));
    }

    private Client Member(string id, int receiveMaximum)
    {
        Client client = _bench.Connect(id, receiveMaximum: receiveMaximum);
        client.Subscribe("$share/g/a", QoS.ExactlyOnce);
        return client;
    }
}
