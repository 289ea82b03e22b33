using System.Globalization;
using CsCheck;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Tests.Rig;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

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
    public void Asking_for_the_sum_with_every_megabyte_that_is_taken_allocates_nothing()
    {
        var ledger = new MemoryLedger();
        long seen = 0;
        ledger.Grown = () => seen += ledger.TotalBytes;
        ledger.Poll(MemoryKind.Output, () => 7);
        int asked = 0;
        Assert.Equal(0, Allocations.Least(() =>
        {
            for (int i = 0; i < 100; i++, asked++) ledger.NoteGrowth(1 << 20);
        }));
        Assert.Equal(7 * asked, seen);
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
    public void Sessions_are_accounted_until_they_end()
    {
        Client one = _bench.Connect(new string('i', 1_000), expirySeconds: 60);
        Client two = _bench.Connect("two");
        long both = Ledger.Bytes(MemoryKind.Sessions);
        Assert.InRange(both, 2_000, 5_000);
        two.Drop();
        Assert.InRange(Ledger.Bytes(MemoryKind.Sessions), 2_000, both - 200);
        one.Drop();
        Client again = _bench.Connect(one.Session.Id, expirySeconds: 60);
        Assert.InRange(Ledger.Bytes(MemoryKind.Sessions), 2_000, both - 200);
        _bench.Connect(one.Session.Id, cleanStart: true, expirySeconds: 60).Drop();
        Assert.True(again.Session.HasEnded);
        Assert.InRange(Ledger.Bytes(MemoryKind.Sessions), 2_000, both - 200);
        _bench.Advance(61);
        Assert.Equal(0, Ledger.TotalBytes);
    }

    [Fact]
    public void A_will_is_accounted_until_it_is_published_or_discarded()
    {
        Will Large() => Bench.WillOf("will", new string('w', 5_000), delaySeconds: 10);
        Client one = _bench.Connect("one", expirySeconds: 60, will: Large());
        Client two = _bench.Connect("two", will: Large());
        Assert.InRange(Ledger.Bytes(MemoryKind.Wills), 10_000, 11_000);
        two.Disconnect(discardWill: true);
        Assert.InRange(Ledger.Bytes(MemoryKind.Wills), 5_000, 5_500);
        one.Drop();
        // A will of the next connection takes the place of the one that waits.
        one = _bench.Connect("one", expirySeconds: 60, will: Large());
        Assert.InRange(Ledger.Bytes(MemoryKind.Wills), 5_000, 5_500);
        one.Drop();
        _bench.Advance(9);
        Assert.InRange(Ledger.Bytes(MemoryKind.Wills), 5_000, 5_500);
        _bench.Advance(2);
        Assert.Equal(0, Ledger.Bytes(MemoryKind.Wills));
        _bench.Connect("one", expirySeconds: 0, will: Large()).Drop();
        Assert.Equal(0, Ledger.TotalBytes);
    }

    [Theory]
    [InlineData(QueueOverflow.DropOldest, 100)]
    [InlineData(QueueOverflow.KeepLatestPerTopic, 10)]
    public void What_waits_for_sessions_is_accounted_once_for_all_of_them(QueueOverflow overflow, int kept)
    {
        var policy = new QueuePolicy(100, long.MaxValue, MaxAge: null, MaxStoreBytes: null, overflow, KeepsQoS0: false);
        string[] ids = ["a", "b", "c"];
        foreach (string id in ids)
        {
            Client client = _bench.Connect(id, expirySeconds: 60, policy: policy);
            client.Subscribe("#", QoS.AtLeastOnce);
            client.Drop();
        }

        for (int i = 0; i < 200; i++) _bench.Publish("t/" + (i % 10), new string('p', 10_000), QoS.AtLeastOnce);
        Assert.InRange(Ledger.Bytes(MemoryKind.Queues), kept * 10_000, (kept * 10_300) + (3 * 20_000));
        Client back = _bench.Connect("a", expirySeconds: 60, policy: policy);
        back.Pump();
        Assert.Equal(kept, back.Sent.Count);
        foreach (Packet packet in back.Sent) Assert.Equal(AckOutcome.Done, back.Puback(packet.Id));
        Assert.InRange(Ledger.Bytes(MemoryKind.Queues), kept * 10_000, (kept * 10_300) + (3 * 20_000));
        _bench.Advance(61);
        // Still connected: of what was queued for it nothing is left but room for more.
        Assert.InRange(Ledger.Bytes(MemoryKind.Queues), 1, 20_000);
        back.Disconnect(newExpirySeconds: 0);
        Assert.Equal(0, Ledger.TotalBytes);
    }

    [Fact]
    public void What_is_in_flight_is_accounted_until_the_client_has_it()
    {
        Client client = _bench.Connect("c", expirySeconds: 60);
        client.Subscribe("#", QoS.ExactlyOnce);
        for (int i = 0; i < 10; i++) _bench.Publish("t", new string('p', 10_000), i < 5 ? QoS.AtLeastOnce : QoS.ExactlyOnce);
        Assert.InRange(Ledger.Bytes(MemoryKind.Inflight), 100_000, 110_000);
        foreach (Packet packet in client.Sent.Take(5)) client.Puback(packet.Id);
        Assert.InRange(Ledger.Bytes(MemoryKind.Inflight), 50_000, 56_000);
        // From PUBREC on only the identifier is kept.
        foreach (Packet packet in client.Sent.Skip(5).Take(4).ToList()) client.Pubrec(packet.Id);
        Assert.InRange(Ledger.Bytes(MemoryKind.Inflight), 10_000, 15_000);
        client.Pubrec(client.Sent[9].Id, refused: true);
        Assert.InRange(Ledger.Bytes(MemoryKind.Inflight), 1, 5_000);
        client.Disconnect(newExpirySeconds: 0);
        Assert.Equal(0, Ledger.TotalBytes);
    }

    [Fact]
    public void Whatever_clients_do_nothing_is_left_of_it_when_their_sessions_have_ended() => Steps.Of(14, 200).Sample(steps =>
    {
        var bench = new Bench(new MqttOptions { MaxQueuedMessages = 10, SysInterval = TimeSpan.Zero });
        var clients = new Client?[3];
        foreach ((int op, int a, int b) in steps)
        {
            ref Client? client = ref clients[a % 3];
            var policy = new QueuePolicy(10, 5_000, TimeSpan.FromSeconds(20), MaxStoreBytes: null, (QueueOverflow)(b % 5), KeepsQoS0: b % 2 == 0);
            switch (op)
            {
                case 0 or 1:
                    Will? will = b % 3 == 0 ? Bench.WillOf("t/1", new string('w', b), delaySeconds: (uint)(b % 20), qos: QoS.AtLeastOnce) : null;
                    var link = new FakeLink { MaxPacketBytes = b % 4 == 0 ? 500 : int.MaxValue, IsFull = b % 7 == 0 };
                    client = bench.Connect(
                        "c" + (a % 3), cleanStart: b % 5 == 0, expirySeconds: (uint)(b % 2 * 30), receiveMaximum: 1 + (b % 8), will, link,
                        policy: b % 3 == 0 ? null : policy);
                    break;
                case 2: client?.Drop(); break;
                case 3: client?.Disconnect(newExpirySeconds: client.Session.OutlivesConnection ? (uint)(b % 2) : null); break;
                case 4: client?.Subscribe((b % 3) switch { 0 => "#", 1 => "t/" + (b % 5), _ => "$share/g/#" }, (QoS)(b % 3)); break;
                case 5: bench.Advance(b % 25); break;
                case 6 or 7:
                    if (client is not null) client.Link.IsFull = b % 9 == 0;
                    client?.Pump();
                    break;
                case 8 or 9:
                    foreach (Packet packet in client?.Sent.TakeLast(b % 10).ToList() ?? [])
                    {
                        if (packet.Type == PacketType.Pubrel) client!.Pubcomp(packet.Id);
                        else if (packet.QoS == QoS.AtLeastOnce) client!.Puback(packet.Id);
                        else client!.Pubrec(packet.Id, refused: b % 6 == 0);
                    }

                    break;
                default: bench.Publish("t/" + (b % 5), new string('p', 10 * (b % 100)), (QoS)(a % 3), retain: b % 10 == 0); break;
            }
        }

        foreach (Client? client in clients) client?.Drop();
        bench.Advance(60);
        for (int i = 0; i < 5; i++) bench.Publish("t/" + i, "", retain: true);
        MemoryLedger ledger = bench.Broker.Limits.Ledger;
        foreach (MemoryKind kind in Enum.GetValues<MemoryKind>()) Assert.Equal((kind, 0), (kind, ledger.Bytes(kind)));
    });

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
