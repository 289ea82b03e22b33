using System.Globalization;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Topics;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Cluster;

/// <summary>One lane of an outbox, as the other node is told of it.</summary>
/// <param name="Life">The life that numbers its positions.</param>
/// <param name="Lane">Its number.</param>
public readonly record struct PeerLaneId(long Life, byte Lane);

/// <summary>
/// What goes to another node: a receiver with a lane for QoS 1 and one for QoS 2, so that neither waits for the other, each a session whose client is the node.
/// What an earlier life of this node has left is sent first, under that life's positions. Taken by any publisher; all else by the thread that serves the
/// cluster.
/// </summary>
public sealed class PeerOutbox : Receiver
{
    // As many as a window has places.
    private const int MostUnacknowledged = 16_000;
    private const int MostUnacknowledgedBytes = 4 * 1024 * 1024;
    private const string InterestName = "interest";

    private readonly Broker _broker;
    private readonly SessionGrant _grant;
    private readonly PeerLane[] _own;
    private readonly List<PeerLane> _earlier = [];
    private readonly StoredSession? _interest;
    private readonly Dictionary<byte[], Interest> _filters = new(TopicComparer.Instance);
    private Completion? _interestOnDisk;
    private IPeerLink? _link;
    private bool _isReachable;

    /// <param name="broker">The broker.</param>
    /// <param name="node">The other node's number.</param>
    /// <param name="life">The life of this node's process.</param>
    /// <param name="maxQueuedBytes">Bytes of messages that wait for it at most; beyond, the oldest go.</param>
    /// <param name="environment">What its sessions share.</param>
    /// <param name="restored">What the store has kept of it, the oldest first.</param>
    internal PeerOutbox(
        Broker broker, int node, long life, long maxQueuedBytes, SessionEnvironment environment, IEnumerable<RestoredSession> restored)
        : base(PrefixOf(node))
    {
        _broker = broker;
        Node = node;
        var policy = new QueuePolicy(int.MaxValue, maxQueuedBytes, MaxAge: null, MaxStoreBytes: null, QueueOverflow.DropOldest, KeepsQoS0: false);
        _grant = new SessionGrant(uint.MaxValue, MostUnacknowledged, Will: null) { QueuePolicy = policy };
        foreach (RestoredSession one in restored)
        {
            string name = one.Stored.ClientId[Id.Length..];
            if (name == InterestName)
            {
                _interest = one.Stored;
                foreach (RestoredSubscription kept in one.Subscriptions) Enter(kept.Filter, Interest.Any | Interest.Acknowledged | Interest.Kept);
            }
            else if (TryReadLane(name, out PeerLaneId lane))
            {
                _earlier.Add(new PeerLane(Session.Restore(one, environment, holder: null), lane.Life, lane.Lane));
            }
        }

        _own = [.. new byte[] { 1, 2 }.Select(lane => new PeerLane(new Session(NameOf(node, lane, life), environment), life, lane))];
        foreach (PeerLane own in _own) own.Begin(_grant);
        if (_interest is null && broker.Journal.IsDurable) _interest = OpenInterest();
        foreach (PeerLane empty in _earlier.FindAll(one => one.Session.PendingMessages == 0)) End(empty);
    }

    /// <summary>The other node's number.</summary>
    public int Node { get; }

    /// <summary>Whether it may be expected back: then filters whose subscribers would not wait for it count, too. Set by who serves the cluster.</summary>
    public bool IsReachable
    {
        get => Volatile.Read(ref _isReachable);
        set => Volatile.Write(ref _isReachable, value);
    }

    /// <summary>Lanes in which messages may be under way, the oldest first.</summary>
    public IReadOnlyList<PeerLaneId> Lanes => [.. _earlier.Concat(_own).Select(one => new PeerLaneId(one.Life, one.Number))];

    /// <summary>Messages that wait for the node or its acknowledgement.</summary>
    public int PendingMessages => _earlier.Sum(one => one.Session.PendingMessages) + _own.Sum(one => one.Session.PendingMessages);

    /// <summary>Filters it is interested in.</summary>
    public int FilterCount => _filters.Count;

