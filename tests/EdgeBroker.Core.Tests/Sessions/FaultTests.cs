using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Tests.Rig;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Core.Tests.Sessions;

/// <summary>A receiver with a bug loses its connection; the publisher, the message and all other receivers are not touched by it.</summary>
public sealed class FaultTests
{
    private readonly Bench _bench = new();

    [Theory]
    [InlineData(QoS.AtMostOnce)]
    [InlineData(QoS.AtLeastOnce)]
    [InlineData(QoS.ExactlyOnce)]
    public void The_receivers_before_and_behind_get_the_message(QoS qos)
    {
        Client[] others = [.. Enumerable.Range(0, 4).Select(i => _bench.Connect("other " + i))];
        Client faulty = _bench.Connect("faulty");
        foreach (Client client in (Client[])[others[0], others[1], faulty, others[2], others[3]]) client.Subscribe("t", qos);
        faulty.Link.Throws = true;
        _bench.Publish("t", "1", qos);
        _bench.Publish("t", "2", qos);
        Assert.All(others, other => Assert.Equal(["1", "2"], other.Payloads));
        AssertIsolated(faulty);
        Assert.Contains("faulty", _bench.Events.Ended);
        Assert.Equal(4, _bench.Broker.Subscriptions.Count);
        Assert.Equal(4, _bench.Broker.ConnectedCount);
    }

    [Fact]
    public void A_batch_goes_on_behind_a_faulty_receiver()
    {
        Client publisher = _bench.Connect("publisher"), faulty = _bench.Connect("faulty"), other = _bench.Connect("other");
        faulty.Subscribe("a");
        faulty.Subscribe("b");
        other.Subscribe("+");
        faulty.Link.Throws = true;
        foreach (string topic in (string[])["a", "b", "a", "c"]) publisher.Publish(topic, topic, waits: true);
        _bench.Deliver();
        Assert.Equal(["a", "b", "a", "c"], other.Payloads);
        AssertIsolated(faulty);
        // Nothing of it is left to be delivered once more.
        _bench.Deliver();
        Assert.Equal(4, other.Sent.Count);
    }

    [Fact]
    public void Another_member_of_a_group_does_not_get_the_message_again_but_all_that_follow()
    {
        Client faulty = _bench.Connect("faulty"), member = _bench.Connect("member");
        faulty.Subscribe("$share/g/t", QoS.AtLeastOnce);
        faulty.Link.Throws = true;
        _bench.Publish("t", "1", QoS.AtLeastOnce);
        AssertIsolated(faulty);
        member.Subscribe("$share/g/t", QoS.AtLeastOnce);
        _bench.Publish("t", "2", QoS.AtLeastOnce);
        Assert.Equal(["2"], member.Payloads);
    }

    [Theory]
    [InlineData(QoS.AtLeastOnce, false)]
    [InlineData(QoS.ExactlyOnce, false)]
    [InlineData(QoS.AtLeastOnce, true)]
    [InlineData(QoS.ExactlyOnce, true)]
    public void A_session_that_is_kept_loses_no_message(QoS qos, bool beforeItIsTaken)
    {
        Client faulty = _bench.Connect("faulty", expirySeconds: 100);
        faulty.Subscribe("t", qos);
        foreach (string payload in (string[])["1", "2", "3"]) _bench.Publish("t", payload, qos);
        if (qos == QoS.AtLeastOnce) faulty.Puback(1);
        else Assert.Equal((AckOutcome.Done, AckOutcome.Done), (faulty.Pubrec(1), faulty.Pubcomp(1)));
        faulty.Link.Throws = !beforeItIsTaken;
        faulty.Link.ThrowsWhenAskedForRoom = beforeItIsTaken;
        _bench.Publish("t", "4", qos);
        AssertIsolated(faulty);
        Client again = _bench.Connect("faulty", expirySeconds: 100);
        Assert.True(again.Link.SessionPresent);
        again.Pump();
        Assert.Equal(["2", "3", "4"], again.Payloads);
        Assert.Equal([2, 3, 4], again.Sent.Select(packet => (int)packet.Id));
    }

