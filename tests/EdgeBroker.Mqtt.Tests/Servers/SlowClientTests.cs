using System.Net.Sockets;
using EdgeBroker.Mqtt.Tests.Rig;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Mqtt.Tests.Servers;

public sealed class SlowClientTests
{
    [Fact]
    public async Task A_connection_that_does_not_complete_its_connect_is_closed()
    {
        var time = new FakeTimeProvider();
        using var server = new Server(TestBrokerOptions.Quiet with { ConnectTimeout = TimeSpan.FromSeconds(10) }, reactors: 1, time: time);
        using Peer canary = await Peer.ConnectAsync(server, "canary"), silent = await Peer.OpenAsync(server), slow = await Peer.OpenAsync(server);
        // The canary's answer tells that the reactor has seen what was sent before, and the time.
        await canary.PingAsync();
        foreach (byte one in slow.Packets.Connect("slow")[..9])
        {
            await slow.SendAsync(new[] { one });
            time.Advance(TimeSpan.FromSeconds(1));
            await canary.PingAsync();
        }

        // Bytes that come one by one give no more time than none.
        Assert.Equal(0, server.Events.Refused);
        time.Advance(TimeSpan.FromSeconds(2));
        await canary.PingAsync();
        await silent.EndAsync();
        await slow.EndAsync();
        Assert.Equal(2, server.Events.Refused);
        Assert.Equal(1, server.Broker.SessionCount);
    }

    [Fact]
    public async Task A_packet_begun_and_not_completed_ends_the_connection()
    {
        var time = new FakeTimeProvider();
        using var server = new Server(reactors: 1, time: time);
        using Peer slow = await Peer.ConnectAsync(server, "slow"), canary = await Peer.ConnectAsync(server, "canary");
        // The answer to the ping tells that the part behind it, which came with it, has been seen as well.
        await slow.SendAsync((byte[])[.. Packets.Pingreq(), .. slow.Packets.Publish("a", new byte[1_000])[..500]]);
        await slow.ExpectAsync(PacketType.Pingresp);
        time.Advance(TimeSpan.FromSeconds(29));
        await canary.PingAsync();
        Assert.Equal(2, server.Broker.ConnectedCount);
        time.Advance(TimeSpan.FromSeconds(3));
        await canary.PingAsync();
        Assert.Equal(ReasonCode.ProtocolError, (await slow.ExpectAsync(PacketType.Disconnect)).Reason);
        await slow.EndAsync();
        Assert.Equal(1, server.Broker.ConnectedCount);
    }

    [Fact]
    public async Task Keep_alive_ends_a_silent_connection_and_not_a_living_one()
    {
        var time = new FakeTimeProvider();
        using var server = new Server(reactors: 1, time: time);
        using Peer canary = await Peer.ConnectAsync(server, "canary"), silent = await Peer.OpenAsync(server), living = await Peer.OpenAsync(server);
        await silent.SendAsync(silent.Packets.Connect("silent", keepAliveSeconds: 10));
        await living.SendAsync(living.Packets.Connect("living", keepAliveSeconds: 10));
        await silent.ExpectAsync(PacketType.Connack);
        await living.ExpectAsync(PacketType.Connack);
        for (int i = 0; i < 4; i++)
        {
            time.Advance(TimeSpan.FromSeconds(4));
            await living.PingAsync();
            await canary.PingAsync();
        }

        Assert.Equal(ReasonCode.KeepAliveTimeout, (await silent.ExpectAsync(PacketType.Disconnect)).Reason);
        await living.PingAsync();
    }

    [Fact]
    public async Task A_subscriber_that_never_reads_costs_nobody_else_anything()
    {
        const int messages = 20_000, batch = 200;
        using var server = new Server(TestBrokerOptions.Quiet with { MaxOutboundBytes = 512 * 1024 });
        using Peer stuck = await Peer.ConnectAsync(server, "stuck", receiveBufferBytes: 4_096), fast = await Peer.ConnectAsync(server, "fast");
        using Peer publisher = await Peer.ConnectAsync(server, "publisher");
        await stuck.SubscribeAsync("a", 0);
        await fast.SubscribeAsync("a", 0);
        byte[] packet = publisher.Packets.Publish("a", new byte[1_000]);
        byte[] packets = [.. Enumerable.Repeat(packet, batch).SelectMany(one => one)];
        for (int sent = 0; sent < messages; sent += batch)
        {
            await publisher.SendAsync(packets);
            for (int i = 0; i < batch; i++) await fast.ExpectAsync(PacketType.Publish);
        }

        await publisher.PingAsync();
        Assert.InRange(server.Events.SlowDrops, 1, messages);
        Assert.Equal(server.Events.SlowDrops, server.Broker.CountTraffic().PublishesDropped);
    }