    /// <inheritdoc/>
    public override bool IsDurable => true;

    /// <inheritdoc/>
    public override ReceiverReadiness Readiness => Volatile.Read(ref _link) is null ? ReceiverReadiness.Offline : ReceiverReadiness.Ready;

    /// <inheritdoc/>
    internal override bool NeedsStoreRoom(QoS qos) => qos != QoS.AtMostOnce && LaneOf(qos).Session.NeedsStoreRoom(qos);

    /// <inheritdoc/>
    public override Subscription? FindSubscription(ReadOnlySpan<byte> filter) => null;

    /// <summary>The node is there: it gets what waits for it, and what comes.</summary>
    public void Attach(IPeerLink link)
    {
        Volatile.Write(ref _link, link);
        AttachFirst();
    }

    /// <summary>The node is gone.</summary>
    public void Detach()
    {
        Volatile.Write(ref _link, null);
        foreach (PeerLane lane in _earlier.Concat(_own)) lane.Detach();
    }

    /// <summary>Sends what has room.</summary>
    public void Pump(RoutingContext context)
    {
        foreach (PeerLane lane in _earlier) Pump(lane, context);
        foreach (PeerLane lane in _own) Pump(lane, context);
    }

    /// <summary>The node has all messages of a lane up to a position. One it does not know of is none.</summary>
    public void AcknowledgeThrough(long life, byte lane, long position)
    {
        foreach (PeerLane own in _own)
        {
            if (own.Life == life && own.Number == lane) own.AcknowledgeThrough(position);
        }

        if (_earlier.Find(one => one.Life == life && one.Number == lane) is not { } earlier) return;
        earlier.AcknowledgeThrough(position);
        if (earlier.Session.PendingMessages > 0) return;
        End(earlier);
        AttachFirst();
    }

    /// <summary>Notes what subscribers of the node want.</summary>
    /// <param name="filter">The filter, valid; of a shared one its members are meant.</param>
    /// <param name="interest">What they want; nothing: it has none any more.</param>
    /// <returns>What is to be on disk before the node may rely on it; null: nothing.</returns>
    public Completion? SetInterest(ReadOnlySpan<byte> filter, Interest interest)
    {
        Dictionary<byte[], Interest>.AlternateLookup<ReadOnlySpan<byte>> byFilter = _filters.GetAlternateLookup<ReadOnlySpan<byte>>();
        Interest before = byFilter.TryGetValue(filter, out Interest known) ? known : Interest.None;
        // What was noted over an earlier link may not be on disk yet.
        if (before == interest) return _interestOnDisk;
        byte[] owned = filter.ToArray();
        if (interest == Interest.None)
        {
            _filters.Remove(owned);
            _broker.Subscriptions.Remove(this, owned);
        }
        else
        {
            Enter(owned, interest);
        }

        bool isKept = (interest & Interest.Kept) != 0;
        if (_interest is null || isKept == ((before & Interest.Kept) != 0)) return _interestOnDisk;
        var fact = new SubscriptionChanged(_interest, owned, isKept ? new PeerInterest(this, owned, interest) : null);
        _broker.Journal.Append(fact);
        _interestOnDisk = fact;
        return fact;
    }

    /// <summary>The node does not come back, and is not linked: drops what waits for it, and what it wants.</summary>
    /// <returns>How many messages waited.</returns>
    public int Forget()
    {
        int waited = PendingMessages;
        foreach (byte[] filter in _filters.Keys.ToArray()) SetInterest(filter, Interest.None);
        foreach (PeerLane earlier in _earlier.ToArray()) End(earlier);
        foreach (PeerLane own in _own) own.Forget(_grant);
        using Broker.OwnCall call = _broker.BeginOwnCall();
        _broker.CountDropped(this, waited, Ports.DropReason.Purged, call.Context);
        return waited;
    }

    /// <summary>The filters the node was interested in that are not among these, to be struck.</summary>
    public IReadOnlyList<byte[]> FiltersBeside(IReadOnlySet<byte[]> present) => [.. _filters.Keys.Where(one => !present.Contains(one))];

