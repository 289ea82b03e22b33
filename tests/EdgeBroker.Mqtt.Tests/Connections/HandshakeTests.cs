using EdgeBroker.Core;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Security;
using EdgeBroker.Mqtt.Connections;
using EdgeBroker.Mqtt.Tests.Rig;
using EdgeBroker.Testing;

namespace EdgeBroker.Mqtt.Tests.Connections;

/// <summary>What a CONNECT costs whose answers are all at hand.</summary>
public sealed class HandshakeTests
{
    private readonly TestCluster _cluster = new() { AtOnce = _ => TestCluster.Granted(1) };
    private readonly RoutingContext _context;
    private readonly MqttEndpoint _endpoint;

    public HandshakeTests()
    {
        var broker = new Broker(
            TestBrokerOptions.Quiet, new BrokerClock(TimeProvider.System), VolatileJournal.Instance, new BrokerEvents(new QuietEvents()), "test")
        {
            Cluster = _cluster,
        };
        _context = broker.CreateContext();
        _endpoint = new MqttEndpoint(broker, new AnonymousAuthenticator(), true);
    }

    [Fact]
    public void All_is_done_in_the_call_that_brings_CONNECT()
    {
        var transport = new UninterruptedTransport();
        Packets packets = Packets.V311;
        byte[] bytes = [.. packets.Connect("c"), .. packets.Subscribe(1, "a"), .. Packets.Pingreq(), 0xC0];
        transport.Handler = new Handshake(_endpoint, transport, _context);
        Assert.Equal(bytes.Length - 1, transport.Handler.Receive(bytes, out _));
        Assert.Equal([.. packets.Connack(), .. packets.Suback(1, 0), .. Packets.Pingresp()], transport.Take());
        Assert.IsType<MqttConnection>(transport.Handler);
    }

    [Fact]
    public void Claims_that_are_answered_at_once_need_no_token_of_their_own()
    {
        for (int i = 0; i < 3; i++) new MemoryTransport().Connect(_endpoint, _context, Packets.V5.Connect("c" + i));
        Assert.Equal(3, _cluster.Tokens.Count);
        Assert.Single(_cluster.Tokens.Distinct());
    }

    private sealed class UninterruptedTransport : MemoryTransport
    {
        public override void Post(Action work) => Assert.Fail("nothing is left for another turn");

        public override void PauseReading() => Assert.Fail("there is nothing to wait for");
    }
}
