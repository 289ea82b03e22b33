using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Tests.Rig;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Tests.Sessions;

public sealed class ResumeTests
{
    [Fact]
    public void What_was_open_goes_out_again_in_order_before_anything_new()
    {
        var bench = new Bench();
        Client client = bench.Connect("c", expirySeconds: 60);
        client.Subscribe("a", QoS.ExactlyOnce);
        for (int i = 1; i <= 4; i++) bench.Publish("a", "m" + i, i == 2 ? QoS.AtLeastOnce : QoS.ExactlyOnce);
        client.Pubrec(client.Sent[0].Id);
        client.Pubrec(client.Sent[2].Id);
        client.Pubcomp(client.Sent[2].Id);
        client.Drop();
        bench.Publish("a", "m5", QoS.AtLeastOnce);
        Client again = bench.Connect("c", expirySeconds: 60);
        Assert.Empty(again.Sent);
        again.Pump();
        Assert.Equal(
            [(PacketType.Pubrel, "", false), (PacketType.Publish, "m2", true), (PacketType.Publish, "m4", true), (PacketType.Publish, "m5", false)],
            again.Sent.Select(packet => (packet.Type, packet.Payload, packet.Dup)));
        Assert.Equal([1, 2, 4, 5], again.Sent.Select(packet => (int)packet.Id));
    }

    [Fact]
    public void A_resend_keeps_to_the_new_connection_s_receive_maximum()
    {
        var bench = new Bench();
        Client client = bench.Connect("c", expirySeconds: 60);
        client.Subscribe("a", QoS.AtLeastOnce);
        for (int i = 1; i <= 5; i++) bench.Publish("a", "m" + i, QoS.AtLeastOnce);
        client.Drop();
        Client again = bench.Connect("c", expirySeconds: 60, receiveMaximum: 2);
        again.Pump();
        Assert.Equal(["m1", "m2"], again.Payloads);
        bench.Publish("a", "m6", QoS.AtLeastOnce);
        for (int i = 0; i < again.Sent.Count; i++)
        {
            again.Puback(again.Sent[i].Id);
            again.Pump();
        }

        Assert.Equal(["m1", "m2", "m3", "m4", "m5", "m6"], again.Payloads);
        Assert.Equal([true, true, true, true, true, false], again.Sent.Select(packet => packet.Dup));
    }

    [Fact]
    public void An_exchange_only_released_on_the_new_connection_counts_toward_its_receive_maximum()
    {
        var bench = new Bench();
        Client client = bench.Connect("c", expirySeconds: 60, receiveMaximum: 2);
        client.Subscribe("a", QoS.ExactlyOnce);
        for (int i = 1; i <= 6; i++) bench.Publish("a", "m" + i, QoS.ExactlyOnce);
        client.Pubrec(1);
        client.Pubrec(2);
        client.Drop();
        Client again = bench.Connect("c", expirySeconds: 60, receiveMaximum: 2);
        again.Pump();
        again.Pubcomp(1);
        again.Pump();
        again.Pubcomp(2);
        again.Pump();
        Assert.InRange(again.Sent.Count(packet => packet.Type == PacketType.Publish), 1, 2);
    }

    [Fact]
    public void Clean_start_begins_anew()
    {
        var bench = new Bench();
        Client client = bench.Connect("c", expirySeconds: 60);
        client.Subscribe("a", QoS.AtLeastOnce);
        bench.Publish("a", "m1", QoS.AtLeastOnce);
        client.Drop();
        Client again = bench.Connect("c", cleanStart: true, expirySeconds: 60);
        again.Pump();
        Assert.False(again.Link.SessionPresent);
        Assert.Empty(again.Sent);
        Assert.Equal((1, 1, 0), (bench.Broker.SessionCount, bench.Broker.ConnectedCount, bench.Broker.Subscriptions.Count));
        Assert.True(bench.Broker.Subscriptions.Root.IsEmpty);
    }

