using System.Buffers;
using System.Net.Sockets;
using EdgeBroker.Testing;

namespace EdgeBroker.Transport.Tests.Reactors;

/// <summary>Threads without a loop that write to connections.</summary>
public sealed class LoopRequestsTests
{
    [Fact]
    public async Task Loops_are_woken_when_the_last_bracket_closes()
    {
        using var host = new ReactorHost(connection => new TestHandler(connection));
        using Socket socket = await host.ConnectAsync();
        TransportConnection connection = (await host.HandlerAsync()).Connection;
        LoopRequests.Begin();
        LoopRequests.Begin();
        Write(connection);
        LoopRequests.End();
        Assert.Equal(0, WaitForIteration());
        LoopRequests.End();
        Assert.Equal(1, await socket.ReceiveAsync(new byte[10]));

        int WaitForIteration()
        {
            using var isOver = new ManualResetEventSlim();
            host.First.Post(() => host.First.Post(isOver.Set));
            isOver.Wait();
            return socket.Available;
        }
    }

    [Fact]
    public void What_enters_the_system_waits_for_the_last_bracket_and_never_without_one()
    {
        int done = 0;
        LoopRequests.Begin();
        LoopRequests.Begin();
        lock (new Lock().Alone()) LoopRequests.Defer(() => done++);
        LoopRequests.End();
        Assert.Equal(0, done);
        LoopRequests.End();
        Assert.Equal(1, done);
        LoopRequests.Defer(() => done++);
        Assert.Equal(2, done);
    }

    [Fact]
    public async Task What_a_reactor_defers_is_done_when_its_iteration_ends()
    {
        using var host = new ReactorHost(connection => new TestHandler(connection));
        var done = new TaskCompletionSource<bool>();
        bool isOver = false;
        host.First.Post(() =>
        {
            LoopRequests.Defer(() => done.SetResult(isOver));
            isOver = true;
        });
        Assert.True(await done.Task.WaitAsync(Deadline.Timeout));
    }

    [Fact]
    public async Task Who_would_wake_a_loop_under_a_lock_is_found()
    {
        using var host = new ReactorHost(connection => new TestHandler(connection));
        using Socket socket = await host.ConnectAsync();
        TransportConnection connection = (await host.HandlerAsync()).Connection;
        Assert.Throws<InvalidOperationException>(() => Write(connection));
        lock (new Lock().Alone()) Assert.Throws<InvalidOperationException>(() => connection.Post(() => { }));
    }

    private static void Write(TransportConnection connection)
    {
        lock (connection.Output.SyncRoot.Alone())
        {
            connection.Output.Write("x"u8);
            connection.RequestFlush();
        }
    }
}
