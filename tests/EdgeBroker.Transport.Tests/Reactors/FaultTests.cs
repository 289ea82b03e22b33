using System.Net.Sockets;
using EdgeBroker.Testing;

namespace EdgeBroker.Transport.Tests.Reactors;

/// <summary>Handlers with bugs: each costs its own connection.</summary>
public sealed class FaultTests
{
    private int _afterReceives;

    [Theory]
    [InlineData(nameof(TestHandler.Receive))]
    [InlineData(nameof(TestHandler.OnCallback))]
    [InlineData(nameof(TestHandler.OnDeadline))]
    [InlineData("posted work")]
    [InlineData("a visit")]
    public async Task An_exception_of_a_handler_ends_its_connection_and_no_other(string where)
    {
        using var host = new ReactorHost(connection => new TestHandler(connection));
        using Socket faulty = await host.ConnectAsync(), other = await host.ConnectAsync();
        TestHandler handler = await host.HandlerAsync();
        await EchoAsync(faulty);
        await EchoAsync(other);
        handler.ThrowsIn = where;
        if (where == nameof(TestHandler.Receive))
        {
            await faulty.SendAsync(new byte[] { 1 });
        }
        else if (where == "a visit")
        {
            host.First.Post(() => host.First.ForEachHandler(visited => ThrowAt(visited == handler)));
        }
        else
        {
            handler.Connection.Post(() =>
            {
                if (where == nameof(TestHandler.OnCallback))
                {
                    lock (handler.Connection.Output.SyncRoot) handler.Connection.RequestCallback();
                }

                if (where == nameof(TestHandler.OnDeadline)) handler.Connection.SetDeadline(handler.Connection.NowMs);
                ThrowAt(where == "posted work");
            });
        }

        Assert.Equal(0, await ReceiveOrEndAsync(faulty));
        await Deadline.Until(() => host.Listener.OpenCount == 1, "the end of one");
        Assert.Equal((true, "an internal error of the broker", 1), (handler.IsFaulted, handler.Closed, handler.ClosedCount));
        (Exception exception, string told) = Assert.Single(host.Faults);
        Assert.IsType<InvalidTimeZoneException>(exception);
        Assert.Equal($"serving {faulty.LocalEndPoint}", told);
        await EchoAsync(other);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_a_handler_was_given_stays_until_it_returns_also_when_it_ends_the_connection(bool throws)
    {
        // More than the pool of blocks keeps: given back, its pages are gone.
        byte[] unit = new byte[6 * 1024 * 1024];
        unit.AsSpan().Fill(7);
        using var host = new ReactorHost(connection => new Ender(connection, unit.Length, throws));
        using Socket socket = await host.ConnectAsync();
        var handler = (Ender)await host.HandlerAsync();
        Task sent = socket.SendAsync(unit).ContinueWith(_ => { }, TaskScheduler.Default);
        await Deadline.Until(() => handler.Sum > 0 && (!throws || !host.Faults.IsEmpty), "the handler to return");
        await sent;
        Assert.Equal(7L * unit.Length, handler.Sum);
        Assert.Equal((0, 1), (host.Listener.OpenCount, handler.ClosedCount));
        Assert.Equal(throws ? 1 : 0, host.Faults.Count);
    }

    [Fact]
    public async Task An_exception_in_the_last_call_is_reported()
    {
        using var host = new ReactorHost(connection => new TestHandler(connection) { ThrowsIn = nameof(TestHandler.OnClosed) });
        Socket faulty = await host.ConnectAsync();
        TestHandler handler = await host.HandlerAsync();
        await EchoAsync(faulty);
        faulty.Dispose();
        await Deadline.Until(() => host.Listener.OpenCount == 0, "the end");
        Assert.Equal(1, handler.ClosedCount);
        Assert.Single(host.Faults);
        using Socket other = await host.ConnectAsync();
        await EchoAsync(other);
    }

    [Fact]
    public async Task A_connection_that_no_handler_can_be_made_for_is_closed()
    {
        int made = 0;
        using var host = new ReactorHost(connection => ++made == 1 ? throw new InvalidTimeZoneException("a bug") : new TestHandler(connection));
        using Socket faulty = await host.ConnectAsync();
        Assert.Equal(0, await ReceiveOrEndAsync(faulty));
        await Deadline.Until(() => host.Listener.OpenCount == 0, "its slot");
        Assert.Single(host.Faults);
        using Socket other = await host.ConnectAsync();
        await EchoAsync(other);
    }

    [Fact]
    public async Task An_exception_of_who_measures_iterations_ends_nothing()
    {
        int turns = 0;
        using var host = new ReactorHost(
            connection => new TestHandler(connection), turnListener: seconds => ThrowAt(seconds >= 0 && Interlocked.Increment(ref turns) == 1));
        using Socket socket = await host.ConnectAsync();
        await EchoAsync(socket);
        await EchoAsync(socket);
        await Deadline.Until(() => Volatile.Read(ref turns) > 1, "another iteration");
        Assert.Equal("measuring an iteration", Assert.Single(host.Faults).Where);
    }

    [Fact]
    public async Task An_exception_of_what_belongs_to_no_connection_ends_none()
    {
        using var host = new ReactorHost(
            connection => new TestHandler(connection), afterReceives: () => ThrowAt(Interlocked.Increment(ref _afterReceives) == 1));
        using Socket socket = await host.ConnectAsync();
        await EchoAsync(socket);
        host.First.Post(() =>
        {
            host.First.AddPeriodic(TimeSpan.FromMilliseconds(1), () => ThrowAt(true));
            ThrowAt(true);
        });
        await Deadline.Until(() => host.Faults.Count(fault => fault.Where == "periodic work") > 1, "work that goes on");
        await EchoAsync(socket);
        Assert.Equal(["periodic work", "posted work", "what follows the receives"], host.Faults.Select(fault => fault.Where).Distinct().Order());
    }

    private static void ThrowAt(bool here)
    {
        if (here) throw new InvalidTimeZoneException("a bug");
    }

    private static async Task EchoAsync(Socket socket)
    {
        byte[] bytes = [1, 2, 3], back = new byte[3];
        await socket.SendAsync(bytes);
        for (int at = 0; at < 3;)
        {
            int count = await socket.ReceiveAsync(back.AsMemory(at));
            Assert.NotEqual(0, count);
            at += count;
        }

        Assert.Equal(bytes, back);
    }

    private static async Task<int> ReceiveOrEndAsync(Socket socket)
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
}
