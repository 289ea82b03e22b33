using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Topics;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Cluster;

/// <summary>
/// The messages of one QoS on their way to another node, of one life of this one: a session whose client is the node. It has the session's queue, window and
/// place on disk. Attached, pumped and detached by the thread that serves the cluster.
/// </summary>
internal sealed class PeerLane : ISessionLink
{
    private const int MostDroppedAtOnce = 256;

    private readonly SubscriptionOptions _options;
    private IPeerLink? _link;
    private ConnectionLease _lease;
    private volatile bool _wantsPump;

    /// <param name="session">The session.</param>
    /// <param name="life">The life of this node's process that numbers its positions.</param>
    /// <param name="number">Its number among the lanes of its node: the QoS of its messages.</param>
    public PeerLane(Session session, long life, byte number)
    {
        Session = session;
        Life = life;
        Number = number;
        _options = new SubscriptionOptions((QoS)number, retainAsPublished: true);
        Subscription = new Subscription(session, "#"u8.ToArray(), _options, 0);
    }

    public Session Session { get; }

    public long Life { get; }

    public byte Number { get; }

    /// <summary>What its messages are delivered by.</summary>
    public Subscription Subscription { get; }

    /// <inheritdoc/>
    public bool HasRoom => Volatile.Read(ref _link) is { HasRoom: true };

    /// <summary>Whether the node gets its messages.</summary>
    public bool IsAttached => Volatile.Read(ref _link) is not null;

    /// <summary>Whether <see cref="Pump"/> has something to do.</summary>
    public bool WantsPump => _wantsPump;

    /// <summary>Takes messages from now on, though the node has not been there yet.</summary>
    public void Begin(SessionGrant grant)
    {
        Session.TryAttach(this, grant, holder: null, out ConnectionLease lease, out _, out _);
        Session.Detach(lease, discardWill: true, newExpirySeconds: null, isFault: false);
    }

    public void Attach(IPeerLink link, SessionGrant grant)
    {
        Volatile.Write(ref _link, link);
        _wantsPump = true;
        Session.TryAttach(this, grant, holder: null, out _lease, out _, out _);
    }

    public void Detach()
    {
        if (!IsAttached) return;
        Session.Detach(_lease, discardWill: true, newExpirySeconds: null, isFault: false);
        Volatile.Write(ref _link, null);
    }

    public DeliveryOutcomePair Pump(RoutingContext context)
    {
        if (!_wantsPump || !HasRoom) return default;
        _wantsPump = false;
        Receivers.DeliveryOutcome outcome = Session.Pump(_lease, context);
        return new DeliveryOutcomePair(outcome.Dropped, outcome.Reason);
    }

    /// <summary>Drops all that waits, sent or not. Only while it is not attached; positions go on.</summary>
    public void Forget(SessionGrant grant)
    {
        Session.TryAttach(this, grant, holder: null, out ConnectionLease lease, out _, out _);
        Session.AcknowledgeThrough(lease, long.MaxValue);
        Session.Detach(lease, discardWill: true, newExpirySeconds: null, isFault: false);
        for (int dropped = 1; dropped > 0;) dropped = Session.PurgeQueue(MostDroppedAtOnce);
    }

    public void AcknowledgeThrough(long position) => Session.AcknowledgeThrough(_lease, position);

    /// <inheritdoc/>
    public void RequestPumpWhenDrained() => _wantsPump = true;

    /// <inheritdoc/>
    public void Prepare(Session session)
    {
        // Nobody else writes to the output under a lock.
    }

    /// <inheritdoc/>
    public void SendConnack(bool sessionPresent)
    {
        // The two nodes have said so to each other.
    }

    /// <inheritdoc/>
    public SendOutcome Send(in Delivery delivery, in Publication message, RoutingContext context) =>
        _link is { } link && !link.TrySend(Life, Number, delivery.Position, message, delivery.SharedFilter) ? SendOutcome.TooLarge : SendOutcome.Sent;

    /// <inheritdoc/>
    public void SendPubrel(ushort packetId)
    {
        // A position says what PUBREL would.
    }

    /// <inheritdoc/>
    public void RequestPump()
    {
        _wantsPump = true;
        _link?.RequestPump();
    }

    /// <inheritdoc/>
    public void Close(ReasonCode reason) => _link?.Fail("the outbox has given it up");
}

/// <summary>Messages that were dropped while others were sent.</summary>
/// <param name="Dropped">How many.</param>
/// <param name="Reason">Why.</param>
internal readonly record struct DeliveryOutcomePair(int Dropped, DropReason Reason);
