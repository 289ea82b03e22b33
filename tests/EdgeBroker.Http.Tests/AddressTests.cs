using System.Globalization;
using System.Net.Sockets;
using EdgeBroker.Http.Tests.Rig;
using EdgeBroker.Testing;
using EdgeBroker.Transport.Listeners;

namespace EdgeBroker.Http.Tests;

/// <summary>Web listeners on all addresses, of either family.</summary>
public sealed class AddressTests : IAsyncDisposable
{
    private readonly WebHost _host = new();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Both_families_may_have_one_port()
    {
        if (!Socket.OSSupportsIPv6) return;
        int port = await _host.StartAsync(ListenerProtocol.Http, with: settings => settings with { Address = "0.0.0.0:0" });
        string both = string.Create(CultureInfo.InvariantCulture, $"[::]:{port}");
        var other = new ListenerSettings { Protocol = ListenerProtocol.Ws, Address = both, IsIPv6Only = true, AllowAnonymous = true };
        IListener listener = await _host.Server.OpenAsync(other);
        await listener.BeginAsync();
        Assert.Equal(both, listener.EndPoint);
        Assert.Equal("HTTP/1.1 200", await AskAsync("127.0.0.1", port));
        Assert.Equal("HTTP/1.1 404", await AskAsync("::1", port));
    }

    [Fact]
    public async Task A_client_by_IPv4_is_known_by_its_IPv4_address()
    {
        if (!Socket.OSSupportsIPv6) return;
        int port = await _host.StartAsync(ListenerProtocol.Ws, with: settings => settings with { Address = "[::]:0" });
        await using NetworkStream stream = await _host.TcpAsync(port);
        await stream.WriteAsync(Packets.V5.Connect("c"));
        await _host.Log.WithAsync("connection from 127.0.0.1:");
    }

    private static async Task<string> AskAsync(string address, int port)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(address, port);
        await socket.GetStream().WriteAsync("GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray());
        using var reader = new StreamReader(socket.GetStream());
        return (await reader.ReadLineAsync().WaitAsync(Deadline.Timeout))![.."HTTP/1.1 200".Length];
    }
}
