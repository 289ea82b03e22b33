using System.Globalization;
using EdgeBroker.Cluster.Links;
using EdgeBroker.Cluster.Ownership;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Protocol;

namespace EdgeBroker.Cluster.Tests.Simulation;

/// <summary>
/// A client with a session that outlives connections and the broker's process; it subscribes, and acknowledges what it gets as a client does. One that roams
/// goes from node to node, leaves connections behind that nobody closes, and begins anew at times.
/// </summary>
internal sealed class SimClient(string id, SimNode first, string filter, QoS qos, World? world = null)
{
    // What the client itself remembers of QoS 2, whatever becomes of its connection.
    private readonly HashSet<ushort> _received = [];
    private readonly List<SimSessionLink> _leftBehind = [];
    private SimSessionLink? _connection;
    private SimClaim? _claim;
    private Completion? _suback;
    private bool _isSubscribing;
    private List<PeerLink> _linked = [];

    // The session it had last: the first of each node and client is 0.
    private int _session;
    private int _sessions;
    private int _sessionStart;
    private bool _isKept = true;
    private bool _isCertain;
    private bool _hasOpenStart;

    // Nodes where it wanted to begin anew and was not answered, and whether one of them lay beyond a cut when its session began: what it said there may yet
    // end that, since nobody knows which of the two was first.
    private List<SimNode> _openStarts = [];
    private bool _mayBeOver;

    public string Id => id;

    public SimNode Node { get; private set; } = first;

    public string Filter => filter;

    public QoS QoS => qos;

    public bool IsRoaming => world is not null;

    /// <summary>Whether its filter has been acknowledged.</summary>
    public bool IsSubscribed { get; private set; }

    /// <summary>What it got, in order.</summary>
    public List<string> Received { get; } = [];

    /// <summary>The nodes whose messages it is owed: they know its filter.</summary>
    public HashSet<byte> Owing { get; } = [];

    public bool IsConnected => _connection is { IsClosed: false } && _connection.Start == Node.Starts && Node.IsUp;

    public bool HasWork => IsConnected && (_connection!.Unread.Count > 0 || _connection.PumpRequested);

    /// <summary>The node it had a session on last.</summary>
    private SimNode? Home { get; set; }

    /// <summary>Whether it does not know whether its session is still there: nothing is owed to it.</summary>
    public bool IsInDoubt { get; private set; }

    private string Marker => string.Create(CultureInfo.InvariantCulture, $"id/{id}/{_session}");

    /// <summary>Connects, or goes on with it.</summary>
    public void Connect()
    {
        CloseWhatIsToBe();
        if (IsConnected) return;
        _connection = null;
        if (_claim is null)
        {
            int kind = world?.Next(20) ?? 9;
            SimNode to = world?.AnyNode() ?? Node;
            if (!to.IsUp) return;
            bool isClean = kind < 7;
            long? incarnation = Home is null ? null : world?.Voters?.Members[to.Number].View.Find(Home.Number)?.Incarnation;
            bool seesStarts = _openStarts.TrueForAll(one => AreLinked(one, to));
            _claim = new SimClaim(id, to, isClean, isKept: kind > 3, Sees(to), seesStarts) { HomeIncarnation = incarnation };
            world?.Note($"{id} claims on {to.Number}, clean {isClean}, kept {kind > 3}, seen by its last {_claim.SawHome}");
            // Whether or not it hears of it, its session may be over from now on.
            if (isClean) Doubt(to);
        }

        if (!_claim.IsThere)
        {
            _claim = null;
            return;
        }

        // Between the answer and CONNACK there may be other steps.
        if (!_claim.IsAnswered || world?.Next(3) == 0) return;
        SimClaim claim = _claim;
        _claim = null;
        if (claim.TryEnter(out SimSessionLink? connection)) Begin(claim, connection);
    }

    /// <summary>Goes away, in one way or another.</summary>
    public void Disconnect()
    {
        if (_claim is not null)
        {
            _claim.Abandon();
            _claim = null;
        }

        if (!IsConnected) return;
        if (IsRoaming && world!.Next(2) == 0) _leftBehind.Add(_connection!);
        else _connection!.Disconnect();
        _connection = null;
    }

    /// <summary>Does the next thing: subscribes, or reads and answers a packet.</summary>
    public void Act()
    {
        CloseWhatIsToBe();
        if (!IsConnected) return;
        if (!IsSubscribed)
        {
            Subscribe();
            return;
        }

        if (_connection!.PumpRequested)
        {
            _connection.PumpRequested = false;
            Node.Broker.Pump(_connection.Lease, Node.Context);
        }

        if (_connection.Unread.TryDequeue(out (bool IsRelease, ushort Id, QoS QoS, string Payload) packet)) Answer(packet);
    }

    /// <summary>Notes who else knows its filter by now.</summary>
    public void Look()
    {
        CloseWhatIsToBe();
        if (!IsSubscribed || !_isKept || IsInDoubt || !Node.IsUp || Owing.Count == Node.Mesh.Peers.Count() + 1) return;
        foreach (PeerLink link in LinksOf(Node))
        {
            if (link.SeenVersion >= Node.Mesh.NotedVersion) Owing.Add((byte)link.Peer!.Outbox.Node);
        }
    }

    private static IEnumerable<PeerLink> LinksOf(SimNode node) => node.Mesh.Peers.Select(one => one.Link).OfType<PeerLink>().Where(link => link.IsLinked);

