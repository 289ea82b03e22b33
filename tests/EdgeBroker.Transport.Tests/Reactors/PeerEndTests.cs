using System.Net.Sockets;
using EdgeBroker.Testing;

namespace EdgeBroker.Transport.Tests.Reactors;

/// <summary>The peer sends nothing more while nobody reads.</summary>
public sealed class PeerEndTests
{
    [Fact]
    public async Task With_nothing_unread_the_end_is_noticed_at_once()
    {
        using var host = new ReactorHost(connection => new TestHandler(connection));
        using Socket socket = await host.ConnectAsync();
        TestHandler handler = await host.HandlerAsync();
        await AfterAsync(host, handler.Connection.PauseReading);
        socket.Shutdown(SocketShutdown.Send);
        await Deadline.Until(() => handler.ClosedCount == 1, "the end");
        Assert.Equal("the peer closed the connection", handler.Closed);
    }

    [Fact]
    public async Task What_came_before_the_end_is_read_first()
    {
        using var host = new ReactorHost(connection => new TestHandler(connection));
        using Socket socket = await host.ConnectAsync();
        TestHandler handler = await host.HandlerAsync();
        await AfterAsync(host, handler.Connection.PauseReading);
        await socket.SendAsync(new byte[3]);
        socket.Shutdown(SocketShutdown.Send);
        await AfterAsync(host, () => { });
        await AfterAsync(host, () => { });
        Assert.Equal((0, 0L), (handler.ClosedCount, handler.ReceivedBytes));
        await AfterAsync(host, handler.Connection.ResumeReading);
        await Deadline.Until(() => handler.ClosedCount == 1, "the end");
        Assert.Equal(3, handler.ReceivedBytes);
    }

    [Fact]
    public async Task A_pause_later_than_an_end_that_waited_notices_it_again()
    {
        using var host = new ReactorHost(connection => new TestHandler(connection));
        using Socket socket = await host.ConnectAsync();
        TestHandler handler = await host.HandlerAsync();
        await AfterAsync(host, handler.Connection.PauseReading);
        await socket.SendAsync(new byte[3]);
        socket.Shutdown(SocketShutdown.Send);
        await AfterAsync(host, () => { });
        await AfterAsync(host, () =>
        {
            handler.Connection.ResumeReading();
            handler.Connection.PauseReading();
        });
        Assert.Equal(0, handler.ClosedCount);
        await AfterAsync(host, handler.Connection.ResumeReading);
        await Deadline.Until(() => handler.ClosedCount == 1, "the end");
        Assert.Equal(3, handler.ReceivedBytes);
    }

    // Two iterations: whatever had come before the first has been seen to in the second.
    private static async Task AfterAsync(ReactorHost host, Action work)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        host.First.Post(() =>
        {
            work();
            host.First.Post(done.SetResult);
        });
        await done.Task.WaitAsync(Deadline.Timeout);
    }
}
