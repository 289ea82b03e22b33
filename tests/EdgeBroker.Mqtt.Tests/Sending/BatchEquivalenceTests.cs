using CsCheck;
using EdgeBroker.Core;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Security;
using EdgeBroker.Mqtt.Connections;
using EdgeBroker.Mqtt.Tests.Rig;
using EdgeBroker.Testing;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Mqtt.Tests.Sending;

/// <summary>Packets received together, in one receive or in several of an iteration, have the same effect as one by one.</summary>
public sealed class BatchEquivalenceTests
{
    private static readonly string[] Topics = ["a/b", "a/c", "x", "shared"];

    // Of a publisher: packets by kind and value.
    private static readonly Gen<(int, (int, int)[])> Receives = Gen.Select(Gen.Int[0, 1], Gen.Select(Gen.Int[0, 23], Gen.Int[0, 999]).Array[0, 12]);

    [Fact]
    public void Every_connection_gets_the_same_bytes_whether_packets_come_together_or_singly() =>
        Gen.Select(Gen.Bool, Receives.Array[0, 3].Array[0, 6]).Sample((v5, iterations) =>
        {
            var together = new World(v5, new MessageBatch());
            var singly = new World(v5, batch: null);
            foreach ((int, (int, int)[])[] iteration in iterations)
            {
                foreach ((int publisher, (int, int)[] receive) in iteration)
                {
                    byte[][] packets =
                    [
                        .. receive.Select(
                            (step, at) => Make(Packets.Of(v5 ? Protocol.ProtocolVersion.V5 : Protocol.ProtocolVersion.V311), step.Item1, step.Item2, at + 1)),
                    ];
                    // A publisher that subscribes to itself and takes nothing is held back, and what it has sent is left unread: that is another test's.
                    if (!together.TryReceive(publisher, [.. packets.SelectMany(one => one)]) || !packets.All(packet => singly.TryReceive(publisher, packet)))
                    {
                        return;
                    }
                }

                together.EndIteration();
                Assert.Equal(singly.TakeOutput(), together.TakeOutput());
            }

            TrafficCounters expected = singly.Broker.CountTraffic(), actual = together.Broker.CountTraffic();
            Assert.Equal(
                (expected.PublishesSent, expected.BytesSent, expected.PacketsSent, expected.PublishBytesSent, expected.PublishesDropped),
                (actual.PublishesSent, actual.BytesSent, actual.PacketsSent, actual.PublishBytesSent, actual.PublishesDropped));
        }, iter: 400);

    private static byte[] Make(Packets packets, int kind, int value, int packetId)
    {
        string topic = Topics[value % 4];
        byte[] payload = new byte[value % 7 == 0 ? 5_000 : value % 90];
        return kind switch
        {
            0 => Packets.Pingreq(),
            1 => packets.Subscribe(packetId, topic, value % 2 == 0 && packets.Version == Protocol.ProtocolVersion.V5 ? 4 : 0),
            2 => packets.Unsubscribe(packetId, topic),
            3 => packets.Publish(topic, payload, 1, packetId),
            4 => packets.Publish(topic, payload, 2, packetId),
            5 => packets.Publish(topic, payload, 0, 0, retain: true),
            // An alias is given to a topic, and stands for it: packets that cannot go on as they are, among others that can.
            8 or 9 when packets.Version == Protocol.ProtocolVersion.V5 => packets.Publish(topic, payload, properties: Prop.TopicAlias(1 + (value % 4))),
            10 or 11 when packets.Version == Protocol.ProtocolVersion.V5 => [
                .. packets.Publish(topic, "", properties: Prop.TopicAlias(1)),
                .. packets.Publish("", payload, properties: [.. Prop.User("k", "v"), .. Prop.TopicAlias(1), .. Prop.MessageExpiry(60), .. Prop.User("l", "")])],
            6 or 7 => packets.Publish(topic, payload, 0, 0, false, false, [.. Prop.User("k", "v" + value), .. Prop.MessageExpiry(60)]),
            _ => packets.Publish(topic, payload),
        };
    }

    /// <summary>A broker, two publishers, and subscribers that each want their messages in another form.</summary>
    private sealed class World
    {
        // Stands still: what is left of a message's expiry is the same in both worlds.
        private readonly FakeTimeProvider _time = new();
        private readonly List<(MqttConnection Connection, MemoryTransport Transport)> _connections = [];
        private readonly RoutingContext _context;
        private readonly MqttEndpoint _endpoint;

        public World(bool v5, MessageBatch? batch)
        {
            Broker = new Broker(
                TestBrokerOptions.Quiet with { MaxOutboundBytes = 20_000, ReceiveMaximum = 1_000 }, new BrokerClock(_time), VolatileJournal.Instance,
                new BrokerEvents(), "test");
            _context = Broker.CreateContext(batch);
            _endpoint = new MqttEndpoint(Broker, new AnonymousAuthenticator(), true);
            Connect("publisher one", v5 ? Packets.V5 : Packets.V311, v5 ? Prop.ReceiveMaximum(1_000) : null);
            Connect("publisher two", v5 ? Packets.V5 : Packets.V311, v5 ? Prop.ReceiveMaximum(1_000) : null);
            Connect("plain", Packets.V311, null, "a/+", "x");
            Connect("five", Packets.V5, null, "#");
            Connect("aliases", Packets.V5, Prop.TopicAliasMaximum(2), "#");
            Connect("small", Packets.V5, Prop.MaximumPacketSize(60), "a/+");
            Connect("member one", Packets.V5, null, "$share/g/shared");
            Connect("member two", Packets.V311, null, "$share/g/shared");
            MqttConnection identified = Connect("identified", Packets.V5, null);
            identified.Receive(Packets.V5.Subscribe(1, "a/b", 1, Prop.SubscriptionIdentifier(300)), out _);
            TakeOutput();
        }

        public Broker Broker { get; }

        public bool TryReceive(int publisher, byte[] bytes) => _connections[publisher].Connection.Receive(bytes, out _) == bytes.Length;

        public void EndIteration() => Broker.Deliver(_context.Batch, _context);

        public string[] TakeOutput() => [.. _connections.Select(one =>
        {
            if (one.Transport.CallbackRequested) one.Connection.OnCallback();
            one.Transport.CallbackRequested = false;
            return Convert.ToHexString(one.Transport.Take());
        })];

        private MqttConnection Connect(string clientId, Packets packets, byte[]? properties, params string[] filters)
        {
            var transport = new MemoryTransport();
            MqttConnection connection = transport.Connect(_endpoint, _context, packets.Connect(clientId, properties: properties));
            foreach (string filter in filters) connection.Receive(packets.Subscribe(1, filter, 0), out _);
            _connections.Add((connection, transport));
            return connection;
        }
    }
}
