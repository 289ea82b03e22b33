using System.Globalization;
using System.Net;
using System.Net.Sockets;
using EdgeBroker.Testing;
using EdgeBroker.Transport.Linux;
using SocketAddress = EdgeBroker.Transport.Linux.SocketAddress;

namespace EdgeBroker.Transport.Tests.Linux;

/// <summary>Descriptors that a service manager hands over.</summary>
public sealed class InheritedSocketTests : IDisposable
{
    private const int Self = 4_711;

    private readonly TemporaryDirectory _directory = new();
    private readonly List<Socket> _sockets = [];

    public void Dispose()
    {
        _sockets.ForEach(socket => socket.Dispose());
        _directory.Dispose();
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public async Task One_is_found_by_its_address_and_each_listener_has_its_own_duplicate(string host)
    {
        Socket socket = Listen(new IPEndPoint(IPAddress.Parse(host), 0));
        SocketAddress address = SocketAddress.Parse(socket.LocalEndPoint!.ToString()!);
        InheritedSockets inherited = Of(socket);
        Assert.True(inherited.Has(address));
        Assert.False(inherited.Has(SocketAddress.Parse($"{(host == "::1" ? "[::]" : "0.0.0.0")}:{address.Port}")));
        Assert.False(inherited.Has(SocketAddress.Parse($"127.0.0.2:{address.Port}")));
        Assert.Equal($"mqtt ({socket.LocalEndPoint})", Assert.Single(inherited.Unused));
        for (int i = 0; i < 2; i++)
        {
            Assert.True(inherited.TryOpen(address, out int descriptor));
            Assert.NotEqual((int)socket.Handle, descriptor);
            using var duplicate = new Socket(new SafeSocketHandle(descriptor, ownsHandle: true));
            using var client = new TcpClient(host, address.Port);
            using Socket accepted = await duplicate.AcceptAsync();
            Assert.Equal(((IPEndPoint)client.Client.LocalEndPoint!).Port, ((IPEndPoint)accepted.RemoteEndPoint!).Port);
        }

        Assert.Empty(inherited.Unused);
    }

    [Fact]
    public void A_Unix_socket_is_found_by_its_path()
    {
        string path = Path.Combine(_directory.Path, "s");
        InheritedSockets inherited = Of(Listen(new UnixDomainSocketEndPoint(path)));
        Assert.True(inherited.Has(SocketAddress.Parse("unix:" + path)));
        Assert.False(inherited.Has(SocketAddress.Parse("unix:" + path + "2")));
        Assert.Equal($"mqtt ({path})", Assert.Single(inherited.Unused));
    }

    [Theory]
    [InlineData("4712", "1")]
    [InlineData(null, "1")]
    [InlineData("4711", null)]
    [InlineData("4711", "")]
    [InlineData("4711", "-1")]
    [InlineData("4711", "x")]
    [InlineData("4711", "2000000000")]
    public void What_is_meant_for_another_process_or_makes_no_sense_is_not_touched(string? process, string? count)
    {
        Socket socket = Listen(new IPEndPoint(IPAddress.Loopback, 0));
        var inherited = new InheritedSockets(
            name => name switch { "LISTEN_PID" => process, "LISTEN_FDS" => count, _ => null }, Self, (int)socket.Handle);
        Assert.False(inherited.Has(SocketAddress.Parse(socket.LocalEndPoint!.ToString()!)));
        Assert.Empty(inherited.Unused);
    }

    [Fact]
    public void What_does_not_listen_is_told_and_never_given()
    {
        using var bound = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        bound.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        InheritedSockets inherited = Of(bound);
        Assert.False(inherited.TryOpen(SocketAddress.Parse(bound.LocalEndPoint!.ToString()!), out _));
        Assert.Equal("mqtt (does not listen)", Assert.Single(inherited.Unused));
        using FileStream file = File.Create(Path.Combine(_directory.Path, "f"));
        Assert.Equal("mqtt (no socket)", Assert.Single(Of((int)file.SafeFileHandle.DangerousGetHandle()).Unused));
    }

    private static InheritedSockets Of(Socket socket) => Of((int)socket.Handle);

    private static InheritedSockets Of(int descriptor) => new(
        name => name switch
        {
            "LISTEN_PID" => Self.ToString(CultureInfo.InvariantCulture),
            "LISTEN_FDS" => "1",
            "LISTEN_FDNAMES" => "mqtt",
            _ => null,
        },
        Self,
        descriptor);

    private Socket Listen(EndPoint endPoint)
    {
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Unspecified);
        _sockets.Add(socket);
        socket.Bind(endPoint);
        socket.Listen();
        return socket;
    }
}