    [Fact]
    public async Task A_flood_of_pings_by_one_who_does_not_read_is_held_back_and_answered_when_he_does()
    {
        using var server = new Server(TestBrokerOptions.Quiet with { MaxOutboundBytes = 256 * 1024 }, reactors: 1);
        using Peer flooder = await Peer.ConnectAsync(server, "flooder", receiveBufferBytes: 4_096), canary = await Peer.ConnectAsync(server, "canary");
        long before = Server.LiveBytes();
        byte[] pings = new byte[64 * 1024];
        for (int i = 0; i < pings.Length; i += 2) pings[i] = 0xC0;
        flooder.Socket.Blocking = false;
        long sent = 0;
        int refusals = 0;
        while (refusals < 40)
        {
            try
            {
                // Whole packets only: an odd byte would be half a PINGREQ.
                sent += flooder.Socket.Send(pings.AsSpan((int)(sent % 2), 64 * 1024 - 2));
                refusals = 0;
            }
            catch (SocketException exception) when (exception.SocketErrorCode == SocketError.WouldBlock)
            {
                // Between two refusals the reactor has had its chance to read, and has not taken it.
                refusals++;
                await canary.PingAsync();
            }
        }

        Assert.InRange(Server.LiveBytes() - before, long.MinValue, 4 * 1024 * 1024);
        flooder.Socket.Blocking = true;
        Task last = sent % 2 == 1 ? flooder.SendAsync(new byte[] { 0 }) : Task.CompletedTask;
        long answered = 0;
        byte[] buffer = new byte[256 * 1024];
        while (answered < (sent + 1) / 2 * 2)
        {
            answered += await flooder.ReadAsync(buffer) is > 0 and int count ? count : throw new InvalidOperationException("closed");
        }

        await last;
        await flooder.PingAsync();
    }

    [Fact]
    public async Task Announcing_large_packets_costs_no_memory()
    {
        using var server = new Server(TestBrokerOptions.Quiet with { MaxPacketSizeBytes = 268_435_460 });
        var peers = new List<Peer>();
        for (int i = 0; i < 30; i++) peers.Add(await Peer.ConnectAsync(server, "p" + i));
        long before = Server.LiveBytes(), resident = Environment.WorkingSet;
        foreach (Peer peer in peers) await peer.SendAsync(new byte[] { 0x30, 0xFF, 0xFF, 0xFF, 0x7F, 0, 1, (byte)'a', 0, 1, 2, 3 });
        using Peer canary = await Peer.ConnectAsync(server, "canary"), other = await Peer.ConnectAsync(server, "other");
        await canary.PingAsync();
        await other.PingAsync();
        Assert.InRange(Server.LiveBytes() - before, long.MinValue, 2 * 1024 * 1024);
        Assert.InRange(Environment.WorkingSet - resident, long.MinValue, 30 * 1024 * 1024);
        peers.ForEach(peer => peer.Dispose());
    }

    [Fact]
    public async Task A_hundred_thousand_retained_messages_to_a_slow_reader_stay_where_they_are()
    {
        const int count = 100_000;
        using var server = new Server();
        Core.Routing.RoutingContext context = server.Broker.CreateContext();
        byte[] payload = new byte[100];
        for (int i = 0; i < count; i++)
        {
            server.Broker.Publish(
                new Core.Messages.Publication { Topic = System.Text.Encoding.UTF8.GetBytes($"site/{i / 100}/{i}"), Payload = payload, Retain = true }, context);
        }

        using Peer slow = await Peer.ConnectAsync(server, "slow", receiveBufferBytes: 4_096), canary = await Peer.ConnectAsync(server, "canary");
        long before = Server.LiveBytes();
        await slow.SubscribeAsync("#", 0);
        for (int i = 0; i < 20; i++) await canary.PingAsync();
        Assert.InRange(Server.LiveBytes() - before, long.MinValue, 3 * 1024 * 1024);
        var topics = new HashSet<string>();
        int read = 0;
        Task reading = Task.Run(async () =>
        {
            while (topics.Count < count)
            {
                Assert.True(topics.Add((await slow.ExpectAsync(PacketType.Publish)).Topic));
                Volatile.Write(ref read, topics.Count);
            }
        });
        // Not in seconds, of which a busy machine may take any number: how much the server did for the slow reader while the canary waited.
        var meanwhile = new List<int>();
        while (!reading.IsCompleted)
        {
            int readBefore = Volatile.Read(ref read);
            await canary.PingAsync();
            meanwhile.Add(Volatile.Read(ref read) - readBefore);
        }

        await reading;
        meanwhile.Sort();
        Assert.InRange(meanwhile[meanwhile.Count * 9 / 10], 0, count / 50);
        Assert.Equal(0, server.Events.SlowDrops);
    }
}
