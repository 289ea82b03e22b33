using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Retained;
using EdgeBroker.Core.Tests.Rig;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Tests.Retained;

public sealed class RetainedMessagesTests
{
    [Theory]
    [InlineData("sensor/")]
    [InlineData("$app/")]
    public void Expired_values_are_swept_a_part_at_a_time(string prefix)
    {
        var bench = new Bench();
        for (int i = 0; i < 3_000; i++) bench.Publish(prefix + i, "v", retain: true, expirySeconds: i % 3 == 0 ? null : 10u);
        Assert.Equal(3_000, bench.Broker.Retained.Count);
        bench.Advance(9);
        Assert.Equal(3_000, bench.Broker.Retained.Count);
        bench.Advance(2);
        for (int i = 0; i < 10; i++) bench.Broker.RunDue();
        Assert.Equal(1_000, bench.Broker.Retained.Count);
    }

    [Fact]
    public void An_expired_value_is_not_sent_and_a_living_one_has_its_remaining_time()
    {
        var bench = new Bench();
        bench.Publish("short", "v", retain: true, expirySeconds: 5);
        bench.Publish("long", "v", retain: true, expirySeconds: 60);
        bench.Time.Advance(TimeSpan.FromSeconds(20.5));
        Client client = bench.Connect("c");
        client.Subscribe("+");
        client.Pump();
        Assert.Equal(("long", 40u), Assert.Single(client.Sent.Select(packet => (packet.Topic, packet.ExpirySeconds!.Value))));
    }

    [Fact]
    public void An_empty_payload_removes_the_value_and_every_level_that_leaves_empty()
    {
        var retained = new RetainedMessages(VolatileJournal.Instance, new MemoryLedger());
        retained.Set(new Publication { Topic = "a/b/c"u8, Payload = "v"u8 }, 0, out _);
        retained.Set(new Publication { Topic = "a"u8, Payload = "v"u8 }, 0, out _);
        retained.Set(new Publication { Topic = "a/b/c"u8 }, 0, out _);
        retained.Set(new Publication { Topic = "never/was"u8 }, 0, out _);
        Assert.Equal((1, 2L), (retained.Count, retained.SizeBytes));
        retained.Set(new Publication { Topic = "a"u8 }, 0, out _);
        Assert.Equal((0, 0L), (retained.Count, retained.SizeBytes));
    }

    [Fact]
    public void An_empty_retained_publish_reaches_subscribers_as_an_ordinary_message()
    {
        var bench = new Bench();
        bench.Publish("a", "v", retain: true);
        Client client = bench.Connect("c");
        client.Subscribe("a", handling: RetainHandling.DoNotSend);
        bench.Publish("a", "", retain: true);
        Packet packet = Assert.Single(client.Sent);
        Assert.Equal(("", false), (packet.Payload, packet.Retain));
        Assert.Equal(0, bench.Broker.Retained.Count);
    }

    [Fact]
    public void A_value_set_while_somebody_subscribes_reaches_him()
    {
        var bench = new Bench();
        bench.Publish("other", "v", retain: true);
        Client client = bench.Connect("c");
        var publisher = new Thread(() => bench.Publish("t", "v", retain: true));
        lock (bench.Broker.Retained.SyncRoot)
        {
            publisher.Start();
            // It waits for the lock to set the value, whatever else it has done before.
            SpinWait.SpinUntil(() => publisher.ThreadState.HasFlag(ThreadState.WaitSleepJoin));
            client.Subscribe("t");
        }

        publisher.Join();
        client.Pump();
        Assert.Contains("v", client.Payloads);
    }
}
