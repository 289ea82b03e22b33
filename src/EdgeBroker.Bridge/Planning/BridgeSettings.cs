using EdgeBroker.Bridge.Routes;
using EdgeBroker.Client;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Protocol;

namespace EdgeBroker.Bridge.Planning;

/// <summary>A bridge as a person writes it; null where nothing is said. <see cref="BridgePlanner"/> makes <see cref="BridgeOptions"/> of it.</summary>
public sealed record BridgeSettings
{
    /// <summary>Its name.</summary>
    public string Name { get; init; } = "";

    /// <summary>What kind of broker is on the other side.</summary>
    public string? Preset { get; init; }

    /// <summary>Where it is: <c>host:port</c>, with <c>mqtt://</c>, <c>mqtts://</c>, <c>ws://</c> or <c>wss://</c> before it, or <c>unix:/path</c>.</summary>
    public IReadOnlyList<string> Addresses { get; init; } = [];

    /// <summary>Which of several addresses is connected to.</summary>
    public ServerOrder ServerOrder { get; init; }

    /// <summary>How often to look whether the first address answers again.</summary>
    public TimeSpan FailBackInterval { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>When it connects.</summary>
    public BridgeStart Start { get; init; }

    /// <summary>How long a lazy bridge stays connected with nothing to send.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>The version that is spoken.</summary>
    public ProtocolVersion? Version { get; init; }

    /// <summary>The client id on the other side.</summary>
    public string? ClientId { get; init; }

    /// <summary>The user name.</summary>
    public string? UserName { get; init; }

    /// <summary>Reads the password, before each attempt to connect.</summary>
    public Func<byte[]?>? Password { get; init; }

    /// <summary>Reads the device's key, of which tokens are made.</summary>
    public Func<byte[]?>? DeviceKey { get; init; }

    /// <summary>Reads the private key of which JSON Web Tokens are made.</summary>
    public Func<byte[]?>? TokenKey { get; init; }

    /// <summary>Whom the tokens are for.</summary>
    public string? TokenAudience { get; init; }

    /// <summary>How long tokens that are made here are good.</summary>
    public TimeSpan TokenLifetime { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Reads the id of the AWS access key by which the request for a WebSocket is signed, before each attempt to connect.</summary>
    public Func<byte[]?>? AwsKeyId { get; init; }

    /// <summary>Reads its secret.</summary>
    public Func<byte[]?>? AwsSecretKey { get; init; }

    /// <summary>Of a temporary key: reads the token that belongs to it.</summary>
    public Func<byte[]?>? AwsSessionToken { get; init; }

    /// <summary>The region that is signed for; null: as the address says.</summary>
    public string? AwsRegion { get; init; }

    /// <summary>Whether requests are to be signed.</summary>
    public bool IsSigned => AwsKeyId is not null || AwsSecretKey is not null || AwsSessionToken is not null;

    /// <summary>Says that the other side be asked in the manner of a bridge: by No Local, and in 3.1.1 by the bit for bridges.</summary>
    public bool? TryPrivate { get; init; }

    /// <summary>Keep alive.</summary>
    public TimeSpan? KeepAlive { get; init; }

    /// <summary>Whether each connection begins a session of its own on the other side.</summary>
    public bool? CleanStart { get; init; }

    /// <summary>How long the other side keeps the session (5.0).</summary>
    public TimeSpan SessionExpiry { get; init; } = TimeSpan.FromDays(7);

    /// <summary>Messages sent and not acknowledged.</summary>
    public int? MaximumInflight { get; init; }

    /// <summary>The largest packet that is accepted from the other side.</summary>
    public int MaximumPacketBytes { get; init; } = 16 << 20;

    /// <summary>TLS, its files read anew before each attempt to connect; null: as the addresses and the preset say, with the system's authorities.</summary>
    public BridgeTls? Tls { get; init; }

    /// <summary>The proxy on the way: <c>http://host:port</c> or <c>socks5://host:port</c>; null: none.</summary>
    public string? Proxy { get; init; }

    /// <summary>The user name that the proxy is shown.</summary>
    public string? ProxyUser { get; init; }

    /// <summary>Reads the password that the proxy is shown.</summary>
    public Func<byte[]?>? ProxyPassword { get; init; }

    /// <summary>The local address to connect from.</summary>
    public string? BindAddress { get; init; }

    /// <summary>The first wait before another attempt to connect.</summary>
    public TimeSpan FirstRetry { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>The longest wait before another attempt to connect.</summary>
    public TimeSpan LongestRetry { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long the other side may acknowledge nothing.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How fast anything goes out.</summary>
    public RateLimit? PublishRate { get; init; }

    /// <summary>How fast what has waited goes out.</summary>
    public RateLimit? DrainRate { get; init; }

    /// <summary>How what waits to go out is kept.</summary>
    public QueuePolicy Queue { get; init; } = new(1_000_000, 512 << 20, TimeSpan.FromDays(7), null, Core.QueueOverflow.DropOldest, KeepsQoS0: false);

    /// <summary>Queues of their own, in the order in which they go.</summary>
    public IReadOnlyList<LaneOptions> Lanes { get; init; } = [];

    /// <summary>How messages tell when they were published here.</summary>
    public CaptureTime CaptureTime { get; init; }

    /// <summary>Who is told whether it is connected.</summary>
    public BridgeNotifications? Notifications { get; init; }

    /// <summary>Where it is told.</summary>
    public string NotificationTopic { get; init; } = "$SYS/broker/connection/{client}/state";

    /// <summary>Brokers a message may have come through.</summary>
    public int MaximumHops { get; init; } = 8;

    /// <summary>Whether messages carry the way they came.</summary>
    public bool TellsPath { get; init; } = true;

    /// <summary>How long what went out is known when it comes back unmarked; null: not at all.</summary>
    public TimeSpan? EchoWindow { get; init; }

    /// <summary>What it carries.</summary>
    public IReadOnlyList<RouteSettings> Routes { get; init; } = [];

    /// <summary>Whether the other side is shown a certificate.</summary>
    public bool HasClientCertificate => Tls?.CertificateFile is not null;
}

/// <summary>TLS of a bridge.</summary>
/// <param name="AuthorityFile">PEM; null: the system's.</param>
/// <param name="CertificateFile">The own certificate, PEM with its chain; null: none.</param>
/// <param name="KeyFile">Its key.</param>
/// <param name="ApplicationProtocol">The application protocol to name (ALPN); null: none.</param>
/// <param name="AnyName">Whether the server's certificate may be for another name.</param>
/// <param name="Only13">Whether TLS 1.2 is not offered.</param>
public sealed record BridgeTls(
    string? AuthorityFile = null, string? CertificateFile = null, string? KeyFile = null, string? ApplicationProtocol = null, bool AnyName = false,
    bool Only13 = false);

/// <summary>A route as a person writes it.</summary>
public sealed record RouteSettings
{
    /// <summary>Which way.</summary>
    public RouteDirection Direction { get; init; } = RouteDirection.Out;

    /// <summary>The topic filter here.</summary>
    public string Local { get; init; } = "";

    /// <summary>The topic filter or template there.</summary>
    public string? Remote { get; init; }

    /// <summary>The highest QoS.</summary>
    public QoS? MaximumQoS { get; init; }

    /// <summary>Whether a retained message stays one.</summary>
    public bool? KeepsRetain { get; init; }

    /// <summary>The lane by which messages go out; null: that of all routes that give none.</summary>
    public string? Lane { get; init; }

    /// <summary>Filters of local topics that do not go.</summary>
    public IReadOnlyList<string> Exclude { get; init; } = [];

    /// <summary>The longest payload that goes.</summary>
    public int? MaximumPayloadBytes { get; init; }
}
