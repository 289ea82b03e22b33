using System.Globalization;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Metrics;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Limits;

/// <summary>The limits in force, those who keep them, and what they did. Any thread.</summary>
public sealed class BrokerLimits
{
    // What a subscriber that does not read may have waiting while memory is short: enough for a slow link, not for one that is stuck.
    private const int ShortOutputBytes = 16 * 1024;

    private const string ListenerConnections = "max_connections of the listener";

    private readonly Lock _lock = new();
    private readonly BrokerEvents _events;
    private volatile LimitOptions _current = new();
    private volatile ActiveLimits? _active;
    private volatile int _mostQoS0OutputBytes = int.MaxValue;
    private volatile int _mostOutputBytes = int.MaxValue;

    internal BrokerLimits(BrokerClock clock, BrokerEvents events)
    {
        _events = events;
        Memory = new MemoryPressure(OnStageEntered, TellStage);
        Ledger.Grown = () => Memory.Raise(Ledger.TotalBytes);
        Connections = new ConnectionLimiter(this, clock);
        Logins = new LoginGuard(this, clock);
    }

    /// <summary>The limits in force.</summary>
    public LimitOptions Current => _current;

    /// <summary>What connections look at with each packet; null: nothing.</summary>
    public ActiveLimits? Active => _active;

    /// <summary>Who may come in.</summary>
    public ConnectionLimiter Connections { get; }

    /// <summary>Who may try to log in.</summary>
    public LoginGuard Logins { get; }

    /// <summary>What memory calls for.</summary>
    public MemoryPressure Memory { get; }

    /// <summary>What memory is used for.</summary>
    public MemoryLedger Ledger { get; } = new();

    /// <summary>Who has how much of what stays when its client has gone.</summary>
    public HolderTable Holders { get; } = new();

    /// <summary>What the limits did.</summary>
    public LimitCounters Counters { get; } = new();

    /// <summary>Bytes kept of packets that are not complete, of all who have not logged in together: an eighth of the memory there may be, if that is less.
    /// </summary>
    public long MostUnauthenticatedBytes => Math.Min(_current.MaxUnauthenticatedBytes, Ledger.LimitBytes / 8);

    /// <summary>Bytes a connection may have waiting before QoS 0 is dropped for it, besides its own limit.</summary>
    public int MostQoS0OutputBytes => _mostQoS0OutputBytes;

    /// <summary>Bytes a connection may have waiting before it is not read, and messages wait in its session, besides its own limit.</summary>
    public int MostOutputBytes => _mostOutputBytes;

    /// <summary>
    /// Puts other limits in force, for connections that are there and those to come. Nobody is disconnected for what was permitted until now.
    /// </summary>
    public void Replace(LimitOptions options)
    {
        LimitOptions before;
        lock (_lock.Alone())
        {
            before = _current;
            if (options == before) return;
            _current = options;
            _active = ActiveLimits.Of(options, Memory.Stage);
        }

        // What was used up of another rate says nothing about this one.
        if (options.ConnectionsPerIp != before.ConnectionsPerIp) Connections.ForgetRates();
        if (options.AuthFailuresPerIp != before.AuthFailuresPerIp) Logins.Forget();
    }

    /// <summary>Counts what a limit did, and has it logged.</summary>
    /// <param name="limit">Which limit.</param>
    /// <param name="action">What it did.</param>
    /// <param name="who">To which client, or, before it has a name, to which address.</param>
    public void Report(LimitKind limit, LimitAction action, string who)
    {
        Counters.Count(limit, action);
        _events.LimitReached(new LimitReachedEvent(limit, action, who, this));
    }

    /// <summary>The same without a line in the log of its own: another event tells of it.</summary>
    public void Count(LimitKind limit, LimitAction action) => Counters.Count(limit, action);

