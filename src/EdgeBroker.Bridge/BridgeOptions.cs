using EdgeBroker.Bridge.Routes;
using EdgeBroker.Client;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Protocol;

namespace EdgeBroker.Bridge;

/// <summary>When a bridge connects.</summary>
public enum BridgeStart
{
    /// <summary>At once, and again after each loss.</summary>
    Automatic,

    /// <summary>When something waits to go out; it leaves when nothing has for a while.</summary>
    Lazy,

    /// <summary>When told to.</summary>
    OnCommand,
}

/// <summary>Who is told by message whether a bridge is connected.</summary>
public enum BridgeNotifications
{
    /// <summary>Nobody.</summary>
    Off,

    /// <summary>Clients of this broker.</summary>
    Local,

    /// <summary>Clients of both brokers.</summary>
    Both,
}

/// <summary>A bridge as configured.</summary>
public sealed record BridgeOptions
{
    /// <summary>Its name: unique, and part of its session's client id.</summary>
    public required string Name { get; init; }

    /// <summary>How to connect. Session expiry, clean start and bounds are its own; credentials are asked for before each attempt.</summary>
    public required MqttClientOptions Connection { get; init; }

    /// <summary>What it carries.</summary>
    public required IReadOnlyList<RouteOptions> Routes { get; init; }

    /// <summary>How what waits to go out is kept.</summary>
    public required QueuePolicy Queue { get; init; }

    /// <summary>Tells one configuration from another, secrets and files included.</summary>
    public required string Fingerprint { get; init; }

    /// <summary>When it connects.</summary>
    public BridgeStart Start { get; init; }

    /// <summary>How long a lazy bridge stays connected with nothing to send.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>The waits between attempts to connect.</summary>
    public ReconnectOptions Reconnect { get; init; } = new() { FirstDelay = TimeSpan.FromSeconds(2), LongestDelay = TimeSpan.FromSeconds(60) };

    /// <summary>How long the other broker may acknowledge nothing before the connection counts as dead.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How fast what has waited goes out; null: as fast as it is taken.</summary>
    public RateLimit? DrainRate { get; init; }

    /// <summary>Queues of their own, for the routes that name them. They go in this order, and before what has none.</summary>
    public IReadOnlyList<LaneOptions> Lanes { get; init; } = [];

    /// <summary>How messages tell when they were published here.</summary>
    public CaptureTime CaptureTime { get; init; }

    /// <summary>How fast anything goes out; null: as fast as it is taken.</summary>
    public RateLimit? PublishRate { get; init; }

    /// <summary>The highest QoS the other side knows.</summary>
    public QoS MaximumQoS { get; init; } = QoS.ExactlyOnce;

    /// <summary>Whether the other side keeps retained messages.</summary>
    public bool RetainAvailable { get; init; } = true;

    /// <summary>Bytes of a whole PUBLISH that the other side takes at most; it may grant less.</summary>
    public int MaximumPacketBytes { get; init; } = int.MaxValue;

    /// <summary>Filters in one SUBSCRIBE.</summary>
    public int FiltersPerSubscribe { get; init; } = 100;

    /// <summary>Messages sent and not acknowledged; what the other side says may be less.</summary>
    public ushort MaximumInflight { get; init; } = 100;

    /// <summary>Who is told whether it is connected.</summary>
    public BridgeNotifications Notifications { get; init; } = BridgeNotifications.Local;

    /// <summary>The topic on which it is told; <c>{client}</c> is filled in already.</summary>
    public string NotificationTopic { get; init; } = "";

    /// <summary>Brokers a message may have come through; one more, and it does not go on.</summary>
    public int MaximumHops { get; init; } = 8;

    /// <summary>Whether messages carry the way they came, as a user property, to a 5.0 broker.</summary>
    public bool TellsPath { get; init; } = true;

    /// <summary>How long a message that went out and comes back unmarked is known for what it is; null: no digests are kept.</summary>
    public TimeSpan? EchoWindow { get; init; }

    /// <summary>How long a connection lasts before it is made anew, because what it was let in with expires; null: for ever.</summary>
    public TimeSpan? RenewAfter { get; init; }

    /// <summary>Whether the other side lets in this gateway under the one client id only.</summary>
    public bool HasBoundClientId { get; init; }

    /// <summary>Where a trial sends its message; null: nowhere.</summary>
    public string? ProbeTopic { get; init; }

    /// <summary>Whether that message comes back.</summary>
    public bool ProbeComesBack { get; init; } = true;

    /// <summary>Whether the other side may be a broker that hands messages on with what they carry; a cloud is told nothing of that.</summary>
    internal bool LeadsToBroker => TellsPath && Connection.Properties is not null;

    /// <summary>The client id of its session here, which is that of the routes without a lane.</summary>
    public string SessionId => Core.Receivers.ReservedIds.Bridge + Name;

    /// <summary>All lanes in the order in which they go, the one of the routes that name none at the end.</summary>
    internal IReadOnlyList<LaneOptions> AllLanes => [.. Lanes, new LaneOptions { Name = "", Queue = Queue, DrainRate = DrainRate }];

    /// <summary>The client id of a lane's session here.</summary>
    internal string SessionOf(string lane) => lane.Length == 0 ? SessionId : SessionId + "/" + lane;

    /// <summary>The subscriptions on the other side ask that own messages do not come back.</summary>
    internal bool HasBothWays => Routes.Any(route => route.GoesOut) && Routes.Any(route => route.ComesIn);
}
