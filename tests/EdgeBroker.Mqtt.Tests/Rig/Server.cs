using System.Net;
using EdgeBroker.Core;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Security;
using EdgeBroker.Testing;
using EdgeBroker.Transport.Listeners;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeBroker.Mqtt.Tests.Rig;

/// <summary>A real server on loopback, as the executable wires it.</summary>
internal sealed class Server : IDisposable
{
    private readonly MqttServer _server;
    private readonly TimeProvider _time;

    public Server(MqttOptions? options = null, int reactors = 2, TimeProvider? time = null, int maxConnections = 10_000)
    {
        _time = time ?? TimeProvider.System;
        Broker = new Broker(options ?? TestBrokerOptions.Quiet, new BrokerClock(_time), VolatileJournal.Instance, new BrokerEvents(Events), "test");
        _server = new MqttServer(Broker, new AnonymousAuthenticator(), reactors, _time, NullLoggerFactory.Instance);
        var plain = new ListenerSettings { Protocol = ListenerProtocol.Mqtt, Address = "127.0.0.1:0", AllowAnonymous = true };
        _server.Serve(plain with { MaxConnections = maxConnections });
    }

    public Broker Broker { get; }

    public QuietEvents Events { get; } = new();

    public IPEndPoint EndPoint => IPEndPoint.Parse(_server.Listeners.Single().EndPoint);

    public Task StopAsync() => _server.StopAsync(Deadline.Timeout, TimeProvider.System);

    /// <summary>What is allocated and in use, after a collection.</summary>
    public static long LiveBytes()
    {
        for (int i = 0; i < 2; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        return GC.GetTotalMemory(true);
    }

    public void Dispose() => _server.Dispose();
}
