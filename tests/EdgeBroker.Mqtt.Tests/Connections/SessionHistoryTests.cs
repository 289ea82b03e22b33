using System.Diagnostics;
using System.Globalization;
using EdgeBroker.Core;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Security;
using EdgeBroker.Mqtt.Connections;
using EdgeBroker.Mqtt.Tests.Rig;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Mqtt.Tests.Connections;

/// <summary>
/// Random histories: a few clients that come, go, take each other over, subscribe, publish and acknowledge what they like, in place or not, over days, now and
/// then with a byte that is wrong. Whatever happens, nothing throws, and when all have gone nothing is left. Seconds by default, longer by
/// EDGEBROKER_SOAK_SECONDS; the seed of a failure is in its message.
/// </summary>
[Collection(Alone.Name)]
public sealed class SessionHistoryTests
{
    private const int Steps = 300;

    private static readonly TimeSpan Length = TimeSpan.FromSeconds(Variable("EDGEBROKER_SOAK_SECONDS") ?? 3);

    [Fact]
    public void Random_histories_leave_no_fault_and_nothing_behind()
    {
        int first = Variable("EDGEBROKER_SOAK_SEED") ?? 1;
        var clock = Stopwatch.StartNew();
        int seed = first;
        for (; clock.Elapsed < Length || seed < first + 20; seed++)
        {
            try
            {
                new History(seed).Run();
            }
            catch (Exception exception)
            {
                throw new InvalidOperationException($"the history of seed {seed}", exception);
            }
        }
    }

    private static int? Variable(string name) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out int value) ? value : null;

    private sealed class History
    {
        private readonly Random _random;
        private readonly FakeTimeProvider _time = new();
        private readonly RecordedEvents _events = new();
        private readonly Broker _broker;
        private readonly MqttEndpoint _endpoint;
        private readonly RoutingContext _context;
        private readonly List<(MemoryTransport Transport, List<byte> Unread, Packets Packets)> _open = [];

        public History(int seed)
        {
            _random = new Random(seed);
            MqttOptions options = TestBrokerOptions.Quiet with { MaxQueuedMessages = 20, ReceiveMaximum = 10, MaxSubscriptionsPerClient = 5 };
            _broker = new Broker(options, new BrokerClock(_time), VolatileJournal.Instance, new BrokerEvents(_events), "test");
            _endpoint = new MqttEndpoint(_broker, new AnonymousAuthenticator(), anonymousAllowed: true);
            _context = _broker.CreateContext(new MessageBatch());
        }

        public void Run()
        {
            for (int step = 0; step < Steps; step++)
            {
                int what = _open.Count == 0 ? 0 : _random.Next(12);
                if (what == 0) Connect();
                else if (what == 1) Close(_random.Next(_open.Count));
                else if (what == 2) Wait(_random.Next(100));
                else Send(_open[_random.Next(_open.Count)]);
                Settle();
            }

            while (_open.Count > 0) Close(0);
            Wait(40 * 86_400);
            Wait(1);
            ExpectNothingLeft();
        }

        private void Connect()
        {
            Packets packets = _random.Next(2) == 0 ? Packets.V311 : Packets.V5;
            bool isV5 = packets.Version == ProtocolVersion.V5;
            var transport = new MemoryTransport();
            transport.Handler = new Handshake(_endpoint, transport, _context);
            TestWill? will = _random.Next(3) > 0 ? null : new TestWill(
                Topic(), "will", _random.Next(3), _random.Next(2) == 0, isV5 && _random.Next(2) == 0 ? Prop.WillDelay((uint)_random.Next(100)) : null);
            byte[]? properties = isV5 && _random.Next(2) == 0 ? Prop.SessionExpiry((uint)_random.Next(200)) : null;
            _open.Add((transport, [], packets));
            Hand(_open[^1], packets.Connect("client" + _random.Next(3), _random.Next(2) == 0, properties: properties, will: will));
        }

        private void Send((MemoryTransport Transport, List<byte> Unread, Packets Packets) client)
        {
            Packets packets = client.Packets;
            int id = 1 + _random.Next(6);
            byte[] packet = _random.Next(12) switch
            {
                0 => packets.Subscribe(id, Filter(), _random.Next(3)),
                1 => packets.Unsubscribe(id, Filter()),
                2 => packets.Puback(id),
                3 => packets.Pubrec(id),
                4 => packets.Pubrel(id),
                5 => packets.Pubcomp(id),
                6 => packets.Disconnect(),
                7 => Packets.Pingreq(),
                8 => packets.Publish(Topic(), "", _random.Next(2), id, retain: true),
                9 => packets.Publish(Topic(), new string('x', _random.Next(3_000)), _random.Next(3), id, _random.Next(2) == 0, _random.Next(2) == 0),
                _ => packets.Publish(Topic(), "m", _random.Next(3), id),
            };
            if ((packet[0] & 0xF6) == 0x30) packet[0] &= 0xF7; // DUP is for QoS 1 and 2.
            if (_random.Next(25) == 0) packet[_random.Next(packet.Length)] ^= (byte)(1 << _random.Next(8));
            Hand(client, packet);
        }

        private static void Hand((MemoryTransport Transport, List<byte> Unread, Packets Packets) client, byte[] packet)
        {
            client.Unread.AddRange(packet);
            if (client.Transport.IsClosing) return;
            int consumed = client.Transport.Handler.Receive(client.Unread.ToArray(), out _);
            client.Unread.RemoveRange(0, consumed);
        }

        private void Close(int place)
        {
            MemoryTransport transport = _open[place].Transport;
            _open.RemoveAt(place);
            lock (transport.Output.SyncRoot) transport.Close();
            transport.Handler.OnClosed("the peer closed the connection", isFault: false);
            transport.Flush();
        }

        private void Wait(int seconds)
        {
            _time.Advance(TimeSpan.FromSeconds(seconds));
            while (_broker.RunDue())
            {
            }
        }

        private void Settle()
        {
            _broker.Deliver(_context.Batch, _context);
            for (int i = _open.Count - 1; i >= 0; i--)
            {
                MemoryTransport transport = _open[i].Transport;
                if (transport.CallbackRequested && !transport.IsClosing)
                {
                    transport.CallbackRequested = false;
                    transport.Handler.OnCallback();
                }

                transport.Flush();
                if (transport.IsClosing) Close(i);
            }
        }

        private void ExpectNothingLeft()
        {
            Assert.DoesNotContain(_events.All, one => one.Kind == BrokerEventKind.Fault);
            Assert.Equal((0, 0, 0), (_broker.SessionCount, _broker.ConnectedCount, _broker.Subscriptions.Count));
            foreach (MemoryKind kind in new[] { MemoryKind.Sessions, MemoryKind.Wills, MemoryKind.Queues, MemoryKind.Inflight, MemoryKind.Aliases })
            {
                Assert.Equal((kind, 0), (kind, _broker.Limits.Ledger.Bytes(kind)));
            }
        }

        private string Topic() => "t/" + _random.Next(4);

        private string Filter() => _random.Next(5) switch { 0 => "#", 1 => "t/+", 2 => "$share/g/t/#", 3 => "t/1", _ => Topic() };
    }
}
