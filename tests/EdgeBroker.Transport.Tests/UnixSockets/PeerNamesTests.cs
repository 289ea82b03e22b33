using System.Net;
using System.Net.Sockets;
using EdgeBroker.Transport.UnixSockets;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Transport.Tests.UnixSockets;

/// <summary>Users and groups of this machine, and who is at the other end of a socket.</summary>
public sealed class PeerNamesTests
{
    [Fact]
    public void Accounts_are_found_by_name_and_number()
    {
        Assert.Equal("root", LocalAccounts.UserName(0));
        Assert.Equal(0u, LocalAccounts.UserId("root"));
        Assert.Equal(0u, LocalAccounts.GroupId("root"));
        Assert.Null(LocalAccounts.UserName(3_999_999_999));
        Assert.Null(LocalAccounts.UserId("nobody has this name"));
        Assert.Null(LocalAccounts.GroupId(""));
    }

    [Fact]
    public void A_name_is_looked_up_once_a_minute()
    {
        var time = new FakeTimeProvider();
        int asked = 0;
        var names = new PeerNames(time, _ => "user" + ++asked);
        Assert.Equal("user1", names.Find(7, out _));
        time.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal("user1", names.Find(7, out string cause));
        Assert.Empty(cause);
        Assert.Equal("user2", names.Find(8, out _));
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("user3", names.Find(7, out _));
    }

    [Fact]
    public void Whoever_has_no_name_is_nobody()
    {
        var names = new PeerNames(TimeProvider.System, _ => null);
        Assert.Null(names.Find(1234, out string cause));
        Assert.Contains("user number 1234, which has no name on this machine", cause, StringComparison.Ordinal);
        Assert.Null(names.Find(null, out cause));
        Assert.Contains("needs a Unix socket", cause, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_kernel_tells_who_is_at_a_Unix_socket_and_at_no_other()
    {
        string path = Path.Combine(Path.GetTempPath(), "edgebroker-" + Guid.NewGuid().ToString("N"));
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        using var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await client.ConnectAsync(new UnixDomainSocketEndPoint(path));
        using Socket server = await listener.AcceptAsync();
        Assert.Equal(LocalAccounts.UserId(Environment.UserName), PeerCredentials.UserIdOf(server));
        using var other = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        other.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Assert.Null(PeerCredentials.UserIdOf(other));
        server.Dispose();
        Assert.Null(PeerCredentials.UserIdOf(server));
    }
}
