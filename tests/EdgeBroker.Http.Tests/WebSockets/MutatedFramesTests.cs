using System.Net.Sockets;
using EdgeBroker.Http.Tests.Rig;
using EdgeBroker.Testing;
using EdgeBroker.Transport.Listeners;

namespace EdgeBroker.Http.Tests.WebSockets;

/// <summary>Broken frames and broken requests, seeded: whoever sends them harms nobody else, and leaves nothing behind.</summary>
public sealed class MutatedFramesTests : IAsyncDisposable
{
    private const int Workers = 4;
    private const int RoundsEach = 60;

    private static readonly byte[] Upgrade =
        ("GET /mqtt HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"u8
            + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n"u8).ToArray();

    private readonly WebHost _host = new();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task They_disturb_neither_a_canary_nor_the_next_client()
    {
        int port = await _host.StartAsync(ListenerProtocol.Ws);
        var canary = new RawWebSocket(await _host.TcpAsync(port));
        await canary.UpgradeAsync();
        await canary.SendAsync(RawWebSocket.Binary, Packets.V5.Connect("canary"));
        Assert.Equal(0x20, (await canary.ReceiveAsync())!.Value.Payload[0]);
        Task[] workers = [.. Enumerable.Range(0, Workers).Select(seed => Task.Run(() => DisturbAsync(port, new Random(seed))))];
        Task all = Task.WhenAll(workers);
        do
        {
            await canary.SendAsync(RawWebSocket.Binary, Packets.Pingreq());
            await canary.ExpectAsync(Packets.Pingresp());
        }
        while (!all.IsCompleted);
        await all;
        // Some did get as far as MQTT, so it is its frames that were broken.
        Assert.Contains(_host.Asked, asked => asked.ClientId == "m");
        await Deadline.Until(() => _host.Broker.ConnectedCount == 1, "all but the canary to be gone");
        await canary.SendAsync(RawWebSocket.Binary, Packets.Pingreq());
        await canary.ExpectAsync(Packets.Pingresp());
    }

    private static async Task DisturbAsync(int port, Random random)
    {
        for (int round = 0; round < RoundsEach; round++)
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync("127.0.0.1", port);
            bool isUpgraded = random.Next(6) > 0;
            byte[] connect = RawWebSocket.Frame(RawWebSocket.Binary, Packets.V5.Connect("m"));
            byte[] frames = Frames(random);
            bool isConnected = isUpgraded && random.Next(2) == 0;
            try
            {
                await SendAsync(socket, isUpgraded ? Upgrade : Mutate(Upgrade, random), random);
                // A client waits for each of these two answers; who does not is one of those that break the rules.
                if (isUpgraded) await socket.ReceiveAsync(new byte[1024]).WaitAsync(Deadline.Timeout);
                if (isConnected)
                {
                    await SendAsync(socket, connect, random);
                    await socket.ReceiveAsync(new byte[1024]).WaitAsync(Deadline.Timeout);
                }

                await SendAsync(socket, Mutate(isConnected ? frames : [.. connect, .. frames], random), random);
                // Some go with a reset; the others say that no more comes, and see the broker end it too.
                if (random.Next(3) == 0)
                {
                    socket.LingerState = new LingerOption(true, 0);
                    continue;
                }

                socket.Shutdown(SocketShutdown.Send);
                while (await socket.ReceiveAsync(new byte[256]).WaitAsync(Deadline.Timeout) > 0)
                {
                }
            }
            catch (SocketException)
            {
                // Thrown out, as it deserves.
            }
        }
    }

    private static async Task SendAsync(Socket socket, byte[] bytes, Random random)
    {
        int sent = 0;
        while (sent < bytes.Length)
        {
            sent += await socket.SendAsync(bytes.AsMemory(sent, Math.Min(bytes.Length - sent, random.Next(1, 400)))).AsTask().WaitAsync(Deadline.Timeout);
        }
    }

    private static byte[] Frames(Random random)
    {
        var frames = new List<byte>();
        for (int count = random.Next(1, 5); count > 0; count--)
        {
            byte[] payload = random.Next(3) switch
            {
                0 => Packets.V5.Publish("t", new string('x', random.Next(300)), qos: 1, packetId: 1 + random.Next(60_000)),
                1 => Packets.Pingreq(),
                _ => [.. Enumerable.Range(0, random.Next(130)).Select(_ => (byte)random.Next(256))],
            };
            frames.AddRange(
                RawWebSocket.Frame(
                    random.Next(4) == 0 ? random.Next(16) : RawWebSocket.Binary, payload, final: random.Next(5) > 0, masked: random.Next(12) > 0));
        }

        return [.. frames];
    }

    private static byte[] Mutate(byte[] good, Random random)
    {
        List<byte> bytes = [.. good];
        for (int changes = random.Next(1, 4); changes > 0 && bytes.Count > 1; changes--)
        {
            int at = random.Next(bytes.Count);
            switch (random.Next(4))
            {
                case 0: bytes[at] = (byte)random.Next(256); break;
                case 1: bytes.RemoveAt(at); break;
                case 2: bytes.Insert(at, (byte)random.Next(256)); break;
                default: bytes[at] ^= (byte)(1 << random.Next(8)); break;
            }
        }

        return [.. bytes];
    }
}