    [Fact]
    public void A_fault_in_a_turn_of_its_own_loses_no_message_either()
    {
        Client faulty = _bench.Connect("faulty", expirySeconds: 100, receiveMaximum: 1);
        faulty.Subscribe("t", QoS.AtLeastOnce);
        foreach (string payload in (string[])["1", "2", "3"]) _bench.Publish("t", payload, QoS.AtLeastOnce);
        faulty.Puback(1);
        faulty.Link.Throws = true;
        // As the transport does, to which the exception goes.
        Assert.Throws<InvalidTimeZoneException>(() => faulty.Pump());
        _bench.Broker.Disconnect(faulty.Lease, discardWill: false, null, _bench.Context, isFault: true);
        Client again = _bench.Connect("faulty", expirySeconds: 100);
        again.Pump();
        Assert.Equal(["2", "3"], again.Payloads);
    }

    [Fact]
    public void The_will_of_a_faulty_receiver_is_published_when_the_message_has_reached_all()
    {
        Client faulty = _bench.Connect("faulty", expirySeconds: 100, will: Bench.WillOf("t", "will")), other = _bench.Connect("other");
        faulty.Subscribe("t");
        other.Subscribe("t");
        faulty.Link.Throws = true;
        _bench.Publish("t", "message");
        Assert.Equal(["message", "will"], other.Payloads);
    }

    [Fact]
    public void What_a_message_left_on_disk_before_an_exception_is_committed_all_the_same()
    {
        var journal = new TestJournal();
        var bench = new Bench(journal: journal);
        Client kept = bench.Connect("kept", expirySeconds: 100), faulty = bench.Connect("faulty", expirySeconds: 100);
        kept.Subscribe("t", QoS.AtLeastOnce);
        faulty.Subscribe("t", QoS.AtLeastOnce);
        // The test's journal tells deliveries of a message apart by their positions.
        kept.Subscribe("u", QoS.AtLeastOnce);
        bench.Publish("u", "0", QoS.AtLeastOnce);
        faulty.Link.Throws = true;
        Completion stored = bench.Publish("t", "1", QoS.AtLeastOnce).Completion!;
        Assert.False(stored.IsDone);
        journal.Commit();
        Assert.True(stored.IsDone);
        Assert.Equal(["faulty", "kept", "kept"], journal.Messages.Select(message => message.ClientId).Order());
    }

    [Fact]
    public void A_message_whose_routing_failed_is_taken_when_it_comes_again()
    {
        var journal = new TestJournal();
        var bench = new Bench(journal: journal);
        Client publisher = bench.Connect("publisher", expirySeconds: 100), kept = bench.Connect("kept", expirySeconds: 100);
        kept.Subscribe("t", QoS.ExactlyOnce);
        for (int i = 0; i < 2; i++)
        {
            Assert.Equal(AckOutcome.Done, publisher.Session.TryBeginExactlyOnce(publisher.Lease, 7, isDup: i > 0, limit: 1, out _));
            journal.FailsNext = i == 0;
            void Publish() => bench.Broker.Publish(
                new Publication { Topic = "t"u8, Payload = "1"u8, QoS = QoS.ExactlyOnce, Retain = true, Publisher = publisher.Session, ReceivedId = 7 },
                bench.Context);
            if (i == 0) Assert.Throws<InvalidTimeZoneException>(Publish);
            else Publish();
        }

        journal.Commit();
        kept.Pump();
        Assert.Equal(["1"], kept.Payloads);
    }

    [Fact]
    public void Faults_are_counted()
    {
        var bench = new Bench(new MqttOptions { SysInterval = TimeSpan.FromSeconds(1) });
        Client watcher = bench.Connect("watcher");
        watcher.Subscribe("$SYS/broker/faults");
        bench.Advance(1);
        bench.Broker.ReportFault(new InvalidTimeZoneException("a bug"), "testing");
        bench.Advance(1);
        Assert.Equal(["0", "1"], watcher.Payloads);
        Assert.Equal(1, bench.Broker.Faults);
    }

    private void AssertIsolated(Client faulty)
    {
        Assert.Equal(ReasonCode.UnspecifiedError, faulty.Link.ClosedWith);
        Assert.False(faulty.Session.IsConnected);
        (Exception exception, string where) = Assert.Single(_bench.Events.Faults);
        Assert.IsType<InvalidTimeZoneException>(exception);
        Assert.Equal("delivering to faulty", where);
        Assert.Equal(1, _bench.Broker.Faults);
    }
}