    // Whether a node knows of what the client did last.
    private bool Sees(SimNode node) => Home is null || AreLinked(Home, node);

    private static bool AreLinked(SimNode one, SimNode other) => one == other || (one.IsUp && other.IsUp
        && other.LinkTo(one) is { IsLinked: true } && one.LinkTo(other) is { IsLinked: true });

    private void CloseWhatIsToBe()
    {
        if (_connection is { IsClosed: true } closed)
        {
            closed.Disconnect();
            _connection = null;
        }

        foreach (SimSessionLink one in _leftBehind.FindAll(one => one.IsClosed || !one.IsThere))
        {
            one.Disconnect();
            _leftBehind.Remove(one);
        }
    }

    private void Begin(SimClaim claim, SimSessionLink connection)
    {
        bool sees = claim.SawHome && Sees(claim.Node);
        JudgeSession(claim, connection, sees);
        JudgeHeir(claim, connection);
        _openStarts = claim.SawStarts ? [] : _openStarts.FindAll(one => one != claim.Node);
        _mayBeOver = !claim.SawStarts;
        (Node, Home, _sessionStart) = (claim.Node, claim.Node, claim.Node.Starts);
        _isSubscribing = false;
        IsInDoubt = false;
        _connection = connection;
        if (connection.SessionPresent && Marked(connection) is { } met && met != _session) BeginSession(met, claim);
        else if (!connection.SessionPresent) BeginSession(++_sessions, claim);
        if (!_isKept) IsSubscribed = true;
    }

    private void JudgeSession(SimClaim claim, SimSessionLink connection, bool sees)
    {
        if (!IsRoaming || IsInDoubt || Home is null || claim.IsClean || !sees) return;
        // A power cut takes back what was begun or ended shortly before it; when it takes back a connection, a clean start before that one counts again.
        bool isUncut = Home.IsUp && Home.Starts == _sessionStart;
        bool isThere = _isKept && (isUncut || (IsSubscribed && !_hasOpenStart));
        if (isThere && !_mayBeOver && !connection.SessionPresent)
        {
            world!.Fault($"session: {id} was begun anew on {claim.Node.Number}, node {Home.Number} has it");
        }

        bool isOlder = connection.SessionPresent && Marked(connection) is { } met && met != _session;
        if (!isOlder || !(isThere || (_isCertain && (isUncut || Home != claim.Node)))) return;
        world!.Fault($"session: {id} met an older session on {claim.Node.Number}, its last was on {Home.Number}");
    }

    /// <summary>A session that is known to be another node's is begun anew only when the voters have found that node dead.</summary>
    private void JudgeHeir(SimClaim claim, SimSessionLink connection)
    {
        if (!IsRoaming || world!.Voters is not { } voters || Home is null || Home == claim.Node || claim.Grant == 0 || connection.SessionPresent) return;
        bool isKnown = claim.Node.Mesh.Peers.Any(peer => peer.Node == Home.Number && peer.Sessions.Find(id) is { Kind: SessionKind.Kept });
        // A node that was found dead is Up again by another incarnation only.
        if (!isKnown || claim.HomeIncarnation is not { } incarnation) return;
        if (!voters.Members[claim.Node.Number].View.IsUp(Home.Number, incarnation)) return;
        world.Fault($"heir: {id} was begun anew on {claim.Node.Number}, and node {Home.Number}, which has it, was not dead");
    }

    private void Doubt(SimNode node)
    {
        _openStarts.Add(node);
        IsInDoubt = true;
        _hasOpenStart = true;
        world!.Forgive(this);
    }

    private int? Marked(SimSessionLink connection)
    {
        string prefix = $"id/{id}/";
        IEnumerable<string> filters = connection.Lease.Session.Filters.Select(one => World.Text(one));
        string? marker = filters.FirstOrDefault(one => one.StartsWith(prefix, StringComparison.Ordinal));
        return marker is null ? null : int.Parse(marker.AsSpan(prefix.Length), CultureInfo.InvariantCulture);
    }

    private void BeginSession(int session, SimClaim claim)
    {
        bool isOld = session < _sessions;
        _session = session;
        _isKept = claim.IsKept;
        // Having begun anew, it never wants to see an older one.
        _isCertain = claim.IsClean;
        _hasOpenStart = false;
        _received.Clear();
        Owing.Clear();
        IsSubscribed = false;
        if (!IsRoaming) return;
        world!.Note($"{id} has session {session} on {claim.Node.Number}{(isOld ? ", an old one" : "")}{(_isKept ? "" : ", not kept")}");
        world.Forgive(this);
        Received.Clear();
    }

    private void Subscribe()
    {
        if (!_isSubscribing)
        {
            var options = new SubscriptionOptions(qos, retainAsPublished: false, retainHandling: RetainHandling.DoNotSend);
            Node.Broker.Subscribe(_connection!.Lease.Session, _connection.Lease, World.Bytes(Marker), options, 0, out Completion? marker);
            Node.Broker.Subscribe(_connection!.Lease.Session, _connection.Lease, World.Bytes(filter), options, 0, out _suback);
            _suback = Completion.Both(marker, _suback);
            _isSubscribing = true;
            _linked = [.. LinksOf(Node)];
        }

        if (_suback is { IsDone: false }) return;
        IsSubscribed = true;
        Owing.Add(Node.Number);
        // SUBACK says that nodes linked all the while forward from now on.
        Owing.UnionWith(LinksOf(Node).Where(_linked.Contains).Select(one => (byte)one.Peer!.Outbox.Node));
    }

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
}
