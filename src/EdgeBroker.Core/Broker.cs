using System.Collections.Concurrent;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
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
    private readonly ConcurrentDictionary<string, Session> _sessions = new(StringComparer.Ordinal);
    private readonly DeadlineHeap _deadlines = new();
    private readonly List<RoutingContext> _contexts = [];
    private readonly Lock _contextsLock = new();
    private readonly SessionEnvironment _environment;
    private readonly RoutingContext _ownContext;
    private readonly BrokerEvents _events;
    private readonly SysTopics? _sys;
    private string? _firstWay;
    private volatile bool _hasSeveralWays;
    private int _connected;
    private int _mostConnected;
    private long _sessionsExpired;

    /// <param name="options">The limits.</param>
    /// <param name="clock">The clock of every expiry.</param>
    /// <param name="journal">Where sessions and retained messages are kept.</param>
    /// <param name="events">Who is told what happens.</param>
    /// <param name="version">The product's version, for <c>$SYS</c>.</param>
    public Broker(MqttOptions options, BrokerClock clock, IJournal journal, BrokerEvents events, string version)
    {
        Clock = clock;
        Journal = journal;
        journal.UseCallback(LetHeldPublishersTry);
        _events = events;
        _tellExpired = TellExpired;
        Limits = new BrokerLimits(clock, events);
        Retained = new RetainedMessages(journal, Limits.Ledger, Limits.Holders);
        Limits.Ledger.Poll(MemoryKind.Filters, () => Subscriptions.MemoryBytes);
        Ingress = new Ingress.Ingress(this);
        _environment = new SessionEnvironment(options, Clock, journal, Limits.Ledger, events);
        _ownContext = CreateContext();
        RegisterMeters(version);
        if (options.SysInterval > TimeSpan.Zero) _sys = new SysTopics(this, Meters, options.SysInterval);
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
    public BrokerClock Clock { get; }

    /// <summary>Where sessions and retained messages are kept.</summary>
    public IJournal Journal { get; }

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
    public BrokerEvents Events => _events;

    /// <summary>All subscriptions.</summary>
    public SubscriptionTree Subscriptions { get; } = new();

    /// <summary>All retained messages.</summary>
    public RetainedMessages Retained { get; }

    /// <summary>Sessions with a connection.</summary>
    public int ConnectedCount => Volatile.Read(ref _connected);

    /// <summary>Most sessions that were ever connected at once.</summary>
    public int MostConnected => Volatile.Read(ref _mostConnected);

    /// <summary>Sessions, connected or not.</summary>
    public int SessionCount => _sessions.Count;

    /// <summary>Sessions that ended by expiry.</summary>
    public long SessionsExpired => Volatile.Read(ref _sessionsExpired);

    /// <summary>Makes what one thread, or one connection outside the reactors, needs to publish. It counts for ever; make few.</summary>
    /// <param name="batch">Where messages may wait for those received with them; the caller has it delivered when all have been. Null: none waits.</param>
    public RoutingContext CreateContext(MessageBatch? batch = null)
    {
        var context = new RoutingContext(Subscriptions, batch);
        lock (_contextsLock.Alone()) _contexts.Add(context);
        return context;
    }

    /// <summary>Sums up what went through all contexts.</summary>
    public TrafficCounters CountTraffic()
    {
        var sum = new TrafficCounters();
        lock (_contextsLock.Alone())
        {
            foreach (RoutingContext context in _contexts) sum.Add(context.Counters);
        }

        return sum;
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
}
