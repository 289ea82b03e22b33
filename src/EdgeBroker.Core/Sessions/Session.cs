using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Sessions;

/// <summary>
/// A client's state, with or without a connection: subscriptions, messages queued and in flight, received QoS 2 identifiers, will. A monitor: each public
/// method is short, synchronous and takes the one gate, under which nothing blocks, calls out or does IO. The gate also guards the output buffer of the
/// session's
/// connection, so that a publisher needs one lock to deliver.
/// </summary>
public sealed partial class Session : Receiver
{
    private readonly SessionEnvironment _environment;

    // Idle sessions are many: these stand for nothing until something is put in.
    private InflightWindow _inflight = InflightWindow.None;
    private MessageQueue _queue = MessageQueue.None;
    private PacketIdSet _receivedIds = PacketIdSet.None;
    private SubscriptionSet _subscriptions;

    private ISessionLink? _link;
    private uint _generation;
    private bool _ended;
    private uint _expirySeconds;
    private long _lastPosition;

    internal Session(string clientId, SessionEnvironment environment)
        : base(clientId) => _environment = environment;

    /// <summary>The one lock of this session and of its connection's output.</summary>
    public Lock Gate { get; } = new();

    /// <summary>Whether a connection is attached.</summary>
    public bool IsConnected => Volatile.Read(ref _link) is not null;

    /// <summary>QoS 1 and 2 messages waiting, in flight included.</summary>
    public int PendingMessages
    {
        get
        {
            lock (Gate) return _queue.Count + _inflight.Count;
        }
    }

    /// <summary>Open QoS 2 exchanges in which the client publishes.</summary>
    public int ReceivedIdCount => _receivedIds.Count;

    /// <summary>Whether the session outlives its connection.</summary>
    public bool OutlivesConnection => Volatile.Read(ref _expirySeconds) != 0;

    /// <summary>Subscriptions held.</summary>
    public int SubscriptionCount
    {
        get
        {
            lock (Gate) return _subscriptions.Count;
        }
    }

    /// <inheritdoc/>
    public override bool IsDurable => OutlivesConnection;

    /// <inheritdoc/>
    public override ReceiverReadiness Readiness
    {
        get
        {
            if (Volatile.Read(ref _ended)) return ReceiverReadiness.Gone;
            if (Volatile.Read(ref _link) is not { } link) return Volatile.Read(ref _expirySeconds) == 0 ? ReceiverReadiness.Gone : ReceiverReadiness.Offline;
            return _sendQuota > 0 && _queue.Count == 0 && link.HasRoom ? ReceiverReadiness.Ready : ReceiverReadiness.Busy;
        }
    }

    /// <summary>Whether the session outlives its connection.</summary>
    private bool IsKept => _expirySeconds != 0;

    private bool Holds(ConnectionLease lease) => lease.Generation == _generation && !_ended && _link is not null;

    private static QoS Lower(QoS one, QoS other) => one < other ? one : other;
}
