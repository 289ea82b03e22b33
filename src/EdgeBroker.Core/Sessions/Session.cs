using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Sessions;

/// <summary>
/// A client's state, with or without a connection: subscriptions, messages queued and in flight, received QoS 2 identifiers, will. A monitor: each public
/// method is short, synchronous and takes the one lock, under which nothing blocks, calls out or does IO. The lock also guards the output buffer of the
/// session's connection, so that a publisher needs one lock to deliver.
/// </summary>
public sealed partial class Session : Receiver
{
    private readonly SessionEnvironment _environment;
    private ISessionLink? _link;
    private SessionRules? _rules;
    private MessageQueue _queue = MessageQueue.None;
    private SubscriptionSet _subscriptions;
    private SendWindow _window = new();
    private ExactlyOnceReceiver _received = new();
    private SessionLifetime _lifetime = new();
    private RetainedFeed _retained;
    private SessionStore _store;
    private Holder? _holder;

    internal Session(string clientId, SessionEnvironment environment)
        : base(clientId) => _environment = environment;

    /// <summary>The one lock of this session and of its connection's output.</summary>
    public Lock SyncRoot { get; } = new();

    /// <summary>Whether a connection is attached.</summary>
    public bool IsConnected => Volatile.Read(ref _link) is not null;

    /// <summary>Messages waiting, in flight included.</summary>
    public int PendingMessages
    {
        get
        {
            lock (SyncRoot.Alone()) return _queue.Count + _window.Count;
        }
    }

    /// <summary>Whether a message to the client is open under a packet identifier, which whoever connects for it may use for nothing else then.</summary>
    public bool IsInUse(ushort packetId)
    {
        lock (SyncRoot.Alone()) return _window.IsInUse(packetId);
    }

    /// <summary>Open QoS 2 exchanges in which the client publishes.</summary>
    public int ReceivedIdCount => _received.Count;

    /// <summary>Whether the session outlives its connection.</summary>
    public bool OutlivesConnection => _lifetime.OutlivesConnection;

    /// <summary>Whether the session is over for good.</summary>
    public bool HasEnded => _lifetime.HasEnded;

    /// <summary>Subscriptions held.</summary>
    public int SubscriptionCount
    {
        get
        {
            lock (SyncRoot.Alone()) return _subscriptions.Count;
        }
    }

    /// <summary>The filters of its subscriptions.</summary>
    public IReadOnlyList<byte[]> Filters
    {
        get
        {
            lock (SyncRoot.Alone()) return [.. _subscriptions.ToArray().Select(subscription => subscription.Filter)];
        }
    }

    /// <inheritdoc/>
    public override bool IsDurable => OutlivesConnection;

    /// <inheritdoc/>
    public override ReceiverReadiness Readiness
    {
        get
        {
            if (HasEnded) return ReceiverReadiness.Gone;
            if (Volatile.Read(ref _link) is not { } link) return OutlivesConnection ? ReceiverReadiness.Offline : ReceiverReadiness.Gone;
            return _window.HasQuota && _queue.Count == 0 && link.HasRoom ? ReceiverReadiness.Ready : ReceiverReadiness.Busy;
        }
    }

    /// <summary>The session's index in <see cref="DeadlineHeap"/>, which guards it; -1: not in it.</summary>
    internal int DeadlineIndex
    {
        get => _lifetime.HeapIndex;
        set => _lifetime.HeapIndex = value;
    }

    /// <summary>The connection it has; null: none. With or without the lock.</summary>
    internal ISessionLink? Link => Volatile.Read(ref _link);

    private IJournal Journal => _environment.Journal;

    private bool Holds(ConnectionLease lease)
    {
        SyncRoot.MustBeHeld();
        return _link is not null && _lifetime.IsCurrent(lease.Generation);
    }

    private static QoS Lower(QoS one, QoS other) => one < other ? one : other;
}
