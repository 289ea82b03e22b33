using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using EdgeBroker.Mqtt.Tests.Rig;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;
using EdgeBroker.Transport.Buffers;

namespace EdgeBroker.Mqtt.Tests.Servers;

/// <summary>Broken traffic from many sides, seeded; seconds by default, longer by EDGEBROKER_SOAK_SECONDS.</summary>
public sealed class MutatedTrafficTests
{
    private const int Workers = 6;
    private const long MostGrownBytes = 4 * 1024 * 1024;

    private static readonly TimeSpan Length = TimeSpan.FromSeconds(
        int.TryParse(Environment.GetEnvironmentVariable("EDGEBROKER_SOAK_SECONDS"), CultureInfo.InvariantCulture, out int seconds) ? seconds : 3);

    private static readonly TimeSpan Round = TimeSpan.FromSeconds(Math.Min(Length.TotalSeconds, 30));

    [Fact]
    public async Task Random_and_mutated_packets_disturb_neither_a_canary_nor_the_memory()
    {
        using var server =
            new Server(TestBrokerOptions.Quiet with { MaxOutboundBytes = 128 * 1024, MaxQueuedMessages = 200, MaxSessionExpiry = TimeSpan.FromSeconds(1) });
        // Until what is kept for each thread, and tables, are as large as this traffic makes them.
        await RunAsync(server, Round);
        await Deadline.Until(() => server.Broker.SessionCount == 0, "the end of all sessions");
        Clear(server);
        long before = LiveBytes();
        long begin = Stopwatch.GetTimestamp();
        do
        {
            await RunAsync(server, Round);
            // Not in one stroke: a session leaves the table before its subscriptions leave the tree.
            await Deadline.Until(
                () => (server.Broker.SessionCount, server.Broker.ConnectedCount, server.Broker.Subscriptions.Count) == (0, 0, 0), "the end of all sessions");
            Clear(server);
            // No filter reaches what a mutation has put under a topic that begins with $.
            Assert.InRange(server.Broker.Retained.Count, 0, 20);
            long grown = LiveBytes() - before;
            Note(Stopwatch.GetElapsedTime(begin), grown);
            Assert.InRange(grown, long.MinValue, MostGrownBytes);
        }
        while (Stopwatch.GetElapsedTime(begin) < Length);
    }

    // Chunks that lie unused go by and by; how many there are says how much was under way at once, and not what is lost.
    private static long LiveBytes()
    {
        for (int i = 0; i < 32; i++) ChunkPool.Trim();
        SharedArrays.Clear();
        return Server.LiveBytes();
    }

    // Whoever wants to know how memory goes over the time names a file.
    private static void Note(TimeSpan elapsed, long grown)
    {
        if (Environment.GetEnvironmentVariable("EDGEBROKER_SOAK_NOTES") is not { Length: > 0 } file) return;
        File.AppendAllText(file, string.Create(CultureInfo.InvariantCulture, $"{elapsed.TotalSeconds,6:0} s {grown / 1024,8} KB more\n"));
    }

    private static async Task RunAsync(Server server, TimeSpan length)
    {
        using var over = new CancellationTokenSource(length);
        Task canary = CanaryAsync(server, over.Token);
        Task[] workers = [.. Enumerable.Range(0, Workers).Select(seed => Task.Run(() => DisturbAsync(server, new Random(seed), over.Token)))];
        await Task.WhenAll(workers);
        await canary;
    }

    /// <summary>Removes what the disturbers retained.</summary>
    private static void Clear(Server server)
    {
        Core.Routing.RoutingContext context = server.Broker.CreateContext();
        Core.Retained.RetainedWalk walk = server.Broker.Retained.Walk("#"u8)!;
        while (!walk.IsDone)
        {
            if (walk.TryTake(out Core.Messages.Message? message))
            {
                server.Broker.Publish(new Core.Messages.Publication { Topic = message.Topic, Retain = true }, context);
            }
        }
    }

    private static async Task CanaryAsync(Server server, CancellationToken over)
    {
        using Peer canary = await Peer.ConnectAsync(server, "the canary");
        await canary.SubscribeAsync("only/the/canary", 1);
        for (int i = 1; !over.IsCancellationRequested; i++)
        {
            int id = (i % 60_000) + 1;
            await canary.SendAsync(canary.Packets.Publish("only/the/canary", "message " + i, 1, id));
            bool acknowledged = false, received = false;
            while (!acknowledged || !received)
            {
                ReceivedPacket? packet = await canary.ReceiveAsync();
                Assert.NotNull(packet);
                if (packet.Type == PacketType.Puback)
                {
                    Assert.Equal((id, ReasonCode.Success), (packet.PacketId, packet.Reason));
                    acknowledged = true;
                }
                else
                {
                    Assert.Equal((PacketType.Publish, "message " + i, false), (packet.Type, packet.PayloadText, packet.Dup));
                    await canary.SendAsync(canary.Packets.Puback(packet.PacketId));
                    received = true;
                }
            }
        }

        await canary.SendAsync(canary.Packets.Disconnect());
        await canary.EndAsync();
    }

    private static async Task DisturbAsync(Server server, Random random, CancellationToken over)
    {
        while (!over.IsCancellationRequested)
        {
            using Peer peer = await Peer.OpenAsync(server, random.Next(2) == 0 ? ProtocolVersion.V5 : ProtocolVersion.V311);
            try
            {
                await TalkAsync(peer, random, over);
            }
            catch (SocketException)
            {
                // Thrown out, as it deserves.
            }
            catch (OperationCanceledException) when (over.IsCancellationRequested)
            {
                // The time is up.
            }

            // Some go with a reset, some in silence.
            if (random.Next(2) == 0) peer.Socket.LingerState = new LingerOption(true, 0);
        }
    }

    private static async Task TalkAsync(Peer peer, Random random, CancellationToken over)
    {
        byte[] buffer = new byte[4_096];
        await SendAsync(peer, random, Traffic.Connect(peer.Packets, random), mutate: random.Next(8) == 0);
        for (int i = random.Next(1, 60); i > 0 && !over.IsCancellationRequested; i--)
        {
            await SendAsync(peer, random, Traffic.Packet(peer.Packets, random), mutate: random.Next(12) == 0);
            if (random.Next(4) == 0 && peer.Socket.Available > 0) await peer.Socket.ReceiveAsync(buffer, over);
        }
    }

    private static async Task SendAsync(Peer peer, Random random, byte[] packet, bool mutate)
    {
        if (mutate) packet = Traffic.Mutate(packet, random);
        int cut = random.Next(3) == 0 ? random.Next(packet.Length + 1) : packet.Length;
        await peer.SendAsync(packet.AsMemory(0, cut));
        if (cut < packet.Length && random.Next(4) > 0) await peer.SendAsync(packet.AsMemory(cut));
    }
}
