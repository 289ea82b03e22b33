using System.Net;
using System.Net.Sockets;
using EdgeBroker.Core;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Hosting;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Security;
using EdgeBroker.Hosting.Listeners;
using EdgeBroker.Http.Health;
using EdgeBroker.Testing;
using EdgeBroker.Transport.Listeners;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeBroker.Tests.Hosting;

public sealed class ListenerPartTests
{
    [Theory]
    [InlineData(ListenerProtocol.Mqtt)]
    [InlineData(ListenerProtocol.Ws)]
    public async Task When_one_address_is_taken_the_others_are_free_again(ListenerProtocol protocol)
    {
        using var free = new LoopbackPort();
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var broker = new Broker(
            TestBrokerOptions.Quiet, new BrokerClock(TimeProvider.System), VolatileJournal.Instance, new BrokerEvents(), "test");
        ListenerSettings[] settings = [Settings(free.Number), Settings(((IPEndPoint)taken.LocalEndpoint).Port)];
        await using var part = new ListenerPart(
            settings, broker, new AnonymousAuthenticator(), new NothingFound(), NullLoggerFactory.Instance, TimeProvider.System);
        await Assert.ThrowsAsync<PartException>(() => part.StartAsync(CancellationToken.None).AsTask());
        using var other = new TcpListener(IPAddress.Loopback, free.Number);
        // As the one that keeps the port does; two cannot listen all the same.
        other.Server.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        other.Start();

        ListenerSettings Settings(int port) => new() { Protocol = protocol, Address = $"127.0.0.1:{port}", AllowAnonymous = true };
    }

    private sealed class NothingFound : IHealth
    {
        public IReadOnlyList<HealthFinding> Check() => [];
    }
}
