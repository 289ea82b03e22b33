using System.Buffers;
using System.Net.Sockets;

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