    [Fact]
    public void A_takeover_closes_the_old_connection_and_makes_its_calls_do_nothing()
    {
        var bench = new Bench();
        Client old = bench.Connect("c", expirySeconds: 60);
        old.Subscribe("a", QoS.AtLeastOnce);
        bench.Publish("a", "m1", QoS.AtLeastOnce);
        Client fresh = bench.Connect("c", expirySeconds: 60);
        Assert.Equal(ReasonCode.SessionTakenOver, old.Link.ClosedWith);
        Assert.True(fresh.Link.SessionPresent);
        Assert.Equal(AckOutcome.StaleLease, old.Puback(1));
        Assert.Equal(ReasonCode.QuotaExceeded, old.Subscribe("b"));
        Assert.Equal(ReasonCode.NoSubscriptionExisted, old.Unsubscribe("a"));
        old.Drop();
        Assert.Equal((1, 1), (bench.Broker.ConnectedCount, bench.Broker.Subscriptions.Count));
        fresh.Pump();
        bench.Publish("a", "m2", QoS.AtLeastOnce);
        Assert.Equal(["m1"], old.Payloads);
        Assert.Equal(["m1", "m2"], fresh.Payloads);
        Assert.Equal(1, bench.Broker.MostConnected);
    }

    [Fact]
    public void A_session_that_ends_with_its_connection_is_not_resumed_by_a_takeover()
    {
        var bench = new Bench();
        Client old = bench.Connect("c", cleanStart: true, expirySeconds: 0);
        old.Subscribe("a", QoS.AtLeastOnce);
        Client fresh = bench.Connect("c", cleanStart: false, expirySeconds: 60);
        Assert.Equal(ReasonCode.SessionTakenOver, old.Link.ClosedWith);
        Assert.False(fresh.Link.SessionPresent);
        Assert.Equal(0, bench.Broker.Subscriptions.Count);
        Assert.Equal((1, 1), (bench.Broker.ConnectedCount, bench.Broker.SessionCount));
    }

    [Fact]
    public void Nor_when_both_connections_found_it_at_the_same_moment()
    {
        var bench = new Bench();
        Client? first = null;
        Client second = bench.Connect("c", link: new FakeLink { WhilePreparing = () => first ??= bench.Connect("c") });
        Assert.Equal(ReasonCode.SessionTakenOver, first!.Link.ClosedWith);
        Assert.False(second.Link.SessionPresent);
        Assert.NotSame(first.Session, second.Session);
        Assert.Equal((1, 1), (bench.Broker.ConnectedCount, bench.Broker.SessionCount));
    }

    [Fact]
    public void A_session_lives_as_long_as_its_expiry_and_no_longer()
    {
        var bench = new Bench();
        Client client = bench.Connect("c", expirySeconds: 60);
        client.Subscribe("a", QoS.AtLeastOnce);
        bench.Advance(1_000);
        client.Drop();
        bench.Publish("a", "m", QoS.AtLeastOnce);
        bench.Advance(59.9);
        Assert.NotNull(bench.Broker.FindSession("c"));
        bench.Advance(0.1);
        Assert.Null(bench.Broker.FindSession("c"));
        Assert.Equal((0, 0, 1L), (bench.Broker.SessionCount, bench.Broker.Subscriptions.Count, bench.Broker.SessionsExpired));
        Assert.Equal(["c"], bench.Events.Ended);
        Assert.Equal(1, bench.Events.Dropped.Sum(one => one.Count));
    }

    [Fact]
    public void Coming_back_stops_the_expiry()
    {
        var bench = new Bench();
        bench.Connect("c", expirySeconds: 60).Drop();
        bench.Advance(50);
        Client again = bench.Connect("c", expirySeconds: 10);
        Assert.True(again.Link.SessionPresent);
        bench.Advance(500);
        Assert.Equal(1, bench.Broker.SessionCount);
        again.Drop();
        bench.Advance(11);
        Assert.Equal(0, bench.Broker.SessionCount);
    }

    [Fact]
    public void Disconnect_can_change_the_expiry()
    {
        var bench = new Bench();
        bench.Connect("zero", expirySeconds: 60).Disconnect(newExpirySeconds: 0);
        Assert.Null(bench.Broker.FindSession("zero"));
        bench.Connect("longer", expirySeconds: 60).Disconnect(newExpirySeconds: 120);
        bench.Advance(100);
        Assert.NotNull(bench.Broker.FindSession("longer"));
        bench.Advance(21);
        Assert.Null(bench.Broker.FindSession("longer"));
    }

    [Fact]
    public void Thousands_of_sessions_that_expire_together_end_over_several_calls()
    {
        var bench = new Bench();
        for (int i = 0; i < 1_000; i++) bench.Connect("c" + i, expirySeconds: 5).Drop();
        bench.Time.Advance(TimeSpan.FromSeconds(6));
        Assert.True(bench.Broker.RunDue());
        Assert.InRange(bench.Broker.SessionCount, 1, 999);
        bench.Advance(0);
        Assert.Equal(0, bench.Broker.SessionCount);
    }
}
