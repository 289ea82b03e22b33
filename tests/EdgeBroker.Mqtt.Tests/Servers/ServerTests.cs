using System.Globalization;
using EdgeBroker.Mqtt.Tests.Rig;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Mqtt.Tests.Servers;

public sealed class ServerTests
{
    [Fact]
    public async Task Stopping_says_goodbye()
    {
        using var server = new Server();
        Peer[] v5 = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Peer.ConnectAsync(server, "v5-" + i)));
        using Peer v311 = await Peer.ConnectAsync(server, "v311", ProtocolVersion.V311), unnamed = await Peer.OpenAsync(server);
        Task stopping = server.StopAsync();
        foreach (Peer peer in v5)
        {
            Assert.Equal(ReasonCode.ServerShuttingDown, (await peer.ExpectAsync(PacketType.Disconnect)).Reason);
            Assert.Null(await peer.ReceiveAsync());
            peer.Dispose();
        }

        Assert.Null(await v311.ReceiveAsync());
        await unnamed.EndAsync();
        v311.Dispose();
        unnamed.Dispose();
        await stopping;
        Assert.Equal(0, server.Broker.ConnectedCount);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Messages_between_reactors_come_complete_and_in_order(int qos)
    {
        const int messages = 5_000, publishers = 2, subscribers = 4;
        using var server = new Server(TestBrokerOptions.Quiet with { MaxQueuedMessages = 100_000 });
        // Dealt out in turn, so both kinds are on both reactors.
        Peer[] readers = new Peer[subscribers];
        for (int i = 0; i < subscribers; i++)
        {
            readers[i] = await Peer.ConnectAsync(server, "s" + i);
            await readers[i].SubscribeAsync("t/+", qos);
        }

        Peer[] writers = new Peer[publishers];
        for (int i = 0; i < publishers; i++) writers[i] = await Peer.ConnectAsync(server, "p" + i);
        Task[] reading = [.. readers.Select(reader => Task.Run(() => ReadInOrderAsync(reader, publishers, messages, qos)))];
        await Task.WhenAll(writers.Select((writer, number) => Task.Run(() => WriteAsync(writer, number, messages, qos))));
        await Task.WhenAll(reading);
        foreach (Peer peer in readers.Concat(writers)) peer.Dispose();
    }

    [Fact]
    public async Task A_storm_of_takeovers_between_reactors_leaves_exactly_one()
    {
        const int threads = 4, each = 250;
        using var server = new Server();
        var all = new System.Collections.Concurrent.ConcurrentQueue<Peer>();
        await Task.WhenAll(Enumerable.Range(0, threads).Select(thread => Task.Run(async () =>
        {
            for (int i = 0; i < each; i++)
            {
                Peer peer = await Peer.OpenAsync(server);
                all.Enqueue(peer);
                await peer.SendAsync((byte[])
                [
                    .. peer.Packets.Connect("one", cleanStart: i % 3 == 0, properties: Prop.SessionExpiry(60)),
                    .. peer.Packets.Subscribe(1, "a/" + (i % 5), 1),
                    .. peer.Packets.Publish("a/" + (i % 5), "x", 1, 1),
                ]);
                await peer.ExpectAsync(PacketType.Connack);
            }
        })));
        await Deadline.Until(() => server.Broker.ConnectedCount == 1, "exactly one");
        int ended = 0;
        Peer? survivor = null;
        foreach (Peer peer in all)
        {
            await peer.SendAsync(Packets.Pingreq()).ContinueWith(_ => { }, TaskScheduler.Default);
            ReceivedPacket? packet;
            do
            {
                packet = await peer.ReceiveAsync();
            }
            while (packet is not null && packet.Type != PacketType.Pingresp);

            if (packet is null) ended++;
            else survivor = peer;
        }

        Assert.Equal((threads * each) - 1, ended);
        // Whose end a client has seen may still be leaving the tables.
        await Deadline.Until(
            () => server.Broker.SessionCount == 1 && server.Broker.FindSession("one")!.SubscriptionCount == server.Broker.Subscriptions.Count,
            "one session and its subscriptions");
        await survivor!.SendAsync(survivor.Packets.Disconnect(properties: Prop.SessionExpiry(0)));
        await survivor.EndAsync();
        await Deadline.Until(
            () => (server.Broker.SessionCount, server.Broker.ConnectedCount, server.Broker.Subscriptions.Count) == (0, 0, 0), "the end of the session");
        foreach (Peer peer in all) peer.Dispose();
    }

    [Fact]
    public async Task A_thousand_connects_do_not_hold_up_a_canary()
    {
        using var server = new Server();
        using Peer canary = await Peer.ConnectAsync(server, "canary");
        await canary.SubscribeAsync("canary", 1);
        int connects = 0;
        Task storm = Task.WhenAll(Enumerable.Range(0, 8).Select(worker => Task.Run(async () =>
        {
            for (int i = 0; i < 125; i++)
            {
                using Peer peer = await Peer.ConnectAsync(
                    server, string.Create(CultureInfo.InvariantCulture, $"c{worker}-{i}"), i % 2 == 0 ? ProtocolVersion.V5 : ProtocolVersion.V311);
                Interlocked.Increment(ref connects);
                if (i % 2 == 0) await peer.SendAsync(peer.Packets.Disconnect());
            }
        })));
        // Not in seconds, of which a busy machine may take any number: how many connects the server did for others while the canary waited.
        var meanwhile = new List<int>();
        for (int i = 1; !storm.IsCompleted; i++)
        {
            int before = Volatile.Read(ref connects);
            await canary.SendAsync(canary.Packets.Publish("canary", "x", 1, (i % 1_000) + 1));
            for (int expected = 2; expected > 0; expected--)
            {
                ReceivedPacket packet = (await canary.ReceiveAsync())!;
                if (packet.Type == PacketType.Publish) await canary.SendAsync(canary.Packets.Puback(packet.PacketId));
            }

            meanwhile.Add(Volatile.Read(ref connects) - before);
        }

        await storm;
        Assert.Equal(1_000, connects);
        meanwhile.Sort();
        Assert.InRange(meanwhile[meanwhile.Count * 9 / 10], 0, 50);
        await Deadline.Until(() => server.Broker.SessionCount == 1, "the end of the others");
    }

    private static async Task WriteAsync(Peer writer, int number, int messages, int qos)
    {
        // Bounded steps, so that QoS 0 stays within the readers' output.
        for (int at = 0; at < messages; at += 50)
        {
            byte[][] packets =
            [
                .. Enumerable.Range(at, 50).Select(i => writer.Packets.Publish("t/" + number, i.ToString(CultureInfo.InvariantCulture), qos, (i % 60_000) + 1)),
            ];
            await writer.SendAsync(packets.SelectMany(one => one).ToArray());
            for (int acks = qos == 0 ? 0 : 50; acks > 0; acks--)
            {
                ReceivedPacket ack = (await writer.ReceiveAsync())!;
                if (ack.Type != PacketType.Pubrec) continue;
                await writer.SendAsync(writer.Packets.Pubrel(ack.PacketId));
                acks++;
            }

            if (qos == 0) await writer.PingAsync();
        }
    }

    private static async Task ReadInOrderAsync(Peer reader, int publishers, int messages, int qos)
    {
        int[] next = new int[publishers];
        while (next.Sum() < publishers * messages)
        {
            ReceivedPacket packet = (await reader.ReceiveAsync())!;
            if (packet.Type == PacketType.Pubrel) await reader.SendAsync(reader.Packets.Pubcomp(packet.PacketId));
            if (packet.Type != PacketType.Publish) continue;
            int number = packet.Topic[2] - '0';
            Assert.Equal(next[number]++.ToString(CultureInfo.InvariantCulture), packet.PayloadText);
            Assert.False(packet.Dup);
            if (qos == 1) await reader.SendAsync(reader.Packets.Puback(packet.PacketId));
            if (qos == 2) await reader.SendAsync(reader.Packets.Pubrec(packet.PacketId));
        }
    }
}
