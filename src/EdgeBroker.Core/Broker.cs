using EdgeBroker.Core.Events;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Metrics;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Retained;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Sys;
using EdgeBroker.Core.Topics;

namespace EdgeBroker.Core;

/// <summary>
/// The broker: sessions, subscriptions and retained messages behind the verbs connect, publish, subscribe and disconnect. It opens no socket, reads no wall
/// clock and starts no thread; adapters call it, and someone calls <see cref="RunDue"/> a few times a second.
/// </summary>
public sealed partial class Broker
{
    private readonly SessionTable _sessions = new();
    private readonly RoutingContexts _contexts;
    private readonly OnwardWays _ways = new();
    private readonly SessionEnvironment _environment;
    private readonly StoreHeldPublishers _held;
    private readonly MemoryRelief _memoryRelief;
    private readonly SharedMessageTransfers _transfers;
    private readonly LocalClients _localClients;
    private readonly RoutingContext _ownContext;
    private readonly SysTopics? _sys;

    /// <param name="options">The limits.</param>
    /// <param name="clock">The clock of every expiry.</param>
    /// <param name="journal">Where sessions and retained messages are kept.</param>
    /// <param name="events">Who is told what happens.</param>
    /// <param name="version">The product's version, for <c>$SYS</c>.</param>
    public Broker(MqttOptions options, BrokerClock clock, IJournal journal, BrokerEvents events, string version)
    {
        _held = new StoreHeldPublishers(journal);
        journal.WhenCaughtUp(_held.LetTry);
        _tellExpired = TellExpired;
        Limits = new BrokerLimits(clock, events);
        Retained = new RetainedMessages(journal, Limits.Ledger, Limits.Holders);
        Limits.Ledger.Poll(MemoryKind.Filters, () => Subscriptions.MemoryBytes);
        Ingress = new Ingress.Ingress(this);
        _environment = new SessionEnvironment(options, clock, journal, Limits.Ledger, events);
        _memoryRelief = new MemoryRelief(Limits, _sessions);
        _transfers = new SharedMessageTransfers(this);
        _localClients = new LocalClients(this);
        _contexts = new RoutingContexts(Subscriptions);
        _ownContext = CreateContext();
        StateEntry? storeState = BrokerMeters.Register(this, version);
        if (options.SysInterval > TimeSpan.Zero) _sys = new SysTopics(this, Meters, options.SysInterval, storeState);
    }

    /// <summary>
    /// The limits in force. They may be replaced while the broker runs: sessions look at the newest with each message they queue, a connection keeps those it
    /// began with, since CONNACK has told them. Whether there is <c>$SYS</c>, and how often, is settled when the broker is made.
    /// </summary>
    public MqttOptions Options
    {
        get => _environment.Options;
        set => _environment.Options = value;
    }

    /// <summary>What <c>[limits]</c> says, and who keeps it; <see cref="BrokerLimits.Replace"/> puts others in force.</summary>
    public BrokerLimits Limits { get; }

    /// <summary>Judges what comes in from clients.</summary>
    public Ingress.Ingress Ingress { get; }

    /// <summary>The clock of every expiry.</summary>
    public BrokerClock Clock => _environment.Clock;

    /// <summary>Where sessions and retained messages are kept.</summary>
    public IJournal Journal => _environment.Journal;

    /// <summary>The name by which other brokers tell it from all others, for those that ask; null: it has none. Set before the first connection.</summary>
    public string? NodeMark { get; set; }

    /// <summary>The other nodes. Set before the first connection.</summary>
    public ICluster Cluster { get; set; } = StandaloneCluster.Instance;

    /// <summary>
    /// What speaks against publishing the will of a client that has not connected since the process began: its id, its user and the will. Null: nobody asks.
    /// </summary>
    public Func<string, string?, Message, string?>? JudgeRestoredWill { get; set; }

    /// <summary>The loops of connections, to threads that are none of them. Set by who runs them, before the first connection.</summary>
    public ILoopRequests Loops
    {
        get => _environment.Loops;
        set
        {
            _environment.Loops = value;
            if (_peerEnvironment is not null) _peerEnvironment.Loops = value;
            Journal.UseLoops(value);
        }
    }

    /// <summary>Who is told what happens.</summary>
    public BrokerEvents Events => _environment.Events;

    /// <summary>All subscriptions.</summary>
    public SubscriptionTree Subscriptions { get; } = new();

