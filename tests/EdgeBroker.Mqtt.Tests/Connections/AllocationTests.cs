using System.Buffers.Binary;
using EdgeBroker.Core;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Security;
using EdgeBroker.Mqtt.Connections;
using EdgeBroker.Mqtt.Tests.Rig;
using EdgeBroker.Testing;

namespace EdgeBroker.Mqtt.Tests.Connections;

// Chunks of output come from a pool of the whole process: other tests would take those that a round has given back.
[Collection(Alone.Name)]
public sealed class AllocationTests
{
    private const int Rounds = 2_000;

    private readonly Broker _broker;
    private readonly RoutingContext _context;
    private readonly MqttEndpoint _endpoint;
    private long _rounds;

    public AllocationTests()
    {
        _broker = new Broker(
            TestBrokerOptions.Quiet, new BrokerClock(TimeProvider.System), VolatileJournal.Instance, new BrokerEvents(new QuietEvents()), "test");
        _context = _broker.CreateContext(new MessageBatch());
        _endpoint = new MqttEndpoint(_broker, new AnonymousAuthenticator(), true);
    }

    public static TheoryData<int, bool, bool> Shapes => new()
    {
        { 0, false, false }, { 1, false, false }, { 1, true, false }, { 1, true, true }, { 100, false, false }, { 100, true, false }, { 100, true, true },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Publish_qos0_allocates_nothing(int subscribers, bool mixed, bool userProperties)
    {
        MemoryTransport[] transports = Subscribe(subscribers, mixed);
        byte[] properties = userProperties ? [.. Prop.User("k", "v"), .. Prop.ContentType("text/plain")] : [];
        byte[] payload = new byte[100];
        int sent = 0;
        Assert.Equal(0, Measure(() =>
        {
            _broker.Publish(new Publication { Topic = "a/b"u8, Payload = payload, Properties = properties }, _context);
            foreach (MemoryTransport transport in transports) sent += transport.Flush();
        }));
        Assert.True(sent >= subscribers * Rounds * 100);
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void A_received_publish_at_qos0_allocates_nothing_from_end_to_end(int subscribers, bool mixed, bool userProperties)
    {
        MemoryTransport[] transports = Subscribe(subscribers, mixed);
        MqttConnection publisher = Connect("publisher", userProperties ? Packets.V5 : Packets.V311, out _);
        byte[] packet = userProperties
            ? Packets.V5.Publish("a/b", new byte[100], properties: [.. Prop.MessageExpiry(60), .. Prop.User("k", "v")])
            : Packets.V311.Publish("a/b", new byte[100]);
        int sent = 0, consumed = 0;
        Assert.Equal(0, Measure(() =>
        {
            consumed += publisher.Receive(packet, out _);
            _broker.Deliver(_context.Batch, _context);
            foreach (MemoryTransport transport in transports) sent += transport.Flush();
        }));
        Assert.Equal(_rounds * packet.Length, consumed);
        Assert.True(sent >= subscribers * Rounds * 100);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 20)]
    [InlineData(2, 1)]
    [InlineData(2, 20)]
    public void An_acknowledged_publish_to_sessions_that_end_with_their_connection_allocates_nothing(int qos, int subscribers)
    {
        var connections = new MqttConnection[subscribers];
        var transports = new MemoryTransport[subscribers];
        for (int i = 0; i < subscribers; i++)
        {
            connections[i] = Connect("s" + i, Packets.V311, out transports[i]);
            connections[i].Receive(Packets.V311.Subscribe(1, "a/b", qos), out _);
            transports[i].Flush();
        }

        MqttConnection publisher = Connect("publisher", Packets.V311, out MemoryTransport back);
        byte[] packet = Packets.V311.Publish("a/b", new byte[100], qos, packetId: 1);
        byte[] released = Packets.V311.Pubrel(1);
        byte[][] answers = qos == 1 ? [Packets.V311.Puback(1)] : [Packets.V311.Pubrec(1), Packets.V311.Pubcomp(1)];
        long sent = 0, answered = 0;
        ushort packetId = 0;
        Assert.Equal(0, Measure(() =>
        {
            publisher.Receive(packet, out _);
            if (qos == 2) publisher.Receive(released, out _);
            publisher.OnCallback();
            answered += back.Flush();
            packetId++;
            foreach (byte[] answer in answers) BinaryPrimitives.WriteUInt16BigEndian(answer.AsSpan(2), packetId);
            for (int i = 0; i < connections.Length; i++)
            {
                sent += transports[i].Flush();
                foreach (byte[] answer in answers) connections[i].Receive(answer, out _);
                sent += transports[i].Flush();
            }
        }));
        // The subscriber gets PUBLISH, and PUBREL where there is one; the publisher PUBACK, or PUBREC and PUBCOMP.
        Assert.Equal(_rounds * subscribers * (packet.Length + (qos == 2 ? 4 : 0)), sent);
        Assert.Equal(_rounds * 4 * qos, answered);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Many_messages_in_one_receive_allocate_nothing(bool aliased)
    {
        MemoryTransport[] transports = Subscribe(100, mixed: true, aliased);
        MqttConnection publisher = Connect("publisher", Packets.V311, out _);
        byte[] packets = [.. Enumerable.Range(0, 10).SelectMany(i => Packets.V311.Publish(i < 7 ? "a/b" : "a/c", new byte[100]))];
        Assert.Equal(0, Measure(() =>
        {
            publisher.Receive(packets, out _);
            _broker.Deliver(_context.Batch, _context);
            foreach (MemoryTransport transport in transports) transport.Flush();
        }));
    }

    [Fact]
    public void Topic_aliases_once_given_allocate_nothing()
    {
        MqttConnection subscriber = Connect("s", Packets.V5, out MemoryTransport transport, Prop.TopicAliasMaximum(10));
        subscriber.Receive(Packets.V5.Subscribe(1, "#"), out _);
        MqttConnection publisher = Connect("p", Packets.V5, out _);
        publisher.Receive(Packets.V5.Publish("a/b", "x", properties: Prop.TopicAlias(3)), out _);
        byte[] packet = Packets.V5.Publish("", "x", properties: Prop.TopicAlias(3));
        Assert.Equal(0, Measure(() =>
        {
            publisher.Receive(packet, out _);
            _broker.Deliver(_context.Batch, _context);
            transport.Flush();
        }));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Limits_allocate_nothing_whether_they_are_kept_or_not(bool kept)
    {
        var rate = new RateLimit(kept ? 1L << 40 : 1, TimeSpan.FromSeconds(1), kept ? 1 << 30 : 1) { OnExceed = ExceedAction.Drop };
        _broker.Limits.Replace(new LimitOptions { PublishesPerClient = rate, BytesPerClient = rate with { Amount = 1L << 40, Burst = 1 << 30 } });
        MemoryTransport[] transports = Subscribe(10, mixed: true);
        MqttConnection publisher = Connect("publisher", Packets.V311, out _);
        byte[] packets = [.. Enumerable.Range(0, 10).SelectMany(_ => Packets.V311.Publish("a/b", new byte[100]))];
        Assert.Equal(0, Measure(() =>
        {
            publisher.Receive(packets, out _);
            _broker.Deliver(_context.Batch, _context);
            foreach (MemoryTransport transport in transports) transport.Flush();
        }));
        long dropped = _broker.Limits.Counters[LimitKind.PublishesPerClient, LimitAction.Dropped];
        if (kept) Assert.Equal(0, dropped);
        else Assert.True(dropped >= 2 * Rounds * 9);
    }

    [Fact]
    public void Pings_allocate_nothing()
    {
        MqttConnection connection = Connect("c", Packets.V5, out MemoryTransport transport);
        byte[] ping = Packets.Pingreq();
        Assert.Equal(0, Measure(() =>
        {
            connection.Receive(ping, out _);
            transport.Flush();
        }));
    }

    [Fact]
    public void An_idle_connection_holds_no_buffers()
    {
        MqttConnection connection = Connect("c", Packets.V5, out MemoryTransport transport);
        connection.Receive(Packets.V5.Subscribe(1, "#"), out _);
        connection.Receive(Packets.V5.Publish("a", new byte[50_000]), out _);
        Assert.True(transport.Output.Length > 50_000);
        transport.Flush();
        Assert.Equal(0, transport.Output.Length);
        Assert.Null(transport.Output.First);
    }

    /// <summary>Bytes allocated by this thread in many rounds, after a warm-up.</summary>
    private long Measure(Action round) => Allocations.Least(() =>
    {
        for (int i = 0; i < Rounds; i++, _rounds++) round();
    });

    private MemoryTransport[] Subscribe(int count, bool mixed, bool aliased = false)
    {
        var transports = new MemoryTransport[count];
        for (int i = 0; i < count; i++)
        {
            Packets packets = mixed && i % 2 == 0 ? Packets.V5 : Packets.V311;
            MqttConnection connection = Connect("s" + i, packets, out transports[i], aliased && packets == Packets.V5 ? Prop.TopicAliasMaximum(5) : null);
            connection.Receive(packets.Subscribe(1, i % 3 == 0 ? "a/+" : "a/b", i % 3), out _);
            connection.OnCallback();
            transports[i].Flush();
        }

        return transports;
    }

    private MqttConnection Connect(string clientId, Packets packets, out MemoryTransport transport, byte[]? properties = null)
    {
        transport = new MemoryTransport();
        MqttConnection connection = transport.Connect(_endpoint, _context, packets.Connect(clientId, properties: properties));
        Assert.True(transport.Flush() > 0);
        return connection;
    }
}
