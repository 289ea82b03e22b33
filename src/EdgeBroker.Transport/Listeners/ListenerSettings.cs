using EdgeBroker.Transport.Proxies;
using EdgeBroker.Transport.Tls;
using EdgeBroker.Transport.UnixSockets;

namespace EdgeBroker.Transport.Listeners;

/// <summary>One <c>[[listener]]</c>.</summary>
public sealed record ListenerSettings
{
    /// <summary>What it speaks.</summary>
    public required ListenerProtocol Protocol { get; init; }

    /// <summary><c>host:port</c>, <c>[v6]:port</c> or <c>unix:/path</c>, as written in the configuration.</summary>
    public required string Address { get; init; }

    /// <summary>Of <c>[::]:port</c>: whether another listener has the port of IPv4.</summary>
    public bool IsIPv6Only { get; init; }

    /// <summary>Whether a client may connect without credentials.</summary>
    public bool AllowAnonymous { get; init; }

    /// <summary>Connections held at once; the next one is told so, and closed.</summary>
    public int MaxConnections { get; init; } = 10_000;

    /// <summary>Who may say for whom it connects, and must, with a PROXY header; null: clients connect themselves.</summary>
    public TrustedProxies? Proxies { get; init; }

    /// <summary>Who may connect to a Unix socket.</summary>
    public SocketFileAccess SocketFile { get; init; } = SocketFileAccess.Default;

    /// <summary>Whether a client of a Unix socket is the user that runs it, without a password; what its certificate says goes first.</summary>
    public bool IdentifiesPeers { get; init; }

    /// <summary>The path WebSocket clients ask for; <c>ws</c> and <c>wss</c>.</summary>
    public string Path { get; init; } = "/mqtt";

    /// <summary>Origins whose pages may connect, as <c>scheme://host[:port]</c>; empty: pages of the same host only. <c>ws</c> and <c>wss</c>.</summary>
    public IReadOnlyList<string> AllowedOrigins { get; init; } = [];

    /// <summary>What is served; <c>http</c> and <c>https</c>.</summary>
    public HttpSurfaces Serve { get; init; } = HttpSurfaces.All;

    /// <summary>Certificates and what is asked of clients; null where the protocol has no TLS.</summary>
    public TlsOptions? Tls { get; init; }

    /// <summary>The file of clients with keys both sides know (<see cref="Transport.Tls.PskFile"/>), its full path; null: none. <c>coaps</c>.</summary>
    public string? PskFile { get; init; }

    /// <summary>Whether a query may hold a user name and a password; <c>coap</c>, <c>coaps</c>.</summary>
    public bool AllowQueryCredentials { get; init; }

    /// <summary>What peers may take; <c>coap</c>, <c>coaps</c>.</summary>
    public CoapLimits Coap { get; init; } = new();

    /// <summary>Protocol and address, by which a listener is known: <c>mqtt on 127.0.0.1:1883</c>.</summary>
    public string Name => $"{Protocol.ToWord()} on {Address}";

    /// <summary>
    /// Whether it can become the other by changing its settings: a socket's file has its owner and mode from the start, and what is remembered of peers its
    /// limits.
    /// </summary>
    public bool IsSameListener(ListenerSettings other) =>
        Protocol == other.Protocol && Address == other.Address && IsIPv6Only == other.IsIPv6Only && SocketFile == other.SocketFile && Coap == other.Coap;

    /// <summary>Whether two listeners are configured alike.</summary>
    public bool IsSameAs(ListenerSettings other) =>
        AllowedOrigins.SequenceEqual(other.AllowedOrigins, StringComparer.Ordinal)
        && (Tls is null ? other.Tls is null : other.Tls is not null && Tls.IsSameAs(other.Tls))
        && this with { AllowedOrigins = other.AllowedOrigins, Tls = other.Tls } == other;
}
