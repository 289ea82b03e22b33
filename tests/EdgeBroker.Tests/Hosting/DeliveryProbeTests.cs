using System.Net.Sockets;
using System.Text;
using EdgeBroker.Core.Hosting;
using EdgeBroker.Hosting;
using EdgeBroker.Testing;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Tests.Hosting;

/// <summary>Whether a broker that is alive delivers, and what a service manager hears of it.</summary>
public sealed class DeliveryProbeTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly TemporaryDirectory _directory = new();
    private readonly Socket _manager = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified)
    {
        ReceiveTimeout = (int)EdgeBroker.Testing.Deadline.Timeout.TotalMilliseconds,
    };

    private Action? _send;

    public DeliveryProbeTests() => _manager.Bind(new UnixDomainSocketEndPoint(NotifyPath));

    private string NotifyPath => Path.Combine(_directory.Path, "notify");

    public void Dispose()
    {
        _manager.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public async Task Each_message_that_arrives_feeds_the_watchdog_and_what_is_said_follows_what_changes()
    {
        await using var broker = new TestBroker();
        await using DeliveryProbe probe = await StartAsync(broker, "60000000");
        _send!();
        Assert.Equal("WATCHDOG=1", Receive());
        Assert.Equal("STATUS=0 client(s), 0 message(s) wait; listening", Receive());
        await broker.ConnectAsync("c");
        _send();
        Assert.Equal("WATCHDOG=1", Receive());
        Assert.Equal("STATUS=1 client(s), 0 message(s) wait; listening", Receive());
        _send();
        Assert.Equal("WATCHDOG=1", Receive());
        // Nobody else hears of it, and no subscription stays.
        await Deadline.Until(() => broker.Broker.Subscriptions.Count == 0, "the subscription to be gone");
        Assert.DoesNotContain(broker.Events.All, one => one.Kind is BrokerEventKind.Subscribed or BrokerEventKind.Unsubscribed);
        Assert.Equal(3, broker.Broker.Meters.Histograms.Single(one => one.Name == "edgebroker.probe.duration").Counts().Sum());
    }

    [Fact]
    public async Task When_none_arrives_any_more_the_broker_is_not_ready_and_the_watchdog_is_not_fed()
    {
        await using var broker = new TestBroker();
        await using DeliveryProbe probe = await StartAsync(broker, "60000000");
        Assert.Equal(HealthState.Good, Assert.Single(probe.Findings()).State);
        _time.Advance(3 * DeliveryProbe.Interval);
        Assert.True(probe.IsHealthy);
        _time.Advance(TimeSpan.FromSeconds(1));
        HealthFinding finding = Assert.Single(probe.Findings());
        Assert.Equal(("probe", HealthState.Failing, "no message has gone through the broker for 16 s: it is overloaded or stuck"),
            (finding.Part, finding.State, finding.Detail));
        Assert.Equal(0, broker.Broker.Meters.Entries.Single(entry => entry.Name == "edgebroker.probe.healthy").Read());
        Assert.Equal(0, _manager.Available);
        _send!();
        Assert.Equal("WATCHDOG=1", Receive());
        Assert.True(probe.IsHealthy);
    }

    [Fact]
    public async Task A_manager_that_does_not_watch_hears_the_status_only()
    {
        await using var broker = new TestBroker();
        await using DeliveryProbe probe = await StartAsync(broker, null);
        _send!();
        Assert.Equal("STATUS=0 client(s), 0 message(s) wait; listening", Receive());
    }

    private async Task<DeliveryProbe> StartAsync(TestBroker broker, string? watchdog)
    {
        var probe = new DeliveryProbe(broker.Broker, (_, send) => _send = send, new ServiceStatus(NotifyPath, watchdog), () => "listening", _time);
        await probe.StartAsync(CancellationToken.None);
        return probe;
    }

    private string Receive()
    {
        byte[] bytes = new byte[1024];
        return Encoding.UTF8.GetString(bytes, 0, _manager.Receive(bytes));
    }
}
