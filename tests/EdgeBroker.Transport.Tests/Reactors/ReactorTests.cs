using System.Net.Sockets;
using System.Text;
using EdgeBroker.Testing;

namespace EdgeBroker.Transport.Tests.Reactors;

public sealed class ReactorTests
{
    [Fact]
    public async Task A_slow_reader_gets_everything_in_order()
    {
        using var host = new ReactorHost(connection => new TestHandler(connection));
        using Socket socket = await host.ConnectAsync(receiveBufferBytes: 8 * 1024);
        byte[] sent = new byte[6 * 1024 * 1024];
        new Random(1).NextBytes(sent);
        Task sending = Task.Run(async () =>
        {
            for (int at = 0; at < sent.Length;) at += await socket.SendAsync(sent.AsMemory(at));
        });
        byte[] received = new byte[sent.Length];
        for (int at = 0; at < received.Length;)
        {
            int count = await socket.ReceiveAsync(received.AsMemory(at, Math.Min(received.Length - at, at < 100_000 ? 777 : 65_536)));
            Assert.NotEqual(0, count);
            at += count;
        }

        await sending;
        Assert.Equal(sent, received);
        TestHandler handler = await host.HandlerAsync();
        Assert.False(handler.WrongThread);
        await Deadline.Until(() => handler.Connection.Output.First is null, "an empty output");
    }

    [Fact]
    public async Task A_peer_that_never_reads_stalls_nobody_else()
    {
        using var host = new ReactorHost(connection => new TestHandler(connection));
        using Socket hostile = await host.ConnectAsync();
        Task flood = Task.Run(async () =>
        {
            byte[] bytes = new byte[64 * 1024];
            try
            {
                while (true) await hostile.SendAsync(bytes);
            }
            catch (SocketException)
            {
            }
            catch (ObjectDisposedException)
            {
            }
        });
        TestHandler handler = await host.HandlerAsync();
        await Deadline.Until(() => handler.IsPaused && handler.Connection.Output.Length > 0, "an output that stays");
        using Socket other = await host.ConnectAsync();
        for (int i = 0; i < 100; i++) await EchoAsync(other);
        Assert.InRange(handler.Connection.Output.Length, 0, 512 * 1024);
        hostile.Close();
        await flood;
    }

    [Fact]
    public async Task A_reset_and_a_half_close_end_the_connection_once()
    {
        using var host = new ReactorHost(connection => new TestHandler(connection));
        Socket reset = await host.ConnectAsync();
        await EchoAsync(reset);
        reset.LingerState = new LingerOption(true, 0);
        reset.Close();
        using Socket half = await host.ConnectAsync();
        await EchoAsync(half);
        half.Shutdown(SocketShutdown.Send);
        Assert.Equal(0, await half.ReceiveAsync(new byte[10]));
        await Deadline.Until(() => host.Listener.OpenCount == 0, "the end of both");
        Assert.StartsWith("the connection broke", (await host.HandlerAsync(0)).Closed, StringComparison.Ordinal);
        Assert.Equal("the peer closed the connection", (await host.HandlerAsync(1)).Closed);
        Assert.All(host.Handlers, handler => Assert.Equal(1, handler.ClosedCount));
    }

    [Fact]
    public async Task A_thousand_connects_at_once_are_all_served_on_both_reactors()
    {
        using var host = new ReactorHost(connection => new TestHandler(connection), reactors: 2);
        Socket[] sockets = await Task.WhenAll(Enumerable.Range(0, 1_000).Select(_ => host.ConnectAsync()));
        await Task.WhenAll(sockets.Select(EchoAsync));
        Assert.Equal(1_000, host.Listener.OpenCount);
        Assert.Equal([500, 500], host.Handlers.GroupBy(handler => handler.Thread).Select(group => group.Count()));
        foreach (Socket socket in sockets) socket.Dispose();
        await Deadline.Until(() => host.Listener.OpenCount == 0, "the end of all");
        Assert.All(host.Handlers, handler => Assert.False(handler.WrongThread));
    }

