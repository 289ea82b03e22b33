using EdgeBroker.Core;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Security;
using EdgeBroker.Mqtt.Connections;
using EdgeBroker.Mqtt.Tests.Rig;
using EdgeBroker.Testing;

namespace EdgeBroker.Mqtt.Tests.Connections;

/// <summary>
/// What an idle client weighs: connection, output, session, and a subscription to a topic of its own. A bound here is a few percent above what it is.
/// </summary>
[Collection(Alone.Name)]
public sealed class IdleMemoryTests
{
    private const int Clients = 5_000;

    [Theory]
    [InlineData(false, 740)]
    [InlineData(true, 1_060)]
    public void An_idle_client_weighs_little_and_nothing_once_it_is_gone(bool subscribed, int mostBytes)
    {
        var broker = new Broker(
            TestBrokerOptions.Quiet, new BrokerClock(TimeProvider.System), VolatileJournal.Instance, new BrokerEvents(new QuietEvents()), "test");
        RoutingContext context = broker.CreateContext();
        var endpoint = new MqttEndpoint(broker, new AnonymousAuthenticator(), true);
        var connections = new MqttConnection[Clients];
        Connect(0, 1);
        long before = GC.GetTotalMemory(true);
        Connect(1, Clients);
        long each = (GC.GetTotalMemory(true) - before) / Clients;
        Assert.InRange(each, mostBytes / 2, mostBytes);
        for (int i = 1; i < Clients; i++) connections[i].Receive(Packets.V311.Disconnect(), out _);
        Array.Clear(connections);
        // Tables do not shrink; what they held is gone.
        Assert.InRange((GC.GetTotalMemory(true) - before) / Clients, long.MinValue, 100);
        GC.KeepAlive(broker);

        void Connect(int from, int to)
        {
            for (int i = from; i < to; i++)
            {
                var transport = new MemoryTransport();
                connections[i] = transport.Connect(endpoint, context, Packets.V311.Connect($"device-{i:D5}"));
                if (subscribed) connections[i].Receive(Packets.V311.Subscribe(1, $"plant/{i:D5}/command", 1), out _);
                Assert.True(transport.Flush() > 0);
            }
        }
    }
}
