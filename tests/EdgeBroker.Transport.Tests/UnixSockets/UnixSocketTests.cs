using System.Net.Sockets;
using EdgeBroker.Transport.Linux;
using EdgeBroker.Transport.Tests.Reactors;

namespace EdgeBroker.Transport.Tests.UnixSockets;

public sealed class UnixSocketTests : IDisposable
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), "edgebroker-" + Guid.NewGuid().ToString("N"));

    [Fact]
    public async Task Serves_and_removes_its_file_at_the_end()
    {
        using (var host = new ReactorHost(connection => new TestHandler(connection), address: "unix:" + _path))
        {
            using Socket socket = await ConnectAsync();
            await socket.SendAsync(new byte[] { 7 });
            byte[] back = new byte[1];
            Assert.Equal(1, await socket.ReceiveAsync(back));
            Assert.Equal("unix socket", (await host.HandlerAsync()).Connection.RemoteEndPoint);
        }

        Assert.False(File.Exists(_path));
    }

    [Fact]
    public async Task Takes_the_place_of_a_file_whose_process_is_gone()
    {
        using (var killed = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            killed.Bind(new UnixDomainSocketEndPoint(_path));
            killed.Listen();
            // As kill -9 leaves it: the name stays when the socket is closed without being unlinked.
            File.Move(_path, _path + ".kept");
        }

        File.Move(_path + ".kept", _path);
        using var host = new ReactorHost(connection => new TestHandler(connection), address: "unix:" + _path);
        using Socket socket = await ConnectAsync();
    }

    [Fact]
    public void Does_not_take_a_living_process_s_place()
    {
        using var host = new ReactorHost(connection => new TestHandler(connection), address: "unix:" + _path);
        ListenException refused =
            Assert.Throws<ListenException>(() => new ReactorHost(connection => new TestHandler(connection), address: "unix:" + _path));
        Assert.Contains($"(process {Environment.ProcessId}) listens there", refused.Message, StringComparison.Ordinal);
        Assert.True(File.Exists(_path));
    }

    [Fact]
    public void A_fifo_does_not_hold_it_up_and_a_link_is_not_followed()
    {
        using (var made = System.Diagnostics.Process.Start("mkfifo", _path)) made.WaitForExit();
        Assert.Throws<ListenException>(() => new ReactorHost(connection => new TestHandler(connection), address: "unix:" + _path));
        Assert.True(File.Exists(_path));
        File.Delete(_path);
        using (var killed = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            killed.Bind(new UnixDomainSocketEndPoint(_path + ".victim"));
        }

        File.CreateSymbolicLink(_path, _path + ".victim");
        Assert.Throws<ListenException>(() => new ReactorHost(connection => new TestHandler(connection), address: "unix:" + _path));
        Assert.NotNull(new FileInfo(_path).LinkTarget);
        File.Delete(_path + ".victim");
    }

    [Theory]
    [InlineData("")]
    [InlineData("precious")]
    public void Leaves_any_other_file_alone(string content)
    {
        File.WriteAllText(_path, content);
        Assert.Throws<ListenException>(() => new ReactorHost(connection => new TestHandler(connection), address: "unix:" + _path));
        Assert.Equal(content, File.ReadAllText(_path));
    }

    public void Dispose() => File.Delete(_path);

    private async Task<Socket> ConnectAsync()
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(_path));
        return socket;
    }
}
