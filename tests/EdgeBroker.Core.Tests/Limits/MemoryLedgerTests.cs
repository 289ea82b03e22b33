using System.Globalization;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Tests.Rig;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Tests.Limits;

/// <summary>What clients have made grow, in bytes by kind.</summary>
public sealed class MemoryLedgerTests
{
    private readonly Bench _bench = new();

    private MemoryLedger Ledger => _bench.Broker.Limits.Ledger;

    [Fact]
    public async Task Many_threads_account_and_release_without_losing_anything()
    {
        var ledger = new MemoryLedger();
        Task[] tasks = [.. Enumerable.Range(0, 8).Select(i => Task.Run(() =>
        {
            for (int n = 0; n < 10_000; n++)
            {
                ledger.Account(MemoryKind.Queues, i + 1);
                ledger.Account(MemoryKind.Wills, 1);
                ledger.Release(MemoryKind.Wills, 1);
            }
        }))];
        await Task.WhenAll(tasks);
        ledger.Poll(MemoryKind.Output, () => 3);
        ledger.Poll(MemoryKind.Output, () => 4);
        Assert.Equal(10_000 * 36, ledger.Bytes(MemoryKind.Queues));
        Assert.Equal((0, 7), (ledger.Bytes(MemoryKind.Wills), ledger.Bytes(MemoryKind.Output)));
        Assert.Equal((10_000 * 36) + 7, ledger.TotalBytes);
        Assert.True(ledger.HasRoomFor(long.MaxValue / 2));
        ledger.LimitBytes = (10_000 * 36) + 10;
        Assert.True(ledger.HasRoomFor(3));
        Assert.False(ledger.HasRoomFor(4));
    }

    [Fact]
    public void A_message_is_accounted_once_however_many_keep_it()
    {
        var ledger = new MemoryLedger();
        var message = new Message { Topic = new byte[10], Payload = new byte[1_000] };
        message.Hold(ledger, MemoryKind.Retained);
        long once = ledger.TotalBytes;
        Assert.InRange(once, 1_010, 1_500);
        message.Hold(ledger, MemoryKind.Queues);
        message.Release(ledger);
        Assert.Equal((once, 0), (ledger.Bytes(MemoryKind.Retained), ledger.Bytes(MemoryKind.Queues)));
        message.Release(ledger);
        Assert.Equal(0, ledger.TotalBytes);
        message.Hold(ledger, MemoryKind.Queues);
        Assert.Equal(once, ledger.Bytes(MemoryKind.Queues));
    }

    [Fact]
    public void Retained_messages_and_their_topics_are_accounted_until_they_are_gone()
    {
        string[] topics = ["plant/1/a", "plant/1/b", "plant/2/" + new string('x', 500)];
        foreach (string topic in topics) _bench.Publish(topic, new string('p', 1_000), retain: true);
        Assert.InRange(Ledger.Bytes(MemoryKind.Retained), 3_500, 6_000);
        long full = Ledger.Bytes(MemoryKind.Retained);
        foreach (string topic in topics) _bench.Publish(topic, new string('q', 1_000), retain: true);
        Assert.Equal(full, Ledger.Bytes(MemoryKind.Retained));
        foreach (string topic in topics) _bench.Publish(topic, "", retain: true);
        Assert.Equal(0, Ledger.TotalBytes);
    }

    [Fact]
    public void Subscriptions_and_the_tree_of_their_filters_are_accounted_until_they_are_gone()
    {
        Client one = _bench.Connect("one");
        Client two = _bench.Connect("two");
        one.Subscribe("plant/+/press/#");
        long first = Ledger.Bytes(MemoryKind.Filters);
        Assert.InRange(first, 300, 1_500);
        one.Subscribe("plant/+/press/#", QoS.AtLeastOnce);
        Assert.Equal(first, Ledger.Bytes(MemoryKind.Filters));
        two.Subscribe("plant/+/press/#");
        two.Subscribe("$share/g/plant/+/press/#");
        two.Subscribe("a/" + new string('b', 10_000));
        Assert.InRange(Ledger.Bytes(MemoryKind.Filters), first + 10_000, first + 13_000);
        two.Drop();
        Assert.Equal(first, Ledger.Bytes(MemoryKind.Filters));
        one.Drop();
        Assert.Equal(0, Ledger.Bytes(MemoryKind.Filters));
    }

    [Fact]
    public void A_filter_for_which_there_is_no_memory_is_refused()
    {
        Client client = _bench.Connect("c");
        Ledger.LimitBytes = Ledger.TotalBytes + 2_000;
        Assert.Equal(ReasonCode.QuotaExceeded, client.Subscribe(new string('f', 5_000)));
        Assert.Equal(ReasonCode.Success, client.Subscribe("f"));
        Assert.Equal(1, _bench.Broker.Limits.Counters[LimitKind.MaxMemory, LimitAction.Refused]);
    }

    [Theory]
    [InlineData(LocalQueueContent.EveryMessage)]
    [InlineData(LocalQueueContent.LatestOfEachTopic)]
    public void The_queue_of_a_local_client_is_accounted_until_it_is_read_or_closed(LocalQueueContent content)
    {
        using LocalClient client = _bench.Broker.OpenLocal("l", new LocalClientOptions { Content = content });
        client.Subscribe("#", new SubscriptionOptions(QoS.AtLeastOnce));
        for (int i = 0; i < 10; i++) _bench.Publish("t/" + (i % 2), new string('p', 1_000));
        int expected = content == LocalQueueContent.EveryMessage ? 10 : 2;
        Assert.InRange(Ledger.Bytes(MemoryKind.LocalQueues), expected * 1_100, expected * 1_500);
        Assert.True(client.TryRead(out _));
        Assert.InRange(Ledger.Bytes(MemoryKind.LocalQueues), (expected - 1) * 1_100, (expected - 1) * 1_500);
        client.Dispose();
        Assert.Equal((0, 0), (Ledger.Bytes(MemoryKind.LocalQueues), Ledger.Bytes(MemoryKind.Filters)));
    }

    [Fact]
    public void Each_kind_is_told_under_SYS()
    {
        var bench = new Bench(new MqttOptions { SysInterval = TimeSpan.FromSeconds(10) });
        bench.Broker.Limits.Ledger.Poll(MemoryKind.Output, () => 77);
        bench.Advance(1);
        Client client = bench.Connect("reader");
        client.Subscribe("$SYS/broker/memory/#");
        client.Pump();
        Assert.Equal(Enum.GetValues<MemoryKind>().Length, client.Sent.Count);
        Assert.Contains(("$SYS/broker/memory/output", "77"), client.Sent.Select(packet => (packet.Topic, packet.Payload)));
        Assert.All(client.Payloads, payload => Assert.True(long.Parse(payload, CultureInfo.InvariantCulture) >= 0));
    }
}
