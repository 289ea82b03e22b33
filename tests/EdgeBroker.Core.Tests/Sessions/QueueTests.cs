using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Tests.Rig;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Core.Tests.Sessions;

public sealed class QueueTests
{
    [Theory]
    [InlineData(QueueOverflow.DropOldest, "m3 m4 m5", ReasonCode.Success)]
    [InlineData(QueueOverflow.DropNewest, "m1 m2 m3", ReasonCode.Success)]
    [InlineData(QueueOverflow.Reject, "m1 m2 m3", ReasonCode.QuotaExceeded)]
    public void A_full_queue_does_as_configured(QueueOverflow overflow, string kept, ReasonCode told)
    {
        var bench = new Bench(new MqttOptions { MaxQueuedMessages = 3, QueueOverflow = overflow, SysInterval = TimeSpan.Zero });
        Away(bench);
        var reasons = new List<ReasonCode>();
        for (int i = 1; i <= 5; i++) reasons.Add(bench.Publish("a", "m" + i, QoS.AtLeastOnce).Reason);
        Assert.Equal([ReasonCode.Success, ReasonCode.Success, ReasonCode.Success, told, told], reasons);
        Assert.Equal(kept, Fetch(bench));
        Assert.Equal(2, bench.Events.Dropped.Sum(one => one.Count));
        Assert.All(bench.Events.Dropped, one => Assert.Equal(DropReason.QueueFull, one.Reason));
    }

    [Theory]
    [InlineData(QueueOverflow.DropOldest, "m2")]
    [InlineData(QueueOverflow.DropNewest, "m1")]
    public void What_a_full_store_drives_out_or_refuses_is_said_to_be_its_doing(QueueOverflow overflow, string kept)
    {
        var journal = new TestJournal { CommitsAtOnce = true };
        var bench = new Bench(new MqttOptions { QueueOverflow = overflow, SysInterval = TimeSpan.Zero }, journal);
        Away(bench);
        bench.Publish("a", "m1", QoS.AtLeastOnce);
        journal.Condition = JournalCondition.Full;
        bench.Publish("a", "m2", QoS.AtLeastOnce);
        Assert.Equal(("c", DropReason.StoreFull, 1), Assert.Single(bench.Events.Dropped));
        Assert.Equal(kept, Fetch(bench));
    }

    [Fact]
    public void The_limit_counts_bytes_too()
    {
        var bench = new Bench(new MqttOptions { MaxQueuedBytes = 25, SysInterval = TimeSpan.Zero });
        Away(bench);
        foreach (string payload in (string[])["123456789", "abcdefghi", "ABCDEFGHI"]) bench.Publish("a", payload, QoS.AtLeastOnce);
        Assert.Equal("abcdefghi ABCDEFGHI", Fetch(bench));
    }

    [Fact]
    public void A_message_that_no_queue_could_hold_drives_nothing_out()
    {
        var bench = new Bench(new MqttOptions { MaxQueuedBytes = 25, SysInterval = TimeSpan.Zero });
        Away(bench);
        bench.Publish("a", "m1", QoS.AtLeastOnce);
        bench.Publish("a", new string('x', 30), QoS.AtLeastOnce);
        Assert.Equal("m1", Fetch(bench));
        Assert.Equal(1, bench.Events.Dropped.Sum(one => one.Count));
    }

    [Fact]
    public void What_expires_while_it_waits_is_dropped_and_what_has_begun_is_finished()
    {
        var bench = new Bench();
        Client client = bench.Connect("c", expirySeconds: 600, receiveMaximum: 1);
        client.Subscribe("a", QoS.AtLeastOnce);
        bench.Publish("a", "begun", QoS.AtLeastOnce, expirySeconds: 10);
        bench.Publish("a", "waits", QoS.AtLeastOnce, expirySeconds: 10);
        bench.Publish("a", "lasts", QoS.AtLeastOnce, expirySeconds: 100);
        client.Drop();
        bench.Advance(20);
        client = bench.Connect("c", expirySeconds: 600, receiveMaximum: 5);
        client.Pump();
        Assert.Equal([("begun", true, 0u), ("lasts", false, 80u)], client.Sent.Select(packet => (packet.Payload, packet.Dup, packet.ExpirySeconds!.Value)));
        Assert.Equal(("c", DropReason.Expired, 1), Assert.Single(bench.Events.Dropped));
    }

    [Fact]
    public void Messages_for_a_session_without_connection_wait_and_qos_0_does_not()
    {
        var bench = new Bench();
        Away(bench);
        bench.Publish("a", "zero");
        bench.Publish("a", "one", QoS.AtLeastOnce);
        bench.Publish("a", "two", QoS.ExactlyOnce);
        Assert.Equal("one two", Fetch(bench));
    }

    [Fact]
    public void A_message_left_open_while_thousands_are_acknowledged_holds_the_rest_back_and_loses_none()
    {
        var bench = new Bench(new MqttOptions { MaxQueuedMessages = 100_000, SysInterval = TimeSpan.Zero });
        Client client = bench.Connect("c", receiveMaximum: 2);
        client.Subscribe("a", QoS.AtLeastOnce);
        const int count = 40_000;
        for (int i = 0; i < count; i++)
        {
            bench.Publish("a", "m" + i, QoS.AtLeastOnce);
            client.Pump();
            if (client.Sent is [_, .., { Id: > 1 } last]) client.Puback(last.Id);
            client.Pump();
        }

        Assert.InRange(client.Sent.Count, 1_000, count - 1);
        for (int next = 0; next < client.Sent.Count; next++)
        {
            client.Puback(client.Sent[next].Id);
            client.Pump();
        }

        Assert.Equal(Enumerable.Range(0, count).Select(i => "m" + i), client.Payloads);
        Assert.Equal(0, client.Session.PendingMessages);
    }

    private static void Away(Bench bench)
    {
        Client client = bench.Connect("c", expirySeconds: 600);
        client.Subscribe("a", QoS.ExactlyOnce);
        client.Drop();
    }

    private static string Fetch(Bench bench)
    {
        Client client = bench.Connect("c", expirySeconds: 600);
        Assert.True(client.Link.SessionPresent);
        client.Pump();
        return string.Join(' ', client.Payloads);
    }
}
