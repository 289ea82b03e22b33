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

    [Fact]
    public void The_transport_s_deadline_is_moved_only_nearer()
    {
        var transport = new TimedTransport();
        MqttConnection connection = transport.Connect(_endpoint, _context, Packets.V311.Connect("c", keepAliveSeconds: 10));
        // That of the handshake, then the keep alive's.
        Assert.Equal([10_000, 15_000], transport.Deadlines);
        transport.Time = 14_000;
        connection.Receive(Packets.Pingreq(), out _);
        Assert.Equal(2, transport.Deadlines.Count);
        // It comes too early, finds nothing due, and is set again.
        transport.Time = transport.Pass();
        connection.OnDeadline();
        Assert.Equal([10_000, 15_000, 29_000], transport.Deadlines);
        // A byte is a sign of life; what the packet has to arrive by is later.
        connection.Receive([0xC0], out _);
        Assert.Equal(3, transport.Deadlines.Count);
        transport.Time = transport.Pass();
        connection.OnDeadline();
        Assert.Equal([10_000, 15_000, 29_000, 30_000], transport.Deadlines);
    }

    private sealed class TimedTransport : MemoryTransport
    {
        private long _deadlineMs = long.MaxValue;

        public long Time { get; set; }

        public List<long> Deadlines { get; } = [];

        public override long NowMs => Time;

        public override long DeadlineMs => _deadlineMs;

        public override void SetDeadline(long dueMs)
        {
            _deadlineMs = dueMs;
            Deadlines.Add(dueMs);
        }

        /// <summary>The deadline is over; when it was.</summary>
        public long Pass()
        {
            long passed = _deadlineMs;
            _deadlineMs = long.MaxValue;
            return passed;
        }
    }

    private sealed class UninterruptedTransport : MemoryTransport
    {
        public override void Post(Action work) => Assert.Fail("nothing is left for another iteration");

        public override void PauseReading() => Assert.Fail("there is nothing to wait for");
    }
}
