using System.Text;
using BenchmarkDotNet.Attributes;
using EdgeBroker.Core;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Protocol;

namespace EdgeBroker.Benchmarks;

/// <summary>One message through the broker to all its subscribers, encoded for each, and acknowledged where the QoS asks for it.</summary>
[MemoryDiagnoser]
public class DeliverBenchmarks
{
    private const int BatchMessages = 16;

    private readonly byte[] _topic = "plant/3/line/7/temperature"u8.ToArray();
    private readonly byte[] _payload = new byte[64];
    private readonly byte[] _packet;
    private Broker _broker = null!;
    private RoutingContext _context = null!;
    private MemoryLink[] _links = [];
    private ConnectionLease[] _leases = [];

    public DeliverBenchmarks()
    {
        var publish = new OutgoingPublish { Topic = _topic, Payload = _payload };
        _packet = new byte[publish.Length(ProtocolVersion.V311)];
        publish.Write(_packet, ProtocolVersion.V311);
    }

    [Params(1, 100)]
    public int Subscribers { get; set; }

    [GlobalSetup]
    public void Connect()
    {
        _broker = new Broker(
            new MqttOptions { SysInterval = TimeSpan.Zero }, new BrokerClock(TimeProvider.System), VolatileJournal.Instance,
            new BrokerEvents(new SilentEvents()), "benchmark");
        _context = _broker.CreateContext(new MessageBatch());
        _links = new MemoryLink[Subscribers];
        _leases = new ConnectionLease[Subscribers];
        for (int i = 0; i < Subscribers; i++)
        {
            _links[i] = new MemoryLink();
            _leases[i] = _broker.Connect($"client-{i}", true, new SessionGrant(0, 65_535, null), _context, _links[i])!.Value;
            ConnectionLease lease = _leases[i];
            _broker.Subscribe(lease.Session, lease, Encoding.UTF8.GetBytes("plant/+/line/7/#"), new SubscriptionOptions(QoS.AtLeastOnce), 0, out _);
        }
    }

    [Benchmark]
    public void QoS_0() => _broker.Publish(new Publication { Topic = _topic, Payload = _payload }, _context);

    /// <summary>As they come in one receive.</summary>
    [Benchmark(OperationsPerInvoke = BatchMessages)]
    public void QoS_0_in_batches_of_16()
    {
        ReadOnlySpan<byte> packet = _packet;
        for (int i = 0; i < BatchMessages; i++)
        {
            _broker.Publish(
                new Publication
                {
                    Topic = packet.Slice(_packet.Length - _payload.Length - _topic.Length, _topic.Length),
                    Payload = packet[^_payload.Length..],
                    Packet = packet,
                    PacketVersion = ProtocolVersion.V311,
                },
                _context,
                _context.Batch);
        }

        _broker.Deliver(_context.Batch, _context);
    }

    [Benchmark]
    public void QoS_1_and_its_PUBACK()
    {
        _broker.Publish(new Publication { Topic = _topic, Payload = _payload, QoS = QoS.AtLeastOnce }, _context);
        for (int i = 0; i < _links.Length; i++) _leases[i].Session.Puback(_leases[i], _links[i].LastPacketId, refused: false);
    }
}