    /// <inheritdoc/>
    public override DeliveryOutcome Deliver(in Publication message, Subscription subscription, RoutingContext context)
    {
        if (message.QoS == QoS.AtMostOnce || subscription.Options.MaximumQoS == QoS.AtMostOnce)
        {
            if (Volatile.Read(ref _link) is not { } link) return DeliveryOutcome.Ignored;
            bool isSent = link.TrySendOnce(message, subscription.IsShared ? subscription.Filter : []);
            return isSent ? DeliveryOutcome.Sent : DeliveryOutcome.DroppedFor(DropReason.SlowClient);
        }

        if (!IsReachable && (((PeerInterest)subscription).Interest & Interest.Kept) == 0) return DeliveryOutcome.Ignored;
        PeerLane lane = LaneOf(message.QoS);
        return lane.Session.Deliver(message, subscription.IsShared ? ((PeerInterest)subscription).Addressed(lane) : lane.Subscription, context);
    }

    /// <inheritdoc/>
    public override bool TryDeliver(in MessageSegment segment, Subscription subscription, RoutingContext context)
    {
        if (Volatile.Read(ref _link) is not { } link) return true;
        int leftOut = link.SendOnce(segment);
        if (leftOut > 0) context.Counters.CountDropped(DropReason.SlowClient, leftOut);
        return true;
    }

    /// <inheritdoc/>
    internal override bool Holds(Message message) => Array.Exists(_own, lane => lane.Session.Holds(message));

    /// <inheritdoc/>
    internal override void Recover(out ISessionLink? link, out Detachment detachment)
    {
        (link, detachment) = (null, default);
        foreach (PeerLane lane in _own) lane.Session.Recover(out _, out _);
        // Whoever serves the cluster attaches the lanes to the next link.
        Volatile.Read(ref _link)?.Fail("a bug in its outbox");
    }

    /// <summary>What the ids of all that is stored for a node begin with.</summary>
    internal static string PrefixOf(int node) => string.Create(CultureInfo.InvariantCulture, $"{ReservedIds.Node}{node}/");

    private static string NameOf(int node, byte lane, long life) =>
        string.Create(CultureInfo.InvariantCulture, $"{PrefixOf(node)}{lane}/{life:x16}");

    private static bool TryReadLane(string name, out PeerLaneId lane)
    {
        lane = default;
        string[] parts = name.Split('/');
        if (parts.Length != 2 || !byte.TryParse(parts[0], CultureInfo.InvariantCulture, out byte number) || number is not (1 or 2)) return false;
        if (!long.TryParse(parts[1], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out long life)) return false;
        lane = new PeerLaneId(life, number);
        return true;
    }

    // Messages of a life follow those of earlier ones: to be in order they must not overtake them.
    private void AttachFirst()
    {
        if (_link is not { } link) return;
        foreach (PeerLane own in _own)
        {
            PeerLane first = _earlier.Find(earlier => earlier.Number == own.Number) ?? own;
            if (!first.IsAttached) first.Attach(link, _grant);
        }
    }

    private void Pump(PeerLane lane, RoutingContext context)
    {
        if (!lane.WantsPump) return;
        DeliveryOutcomePair outcome = lane.Pump(context);
        _broker.CountDropped(this, outcome.Dropped, outcome.Reason, context);
    }

    private void End(PeerLane lane)
    {
        _earlier.Remove(lane);
        lane.Detach();
        _broker.EndLane(lane.Session);
    }

    private StoredSession OpenInterest()
    {
        StoredSession stored = _broker.Journal.Open(Id + InterestName);
        _broker.Journal.Append(new SessionSaved(stored)
        {
            ExpirySeconds = uint.MaxValue,
            IsConnected = true,
            EndsAtMs = SessionSaved.Never,
            WillAtMs = SessionSaved.Never,
            SentPosition = SessionSaved.Never,
            Will = null,
            UserName = null,
            QueuePolicy = null,
        });
        return stored;
    }

    private void Enter(byte[] filter, Interest interest)
    {
        _filters[filter] = interest;
        _broker.Subscriptions.Add(new PeerInterest(this, filter, interest));
    }

    private PeerLane LaneOf(QoS qos) => _own[(int)qos - 1];
}
