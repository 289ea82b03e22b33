using System.Net;
using System.Net.Sockets;
using EdgeBroker.Core;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Hosting;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Security;
using EdgeBroker.Hosting.Listeners;
using EdgeBroker.Http;
using EdgeBroker.Http.Access;
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
        ListenerSettings[] settings = [Settings(free.Number), Settings(((IPEndPoint)taken.LocalEndpoint).Port)];
        await using ListenerPart part = Part(settings);
        PartException refused = await Assert.ThrowsAsync<PartException>(() => part.StartAsync(CancellationToken.None).AsTask());
        Assert.Contains(
            $"the port is in use by {Path.GetFileName(Environment.ProcessPath)} (process {Environment.ProcessId})", refused.Message, StringComparison.Ordinal);
        using var other = new TcpListener(IPAddress.Loopback, free.Number);
        // As the one that keeps the port does; two cannot listen all the same.
        other.Server.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        other.Start();

        ListenerSettings Settings(int port) => new() { Protocol = protocol, Address = $"127.0.0.1:{port}", AllowAnonymous = true };
    }

    // Of TEST-NET-3 (RFC 5737): no machine has it.
    [Theory]
    [InlineData(ListenerProtocol.Mqtt, "203.0.113.7:1883", "this machine has no such address now")]
    [InlineData(ListenerProtocol.Ws, "203.0.113.7:1883", "this machine has no such address now")]
    [InlineData(ListenerProtocol.Mqtt, "nowhere.invalid:1883", "the host name \"nowhere.invalid\" is not known on this machine")]
    [InlineData(ListenerProtocol.Http, "nowhere.invalid:1883", "the host name \"nowhere.invalid\" is not known on this machine")]
    public async Task A_listener_whose_address_is_missing_is_waited_for_while_the_others_serve(ListenerProtocol protocol, string address, string cause)
    {
        var missing = new ListenerSettings { Protocol = protocol, Address = address };
        var present = new ListenerSettings { Protocol = ListenerProtocol.Mqtt, Address = "127.0.0.1:0", AllowAnonymous = true };
        await using ListenerPart part = Part([missing, present]);
        await part.StartAsync(CancellationToken.None);
        string served = Assert.Single(part.EndPoints);
        using (var client = new TcpClient()) await client.ConnectAsync(IPEndPoint.Parse(served));
        Assert.Equal($"listening on {served}; not open yet: {missing.Name}", part.Summary);
        HealthFinding finding = Assert.Single(part.Findings());
        Assert.Equal(HealthState.Failing, finding.State);
        Assert.Contains(cause, finding.Detail, StringComparison.Ordinal);

        // A reload knows of it: what stays is waited for, what goes is not, and one that comes does not fail the reload.
        Assert.Contains(missing.Name, await ApplyAsync([missing, present]), StringComparison.Ordinal);
        Assert.Single(part.Findings());
        Assert.Equal($"{missing.Name}: not waited for any more", await ApplyAsync([present]));
        Assert.Empty(part.Findings());
        Assert.StartsWith($"{missing.Name}: not open yet, tried again each second: ", await ApplyAsync([present, missing]), StringComparison.Ordinal);
        Assert.Single(part.Findings());

        async Task<string> ApplyAsync(IReadOnlyList<ListenerSettings> next)
        {
            var notes = new ChangeNotes();
            await using IPreparedChange change = await part.PrepareAsync(next);
            await change.ApplyAsync(notes);
            return Assert.Single(notes.Lines);
        }
    }

    private static ListenerPart Part(IReadOnlyList<ListenerSettings> settings)
    {
        var broker = new Broker(TestBrokerOptions.Quiet, new BrokerClock(TimeProvider.System), VolatileJournal.Instance, new BrokerEvents(), "test");
        var site = new HttpSite(
            broker, new AnonymousAuthenticator(), new NothingFound(), new Replaceable<HttpOptions>(new HttpOptions()),
            new AuditLog(NullLoggerFactory.Instance, TimeProvider.System), TimeProvider.System);
        return new ListenerPart(settings, broker, new AnonymousAuthenticator(), site, NullLoggerFactory.Instance, TimeProvider.System);
    }

    private sealed class NothingFound : IHealth
    {
        public IReadOnlyList<HealthFinding> Check() => [];
    }
}
