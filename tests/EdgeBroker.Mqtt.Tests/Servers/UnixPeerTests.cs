using System.Net.Sockets;
using EdgeBroker.Mqtt.Tests.Rig;
using EdgeBroker.Transport.Listeners;
using EdgeBroker.Transport.Proxies;
using EdgeBroker.Transport.UnixSockets;

namespace EdgeBroker.Mqtt.Tests.Servers;

/// <summary>Plain listeners at Unix sockets: who runs the client is who it is.</summary>
public sealed class UnixPeerTests : IDisposable
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), "edgebroker-" + Guid.NewGuid().ToString("N"));

    private ListenerSettings Options => new() { Protocol = ListenerProtocol.Mqtt, Address = "unix:" + _path };

    public void Dispose() => File.Delete(_path);

    [Fact]
    public async Task A_client_is_the_user_that_runs_it()
    {
        using var door = new Door(Options with { IdentifiesPeers = true });
        await door.EnterAsync([], "c");
        Assert.Equal((Environment.UserName, "unix socket"), (door.Asked.Single().TransportIdentity, door.Asked.Single().RemoteEndPoint));
    }

    [Fact]
    public async Task Unless_asked_for_nobody_is()
    {
        using var door = new Door(Options with { AllowAnonymous = true });
        Assert.Null((await door.EnterAsync([], "c")).TransportIdentity);
    }

    [Fact]
    public async Task Where_the_system_does_not_tell_nobody_comes_in()
    {
        var settings = new ListenerSettings { Protocol = ListenerProtocol.Mqtt, Address = "127.0.0.1:0", AllowAnonymous = true, IdentifiesPeers = true };
        using var door = new Door(settings);
        await using NetworkStream stream = await door.OpenAsync();
        await door.ExpectRefusedAsync(stream, "identity = \"peer\" needs a Unix socket");
        Assert.Empty(door.Asked);
    }

    [Fact]
    public void The_file_has_the_mode_that_was_asked_for()
    {
        using (new Door(Options)) Assert.Equal("0660", (SocketFileAccess.Default with { Mode = File.GetUnixFileMode(_path) }).ModeText);
        UnixFileMode all = (UnixFileMode)Convert.ToInt32("666", 8);
        using (new Door(Options with { SocketFile = new SocketFileAccess(all) })) Assert.Equal(all, File.GetUnixFileMode(_path));
    }

    [Fact]
    public void A_file_that_cannot_be_given_away_is_not_left_behind()
    {
        IOException failure =
            Assert.Throws<IOException>(() => new Door(Options with { SocketFile = SocketFileAccess.Default with { Group = "no-such-group" } }));
        Assert.Contains("there is no group \"no-such-group\"", failure.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(_path));
    }

    [Fact]
    public async Task A_proxy_at_the_socket_speaks_for_its_clients()
    {
        using var door = new Door(Options with { AllowAnonymous = true, Proxies = new TrustedProxies([]) });
        Assert.Equal("192.0.2.7:56324", (await door.EnterAsync("PROXY TCP4 192.0.2.7 198.51.100.1 56324 1883\r\n"u8.ToArray(), "c")).RemoteEndPoint);
    }
}