    /// <summary>Every number and state that the broker and its parts tell of themselves. Parts add theirs.</summary>
    public MeterRegistry Meters { get; } = new();

    /// <summary>All retained messages.</summary>
    public RetainedMessages Retained { get; }

    /// <summary>Sessions with a connection.</summary>
    public int ConnectedCount => _sessions.Connected;

    /// <summary>Sessions without a connection, kept for when their client comes back.</summary>
    public int DisconnectedCount => Math.Max(0, SessionCount - _sessions.Attached);

    /// <summary>Sessions with a connection of one <see cref="LinkKind.Index"/>.</summary>
    internal int ConnectedBy(int kind) => _sessions.ConnectedBy(kind);

    /// <summary>Most sessions that were ever connected at once.</summary>
    public int MostConnected => _sessions.MostConnected;

    /// <summary>Sessions, connected or not.</summary>
    public int SessionCount => _sessions.Count;

    /// <summary>Sessions that ended by expiry.</summary>
    public long SessionsExpired => _sessions.Expired;

    /// <summary>Makes what one thread, or one connection outside the reactors, needs to publish. It counts for ever; make few.</summary>
    /// <param name="batch">Where messages may wait for those received with them; the caller has it delivered when all have been. Null: none waits.</param>
    public RoutingContext CreateContext(MessageBatch? batch = null) => _contexts.Create(batch);

    /// <summary>Sums up what went through all contexts.</summary>
    public TrafficCounters CountTraffic() => _contexts.CountTraffic();

    /// <summary>Sums up one figure of what went through all contexts.</summary>
    internal long CountTraffic(Func<TrafficCounters, long> read) => _contexts.Sum(read);

    /// <summary>Opens a client within the process. Its id is <c>$local/</c> and the name.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="options">What it may do, and what its queue holds.</param>
    /// <exception cref="InvalidOperationException">A local client of this name is open.</exception>
    public LocalClient OpenLocal(string name, LocalClientOptions options) => _localClients.Open(name, options);

    /// <summary>The retained message of a topic, whoever may read it; null: none, or one that has expired.</summary>
    public Message? FindRetained(ReadOnlySpan<byte> topic) =>
        Retained.Get(topic) is { } message && !message.IsExpired(Clock.NowMs) ? message : null;

    /// <summary>Begins what a thread that serves no connection does to sessions and their links; it ends when the returned value is disposed.</summary>
    internal OwnCall BeginOwnCall()
    {
        Loops.Begin();
        return new OwnCall(this, _contexts.Rent());
    }

    /// <summary>All sessions, in no order; who comes or goes meanwhile may be met or not. Takes no lock.</summary>
    internal IEnumerable<KeyValuePair<string, Session>> Sessions => _sessions;

    /// <summary>The client ids of all sessions, in no order.</summary>
    public IEnumerable<string> SessionIds => _sessions.Select(entry => entry.Key);

    /// <summary>The session of a client id, or null.</summary>
    public Session? FindSession(string clientId) => _sessions.GetValueOrDefault(clientId);

    /// <summary>Messages that wait in sessions, in flight included. Visits every session: for status displays.</summary>
    public long CountPendingMessages()
    {
        long sum = 0;
        foreach (KeyValuePair<string, Session> entry in _sessions) sum += entry.Value.PendingMessages;
        return sum;
    }

    /// <summary>What waits in all sessions. Visits every session: for figures that somebody asks for.</summary>
    internal QueueTotals CountQueues()
    {
        QueueTotal clients = default, bridges = default;
        long sent = 0, received = 0;
        foreach (KeyValuePair<string, Session> entry in _sessions)
        {
            SessionBacklog backlog = entry.Value.Backlog;
            if (entry.Key.StartsWith(ReservedIds.Bridge, StringComparison.Ordinal)) bridges = bridges.With(backlog);
            else clients = clients.With(backlog);
            sent += backlog.Inflight;
            received += backlog.OpenReceives;
        }

        return new QueueTotals(clients, bridges, sent, received);
    }

    /// <summary>A call by a thread that serves no connection.</summary>
    internal readonly ref struct OwnCall(Broker broker, RoutingContext context)
    {
        /// <summary>The context lent for it.</summary>
        public RoutingContext Context => context;

        /// <summary>Gives the context back, and wakes the loops that have something to do.</summary>
        public void Dispose()
        {
            broker._contexts.Return(context);
            broker.Loops.End();
        }
    }
}
