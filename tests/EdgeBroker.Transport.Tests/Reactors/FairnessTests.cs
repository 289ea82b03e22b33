using System.Net.Sockets;

namespace EdgeBroker.Transport.Tests.Reactors;

/// <summary>Who sends little does not wait for who sends much.</summary>
public sealed class FairnessTests
{
    // Several slices.
    private const int BulkBytes = 96 * 1024;

    [Fact]
    public async Task A_small_request_is_answered_while_others_are_received_from_in_bulk()
    {
        using Crowd crowd = await Crowd.GatherAsync(3);
        Socket small = crowd.Sockets[2];
        var events = new List<string>();
        foreach (int i in (int[])[0, 1])
        {
            crowd.Handlers[i].Received = () =>
            {
                events.Add(small.Available > 0 ? "bulk, behind the answer" : "bulk");
                // The loopback delivers it within the call.
                if (events.Count == 1) small.Send([1]);
            };
        }

        crowd.Handlers[2].Received = () => events.Add("small");
        await crowd.SendInBulkAsync(0, 1);
        Assert.Equal(["bulk", "small", "bulk, behind the answer"], events.Take(3));
    }

    [Fact]
    public async Task Who_sends_in_bulk_is_received_from_in_turn()
    {
        using Crowd crowd = await Crowd.GatherAsync(3);
        var events = new List<int>();
        for (int i = 0; i < 3; i++)
        {
            int number = i;
            crowd.Handlers[i].Received = () => events.Add(number);
        }

        await crowd.SendInBulkAsync(0, 1, 2);
        Assert.Equal([0, 1, 2], events.Take(3).Order());
    }

    [Fact]
    public async Task What_comes_in_bulk_goes_out_together()
    {
        using Crowd crowd = await Crowd.GatherAsync(3);
        var wasSent = new List<bool>();
        foreach (int i in (int[])[0, 1])
        {
            crowd.Handlers[i].Received = () =>
            {
                wasSent.Add(crowd.Sockets[2].Available > 0);
                crowd.Handlers[2].Write([1]);
            };
        }

        await crowd.SendInBulkAsync(0, 1);
        Assert.Equal([false, false, false], wasSent.Take(3));
    }

    /// <summary>Connections to one reactor, each known for sending in bulk or not.</summary>
    private sealed class Crowd : IDisposable
    {
        private readonly ReactorHost _host = new(connection => new Recorder(connection));

        public List<Socket> Sockets { get; } = [];

        public List<Recorder> Handlers { get; } = [];

        public static async Task<Crowd> GatherAsync(int count)
        {
            var crowd = new Crowd();
            for (int i = 0; i < count; i++)
            {
                Socket socket = await crowd._host.ConnectAsync();
                // A send of all must not wait for the reactor, on whose thread it is made.
                socket.SendBufferSize = 4 * BulkBytes;
                crowd.Sockets.Add(socket);
                crowd.Handlers.Add((Recorder)await crowd._host.HandlerAsync(i));
            }

            return crowd;
        }

        /// <summary>Has some connections send in bulk, all at once, and waits until all is echoed.</summary>
        public async Task SendInBulkAsync(params int[] numbers)
        {
            Action?[] received = [.. Handlers.Select(handler => handler.Received)];
            foreach (int i in numbers)
            {
                Handlers[i].Received = null;
                await Sockets[i].SendAsync(new byte[4096]);
                await ReadAsync(Sockets[i], 4096);
            }

            // On the reactor's thread, so that it finds all of it when it looks next.
            _host.First.Post(() =>
            {
                foreach (int i in numbers)
                {
                    Handlers[i].Received = received[i];
                    Sockets[i].Send(new byte[BulkBytes]);
                }
            });
            foreach (int i in numbers) await ReadAsync(Sockets[i], BulkBytes);
        }

        public void Dispose()
        {
            foreach (Socket socket in Sockets) socket.Dispose();
            _host.Dispose();
        }

        private static async Task ReadAsync(Socket socket, int bytes)
        {
            byte[] buffer = new byte[bytes];
            for (int at = 0; at < bytes;)
            {
                int count = await socket.ReceiveAsync(buffer.AsMemory(at));
                Assert.NotEqual(0, count);
                at += count;
            }
        }
    }

    /// <summary>Echoes, behind what a test wants to happen.</summary>
    private sealed class Recorder(TransportConnection connection) : TestHandler(connection)
    {
        public Action? Received { get; set; }

        public override int Receive(ReadOnlySpan<byte> bytes, out int announcedBytes)
        {
            Received?.Invoke();
            return base.Receive(bytes, out announcedBytes);
        }
    }
}
