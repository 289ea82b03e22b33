using EdgeBroker.Cluster.Links;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Protocol;

namespace EdgeBroker.Cluster.Tests.Simulation;

/// <summary>
/// A client with a session that outlives connections and the broker's process; it subscribes, and acknowledges what it gets as a client does.
/// </summary>
internal sealed class SimClient(string id, SimNode node, string filter, QoS qos)
{
    // What the client itself remembers of QoS 2, whatever becomes of its connection.
    private readonly HashSet<ushort> _received = [];
    private Connection? _connection;
    private Completion? _suback;
    private bool _isSubscribing;
    private List<PeerLink> _linked = [];

    public string Id => id;

    public SimNode Node => node;

    public string Filter => filter;

    public QoS QoS => qos;

    /// <summary>Whether its filter has been acknowledged.</summary>
    public bool IsSubscribed { get; private set; }

    /// <summary>What it got, in order.</summary>
    public List<string> Received { get; } = [];

    /// <summary>The nodes whose messages it is owed: they know its filter.</summary>
    public HashSet<byte> Owing { get; } = [];

    public bool IsConnected => _connection is not null && _connection.Life == node.Starts && node.IsUp;

    public bool HasWork => IsConnected && (_connection!.Unread.Count > 0 || _connection.PumpRequested);

    public void Connect()
    {
        if (!node.IsUp || IsConnected) return;
        var connection = new Connection(node.Starts);
        connection.Lease = node.Broker.Connect(id, cleanStart: false, new SessionGrant(1_000_000, 20, null), node.Context, connection)!.Value;
        if (!connection.SessionPresent)
        {
            _received.Clear();
            IsSubscribed = false;
        }

        _isSubscribing = false;
        _connection = connection;
    }

    public void Disconnect()
    {
        if (!IsConnected) return;
        node.Broker.Disconnect(_connection!.Lease, discardWill: true, newExpirySeconds: null, node.Context);
        _connection = null;
    }

    /// <summary>Does the next thing: subscribes, or reads and answers a packet.</summary>
    public void Act()
    {
        if (!IsConnected) return;
        if (!IsSubscribed)
        {
            Subscribe();
            return;
        }

        if (_connection!.PumpRequested)
        {
            _connection.PumpRequested = false;
            node.Broker.Pump(_connection.Lease, node.Context);
        }

        if (_connection.Unread.TryDequeue(out (bool IsRelease, ushort Id, QoS QoS, string Payload) packet)) Answer(packet);
    }

    private void Subscribe()
    {
        if (!_isSubscribing)
        {
            node.Broker.Subscribe(
                _connection!.Lease.Session, _connection.Lease, World.Bytes(filter),
                new SubscriptionOptions(qos, retainAsPublished: false, retainHandling: RetainHandling.DoNotSend), 0, out _suback);
            _isSubscribing = true;
            _linked = [.. LinkedNodes()];
        }

        if (_suback is { IsDone: false }) return;
        IsSubscribed = true;
        Owing.Add(node.Number);
        // SUBACK says that nodes linked all the while forward from now on.
        Owing.UnionWith(LinkedNodes().Where(_linked.Contains).Select(one => (byte)one.Peer!.Outbox.Node));
    }

    /// <summary>Notes who else knows its filter by now.</summary>
    public void Look()
    {
        if (!IsSubscribed || !node.IsUp || Owing.Count == node.Mesh.Peers.Count() + 1) return;
        foreach (PeerLink link in LinkedNodes())
        {
            if (link.SeenVersion >= node.Mesh.NotedVersion) Owing.Add((byte)link.Peer!.Outbox.Node);
        }
    }

    private IEnumerable<PeerLink> LinkedNodes() => node.Mesh.Peers.Select(one => one.Link).OfType<PeerLink>().Where(link => link.IsLinked);

    private void Answer((bool IsRelease, ushort Id, QoS QoS, string Payload) packet)
    {
        ConnectionLease lease = _connection!.Lease;
        if (packet.IsRelease)
        {
            _received.Remove(packet.Id);
            lease.Session.Pubcomp(lease, packet.Id);
        }
        else if (packet.QoS == QoS.AtLeastOnce)
        {
            Received.Add(packet.Payload);
            lease.Session.Puback(lease, packet.Id, refused: false);
        }
        else if (packet.QoS == QoS.ExactlyOnce)
        {
            if (_received.Add(packet.Id)) Received.Add(packet.Payload);
            lease.Session.Pubrec(lease, packet.Id, refused: false);
        }
    }

    private sealed class Connection(int life) : ISessionLink
    {
        public int Life => life;

        public ConnectionLease Lease { get; set; }

        public bool SessionPresent { get; private set; }

        public bool PumpRequested { get; set; }

        public Queue<(bool IsRelease, ushort Id, QoS QoS, string Payload)> Unread { get; } = new();

        public bool HasRoom => true;

        public void RequestPumpWhenDrained() => PumpRequested = true;

        public void Prepare(Session session)
        {
        }

        public void SendConnack(bool sessionPresent) => SessionPresent = sessionPresent;

        public SendOutcome Send(in Delivery delivery, in Publication message, RoutingContext context)
        {
            Unread.Enqueue((false, delivery.PacketId, delivery.QoS, World.Text(message.Payload)));
            return SendOutcome.Sent;
        }

        public void SendPubrel(ushort packetId) => Unread.Enqueue((true, packetId, QoS.ExactlyOnce, ""));

        public void RequestPump() => PumpRequested = true;

        public void Close(ReasonCode reason)
        {
        }
    }
}