    /// <summary>Registers what limits did, and what memory calls for. What a limit never did is not told: most of them cannot.</summary>
    internal void RegisterMeters(MeterRegistry meters)
    {
        foreach (LimitKind limit in Enum.GetValues<LimitKind>())
        {
            foreach (LimitAction action in Enum.GetValues<LimitAction>())
            {
                string what = NameOf(action);
                meters.Counter(
                    "edgebroker.limits.reached",
                    "{action}",
                    "what limits did",
                    () => Counters[limit, action] is > 0 and long count ? count : null,
                    $"limits/{KeyOf(limit)}/{what}",
                    tags: [new MeterTag("limit", KeyOf(limit)), new MeterTag("action", what)]);
            }
        }

        Ledger.RegisterMeters(meters);
        meters.State(
            "limits/max_memory/stage", "what the broker does without because memory is short", () => Memory.LimitBytes == 0 ? null : NameOf(Memory.Stage));
        meters.Gauge(
            "edgebroker.memory.stage", "{stage}", "what the broker does without: 0 nothing, 1 connections, 2 fast publishers, 3 QoS 0",
            () => WhenLimited((long)Memory.Stage));
        meters.Gauge("edgebroker.memory.used", MeterUnit.Bytes, "memory in use", () => WhenLimited(Memory.UsedBytes), "limits/max_memory/used");
        meters.Gauge("edgebroker.memory.limit", MeterUnit.Bytes, "memory there may be", () => WhenLimited(Memory.LimitBytes), "limits/max_memory/limit");
    }

    /// <summary>A limit as a person knows it: key and value.</summary>
    public string Describe(LimitKind limit)
    {
        if (limit == LimitKind.MaxListenerConnections) return ListenerConnections;
        return ValueOf(limit) is { } value ? $"limits.{KeyOf(limit)} ({value})" : "limits." + KeyOf(limit);
    }

    /// <summary>What a limit is set to, in words; null: nothing is, or each listener has its own.</summary>
    public string? ValueOf(LimitKind limit)
    {
        LimitOptions options = _current;
        return limit switch
        {
            LimitKind.ConnectionsPerIp => Show(options.ConnectionsPerIp),
            LimitKind.PublishesPerClient => Show(options.PublishesPerClient),
            LimitKind.BytesPerClient => Show(options.BytesPerClient),
            LimitKind.SubscribesPerClient => Show(options.SubscribesPerClient),
            LimitKind.AuthFailuresPerIp => Show(options.AuthFailuresPerIp),
            LimitKind.MaxConnections => options.MaxConnections?.ToString(CultureInfo.InvariantCulture),
            LimitKind.MaxConnectionsPerIp => options.MaxConnectionsPerIp?.ToString(CultureInfo.InvariantCulture),
            LimitKind.MaxSessions => options.MaxSessions.ToString(CultureInfo.InvariantCulture),
            LimitKind.MaxSessionsPerUser => options.MaxSessionsPerUser.ToString(CultureInfo.InvariantCulture),
            LimitKind.MaxFilters => options.MaxFilters.ToString(CultureInfo.InvariantCulture),
            LimitKind.MaxFiltersPerUser => options.MaxFiltersPerUser.ToString(CultureInfo.InvariantCulture),
            LimitKind.MaxRetained => options.MaxRetained.ToString(CultureInfo.InvariantCulture),
            LimitKind.MaxRetainedPerUser => options.MaxRetainedPerUser.ToString(CultureInfo.InvariantCulture),
            LimitKind.MaxRetainedBytes => ShowBytes(options.MaxRetainedBytes),
            LimitKind.MaxRetainedBytesPerUser => ShowBytes(options.MaxRetainedBytesPerUser),
            LimitKind.MaxWillBytes => ShowBytes(options.MaxWillBytes),
            LimitKind.MaxWillBytesPerUser => ShowBytes(options.MaxWillBytesPerUser),
            LimitKind.MaxUnauthenticatedBytes => ShowBytes(MostUnauthenticatedBytes),
            LimitKind.SendTimeout => string.Create(CultureInfo.InvariantCulture, $"{options.SendTimeout.TotalSeconds:0.###} s"),
            LimitKind.MaxMemory => string.Create(CultureInfo.InvariantCulture, $"{Memory.UsedBytes / 1024} of {Memory.LimitBytes / 1024} KB in use"),
            _ => null,
        };
    }