    [Fact]
    public async Task What_another_reactor_writes_is_sent_when_its_turn_ends_or_with_what_is_sent_anyhow()
    {
        using var isWritten = new SemaphoreSlim(0);
        using var mayGoOn = new SemaphoreSlim(0);
        using var host = new ReactorHost(connection => new WritingHandler(connection), reactors: 2);
        var sockets = new List<Socket>();
        for (int i = 0; i < 4; i++)
        {
            sockets.Add(await host.ConnectAsync());
            _ = await host.HandlerAsync(i);
        }

        TestHandler[] handlers = [.. host.Handlers];
        int[] ofOther = [.. Enumerable.Range(1, 3).Where(i => handlers[i].Thread != handlers[0].Thread)];
        TestHandler reader = handlers[ofOther[0]];
        Socket readerSocket = sockets[ofOther[0]], beside = sockets[ofOther[1]];
        ((WritingHandler)handlers[0]).Instead = () =>
        {
            reader.Write("a"u8);
            isWritten.Release();
            // Its iteration goes on meanwhile, and so do those of the other reactor.
            Assert.True(mayGoOn.Wait(Deadline.Timeout));
            reader.Write("c"u8);
        };
        await sockets[0].SendAsync("go"u8.ToArray());
        Assert.True(await isWritten.WaitAsync(Deadline.Timeout));
        // With the second answer the iteration that gave the first is over.
        await EchoAsync(beside);
        await EchoAsync(beside);
        Assert.Equal(0, readerSocket.Available);
        await readerSocket.SendAsync("b"u8.ToArray());
        Assert.Equal("ab", await ReceiveAsync(readerSocket, 2));
        mayGoOn.Release();
        Assert.Equal("c", await ReceiveAsync(readerSocket, 1));
        sockets.ForEach(socket => socket.Dispose());
    }

    [Fact]
    public async Task What_waits_for_other_receives_is_seen_to_when_reading_goes_on()
    {
        WaitingHandler? handler = null;
        using var host = new ReactorHost(connection => handler = new WaitingHandler(connection), afterReceives: () => handler?.Answer());
        using Socket socket = await host.ConnectAsync();
        await EchoAsync(socket);
        handler!.Refuses = true;
        await EchoAsync(socket);
    }

    [Fact]
    public async Task Beyond_max_connections_a_peer_is_turned_away_until_one_leaves()
    {
        using var host = new ReactorHost(connection => new TestHandler(connection), maxConnections: 2);
        Socket one = await host.ConnectAsync(), two = await host.ConnectAsync();
        await EchoAsync(one);
        await EchoAsync(two);
        using Socket three = await host.ConnectAsync();
        Assert.Equal(0, await ReceiveOrEnd(three));
        Assert.Single(host.Refused);
        one.Dispose();
        await Deadline.Until(() => host.Listener.OpenCount == 1, "the end of one");
        using Socket four = await host.ConnectAsync();
        await EchoAsync(four);
        two.Dispose();
    }

    [Fact]
    public async Task Close_lets_the_last_bytes_through_even_when_the_peer_is_still_sending()
    {
        using var host = new ReactorHost(connection => new ClosingHandler(connection));
        using Socket socket = await host.ConnectAsync();
        await socket.SendAsync(new byte[100_000]);
        long total = 0;
        byte[] buffer = new byte[65_536];
        while (await socket.ReceiveAsync(buffer) is > 0 and int count) total += count;
        Assert.Equal(ClosingHandler.LastBytes, total);
        socket.Close();
        await Deadline.Until(() => host.Listener.OpenCount == 0, "the end");
        Assert.Equal(1, (await host.HandlerAsync()).ClosedCount);
    }

    [Fact]
    public async Task A_peer_that_does_not_take_the_last_bytes_is_cut()
    {
        using var host = new ReactorHost(connection => new ClosingHandler(connection, 20_000_000));
        using Socket socket = await host.ConnectAsync();
        await socket.SendAsync(new byte[1]);
        await Deadline.Until(() => host.Handlers.Any(handler => handler.ClosedCount == 1), "the end");
        await Deadline.Until(() => host.Listener.OpenCount == 0, "the end");
    }

    [Fact]
    public async Task A_lingering_peer_is_cut_in_time()
    {
        using var host = new ReactorHost(connection => new ClosingHandler(connection));
        using Socket socket = await host.ConnectAsync();
        await socket.SendAsync(new byte[1]);
        // It neither reads nor closes.
        await Deadline.Until(() => host.Listener.OpenCount == 0, "the end");
    }

