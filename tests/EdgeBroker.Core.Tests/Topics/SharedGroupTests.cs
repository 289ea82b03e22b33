using EdgeBroker.Core.Tests.Rig;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Tests.Topics;

public sealed class SharedGroupTests
{
    [Fact]
    public void Members_take_turns()
    {
        var bench = new Bench();
        Client[] members = [.. Enumerable.Range(0, 3).Select(i => Member(bench, "m" + i))];
        for (int i = 0; i < 300; i++) bench.Publish("a", "m" + i);
        Assert.All(members, member => Assert.Equal(100, member.Sent.Count));
        Assert.Equal(300, members.SelectMany(member => member.Payloads).Distinct().Count());
    }

    [Fact]
    public void A_busy_member_is_passed_over_while_another_has_room()
    {
        var bench = new Bench();
        Client busy = Member(bench, "busy", receiveMaximum: 1), ready = Member(bench, "ready");
        for (int i = 0; i < 20; i++) bench.Publish("a", "m" + i, QoS.AtLeastOnce);
        Assert.Single(busy.Sent);
        Assert.Equal(19, ready.Sent.Count);
        Assert.Equal(1, busy.Session.PendingMessages);
    }

    [Fact]
    public void A_member_that_is_away_gets_messages_only_when_all_are()
    {
        var bench = new Bench();
        Client away = Member(bench, "away", expirySeconds: 60), here = Member(bench, "here", expirySeconds: 60);
        away.Drop();
        for (int i = 0; i < 4; i++) bench.Publish("a", "m" + i, QoS.AtLeastOnce);
        Assert.Equal(4, here.Sent.Count);
        here.Drop();
        for (int i = 0; i < 4; i++) bench.Publish("a", "n" + i, QoS.AtLeastOnce);
        Assert.Equal(2, away.Session.PendingMessages);
        Assert.Equal(4 + 2, here.Session.PendingMessages);
    }

    [Fact]
    public void A_member_that_is_away_at_qos_0_does_not_swallow_what_another_would_keep()
    {
        var bench = new Bench();
        Client low = Member(bench, "low", QoS.AtMostOnce, expirySeconds: 60), high = Member(bench, "high", expirySeconds: 60);
        low.Drop();
        high.Drop();
        for (int i = 0; i < 4; i++) bench.Publish("a", "m" + i, QoS.AtLeastOnce);
        Assert.Equal(4, high.Session.PendingMessages);
    }

    [Fact]
    public void Groups_of_different_names_and_ordinary_subscribers_each_get_a_copy()
    {
        var bench = new Bench();
        Client one = bench.Connect("one");
        one.Subscribe("$share/g/a");
        Client two = bench.Connect("two");
        two.Subscribe("$share/h/a");
        two.Subscribe("a");
        bench.Publish("a", "m");
        Assert.Equal(["m"], one.Payloads);
        Assert.Equal(["m", "m"], two.Payloads);
    }

    [Fact]
    public void Members_may_leave_between_messages()
    {
        var bench = new Bench();
        Client[] members = [.. Enumerable.Range(0, 4).Select(i => Member(bench, "m" + i))];
        for (int i = 0; i < 40; i++)
        {
            if (i == 10) members[0].Disconnect();
            if (i == 20) members[1].Unsubscribe("$share/g/a");
            bench.Publish("a", "m" + i);
        }

        Assert.Equal(40, members.SelectMany(member => member.Payloads).Distinct().Count());
        bench.Broker.Subscriptions.Remove(members[2].Session, "$share/g/a"u8);
        bench.Broker.Subscriptions.Remove(members[3].Session, "$share/g/a"u8);
        Assert.True(bench.Broker.Subscriptions.Root.IsEmpty);
    }

    private static Client Member(Bench bench, string id, QoS qos = QoS.ExactlyOnce, uint expirySeconds = 0, int receiveMaximum = 1_000)
    {
        Client client = bench.Connect(id, expirySeconds: expirySeconds, receiveMaximum: receiveMaximum);
        Assert.False(client.Subscribe("$share/g/a", qos).IsError());
        return client;
    }
}
