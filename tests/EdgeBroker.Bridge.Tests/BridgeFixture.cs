using EdgeBroker.Bridge.Hosting;
using EdgeBroker.Bridge.Routes;
using EdgeBroker.Client;
using EdgeBroker.Core;
using EdgeBroker.Core.Hosting;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeBroker.Bridge.Tests;

/// <summary>A broker with bridges, in the test's process and on the system's clock.</summary>
internal sealed class BridgedBroker : IAsyncDisposable
{
    private readonly BridgePart _part;

    public BridgedBroker(string node, params BridgeOptions[] bridges)
        : this(node, new TestBroker(new TestBrokerOptions { OverSockets = true }), bridges)
    {
    }

    public BridgedBroker(string node, TestBroker broker, params BridgeOptions[] bridges)
    {
        Test = broker;
        _part = new BridgePart(bridges, broker.Broker, node, TimeProvider.System, NullLoggerFactory.Instance);
    }

    public TestBroker Test { get; }

    public Broker Broker => Test.Broker;

    public BridgePart Part => _part;

    public BridgeStatus this[string name] => _part.Statuses.Single(status => status.Name == name);

    public static async Task<BridgedBroker> StartAsync(string node, params BridgeOptions[] bridges)
    {
        var bridged = new BridgedBroker(node, bridges);
        await bridged._part.StartAsync(CancellationToken.None);
        return bridged;
    }

    public async Task ReloadAsync(params BridgeOptions[] next)
    {
        await using IPreparedChange change = await _part.PrepareAsync(next);
        await change.ApplyAsync(new ChangeNotes());
    }

    public Task UntilAsync(string bridge, Func<BridgeStatus, bool> condition) =>
        Deadline.Until(() => condition(this[bridge]), $"bridge {bridge} to come so far; it is {this[bridge]}");

    public Task UntilConnectedAsync(string bridge) => UntilAsync(bridge, status => status.Phase == BridgePhase.Connected);

    public async ValueTask DisposeAsync()
    {
        await _part.StopAsync(StopPhase.Finish, TimeSpan.FromSeconds(2));
        await _part.DisposeAsync();
        await Test.DisposeAsync();
    }
}

/// <summary>Bridges as tests want them.</summary>
internal static class Bridges
{
    public static readonly QueuePolicy Queue = new(100_000, 64 << 20, null, null, QueueOverflow.DropOldest, KeepsQoS0: false);

    public static BridgeOptions To(int port, params RouteOptions[] routes) => To(new TcpTransport("127.0.0.1", port), routes);

    public static BridgeOptions To(IClientTransport transport, params RouteOptions[] routes) => new()
    {
        Name = "up",
        Connection = new MqttClientOptions
        {
            Transport = transport,
            ClientId = "gw",
            CleanStart = false,
            SessionExpirySeconds = 3600,
            TopicAliasMaximum = 0,
            KeepAliveSeconds = 30,
            Properties = Asking(),
        },
        Routes = routes,
        Queue = Queue,
        Fingerprint = Guid.NewGuid().ToString(),
        Reconnect = new ReconnectOptions { FirstDelay = TimeSpan.FromMilliseconds(20), LongestDelay = TimeSpan.FromMilliseconds(100) },
        NotificationTopic = "$SYS/broker/connection/gw/state",
    };

    private static MqttProperties Asking()
    {
        var properties = new MqttProperties();
        properties.AddUserProperty("edgebroker-bridge", "1");
        return properties;
    }

    public static BridgeOptions Over311(this BridgeOptions options, bool isBridge = false) =>
        options with { Connection = options.Connection with { Version = ProtocolVersion.V311, IsBridge = isBridge } };
}