    [Fact]
    public async Task Deadlines_and_posted_work_run_on_the_connection_s_thread()
    {
        using var host = new ReactorHost(connection => new TestHandler(connection));
        using Socket socket = await host.ConnectAsync();
        TestHandler handler = await host.HandlerAsync();
        var order = new List<int>();
        for (int i = 0; i < 100; i++)
        {
            int number = i;
            handler.Connection.Post(() => order.Add(number));
        }

        handler.Connection.Post(() => handler.Connection.SetDeadline(handler.Connection.NowMs + 50));
        await Deadline.Until(() => handler.Deadlines == 1, "the deadline");
        Assert.Equal(Enumerable.Range(0, 100), order);
        Assert.False(handler.WrongThread);
    }

    [Fact]
    public async Task Ending_the_reactor_ends_its_connections_and_late_wake_ups_do_nothing()
    {
        var host = new ReactorHost(connection => new TestHandler(connection), reactors: 2);
        using Socket one = await host.ConnectAsync(), two = await host.ConnectAsync();
        await EchoAsync(one);
        await EchoAsync(two);
        host.Dispose();
        host.Dispose();
        Assert.All(host.Handlers, handler => Assert.Equal("the broker is stopping", handler.Closed));
        host.First.Post(() => { });
        Assert.Equal(0, await ReceiveOrEnd(one));
    }

    private static async Task EchoAsync(Socket socket)
    {
        byte[] bytes = [1, 2, 3];
        await socket.SendAsync(bytes);
        byte[] back = new byte[3];
        for (int at = 0; at < 3;)
        {
            int count = await socket.ReceiveAsync(back.AsMemory(at));
            Assert.NotEqual(0, count);
            at += count;
        }

        Assert.Equal(bytes, back);
    }

    private static async Task<string> ReceiveAsync(Socket socket, int count)
    {
        byte[] bytes = new byte[count];
        for (int at = 0; at < count;)
        {
            int received = await socket.ReceiveAsync(bytes.AsMemory(at));
            Assert.NotEqual(0, received);
            at += received;
        }

        return Encoding.ASCII.GetString(bytes);
    }

    private static async Task<int> ReceiveOrEnd(Socket socket)
    {
        try
        {
            return await socket.ReceiveAsync(new byte[10]);
        }
        catch (SocketException)
        {
            return 0;
        }
    }

    /// <summary>Answers the first bytes with many, and closes.</summary>
    private sealed class ClosingHandler(TransportConnection connection, int bytes = ClosingHandler.LastBytes) : TestHandler(connection)
    {
        public const int LastBytes = 200_000;

        public override int Receive(ReadOnlySpan<byte> received, out int announcedBytes)
        {
            announcedBytes = 0;
            Write(new byte[bytes], close: true);
            return received.Length;
        }
    }

    /// <summary>Does something else instead of answering, when told to.</summary>
    private sealed class WritingHandler(TransportConnection connection) : TestHandler(connection)
    {
        public volatile Action? Instead;

        public override int Receive(ReadOnlySpan<byte> bytes, out int announcedBytes)
        {
            if (Instead is not { } act) return base.Receive(bytes, out announcedBytes);
            announcedBytes = 0;
            act();
            return bytes.Length;
        }
    }

    /// <summary>
    /// Answers when it is told that everything has been received; refuses what comes once, when told to, and goes on reading in its next turn.
    /// </summary>
    private sealed class WaitingHandler(TransportConnection connection) : TestHandler(connection)
    {
        private byte[] _received = [];
        private bool _hasRefused;

        public volatile bool Refuses;

        public void Answer()
        {
            if (_received.Length > 0) Write(_received);
            _received = [];
        }

        public override int Receive(ReadOnlySpan<byte> bytes, out int announcedBytes)
        {
            announcedBytes = 0;
            if (Refuses && !_hasRefused)
            {
                _hasRefused = true;
                Connection.PauseReading();
                lock (Connection.Output.SyncRoot) Connection.RequestCallback();
                return 0;
            }

            _received = bytes.ToArray();
            return bytes.Length;
        }

        public override void OnCallback()
        {
            if (_hasRefused) Connection.ResumeReading();
        }
    }
}