    /// <summary>What a client is told of a limit: its key, not its value.</summary>
    public static string NameOf(LimitKind limit) => limit == LimitKind.MaxListenerConnections ? ListenerConnections : "limits." + KeyOf(limit);

    /// <summary>The key of a limit in the table <c>[limits]</c>.</summary>
    public static string KeyOf(LimitKind limit) => limit switch
    {
        LimitKind.ConnectionsPerIp => "connections_per_ip",
        LimitKind.MaxConnectionsPerIp => "max_connections_per_ip",
        LimitKind.MaxConnections => "max_connections",
        LimitKind.PublishesPerClient => "publishes_per_client",
        LimitKind.BytesPerClient => "bytes_per_client",
        LimitKind.SubscribesPerClient => "subscribes_per_client",
        LimitKind.AuthFailuresPerIp => "auth_failures_per_ip",
        LimitKind.ConnectTimeout => "connect_timeout",
        LimitKind.MaxUnauthenticatedBytes => "max_unauthenticated_bytes",
        LimitKind.SendTimeout => "send_timeout",
        LimitKind.MaxSessions => "max_sessions",
        LimitKind.MaxRetained => "max_retained",
        LimitKind.MaxRetainedBytes => "max_retained_bytes",
        LimitKind.MaxListenerConnections => "max_connections_of_listener",
        LimitKind.MaxSessionsPerUser => "max_sessions_per_user",
        LimitKind.MaxWillBytes => "max_will_bytes",
        LimitKind.MaxWillBytesPerUser => "max_will_bytes_per_user",
        LimitKind.MaxFilters => "max_filters",
        LimitKind.MaxFiltersPerUser => "max_filters_per_user",
        LimitKind.MaxRetainedPerUser => "max_retained_per_user",
        LimitKind.MaxRetainedBytesPerUser => "max_retained_bytes_per_user",
        _ => "max_memory",
    };

    /// <summary>What a 5.0 client is told of a limit; 3.1.1 is told the nearest it has.</summary>
    public static ReasonCode ReasonOf(LimitKind limit) => limit switch
    {
        LimitKind.ConnectionsPerIp or LimitKind.AuthFailuresPerIp => ReasonCode.ConnectionRateExceeded,
        LimitKind.MaxConnections or LimitKind.MaxListenerConnections or LimitKind.MaxMemory or LimitKind.MaxUnauthenticatedBytes => ReasonCode.ServerBusy,
        LimitKind.PublishesPerClient or LimitKind.BytesPerClient => ReasonCode.MessageRateTooHigh,
        _ => ReasonCode.QuotaExceeded,
    };

    private long? WhenLimited(long bytes) => Memory.LimitBytes == 0 ? null : bytes;

    private static string NameOf(LimitAction action) => action switch
    {
        LimitAction.Delayed => "delayed",
        LimitAction.Dropped => "dropped",
        LimitAction.Disconnected => "disconnected",
        _ => "refused",
    };

    private static string NameOf(MemoryStage stage) => stage switch
    {
        MemoryStage.Normal => "normal",
        MemoryStage.Refusing => "refusing",
        MemoryStage.Pausing => "pausing",
        _ => "dropping",
    };

    private static string ShowBytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024} KB");

    private static string? Show(RateLimit? rate) => rate is null ? null : string.Create(CultureInfo.InvariantCulture, $"{rate.Text}, burst {rate.Burst}");

    // On any thread, perhaps under a lock: what another thread replaces at the same moment is put right by the next reading.
    private void OnStageEntered(MemoryStage stage)
    {
        _active = ActiveLimits.Of(_current, stage);
        _mostQoS0OutputBytes = stage == MemoryStage.Dropping ? ShortOutputBytes : int.MaxValue;
        _mostOutputBytes = stage >= MemoryStage.Pausing ? ShortOutputBytes : int.MaxValue;
    }

    private void TellStage(MemoryStage stage)
    {
        lock (_lock.Alone()) OnStageEntered(Memory.Stage);
        _events.MemoryStageChanged(new MemoryStageEvent(stage, Memory.UsedBytes, Memory.LimitBytes));
    }
}
