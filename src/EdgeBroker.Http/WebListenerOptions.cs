using EdgeBroker.Transport.Proxies;
using EdgeBroker.Transport.Tls;
using EdgeBroker.Transport.UnixSockets;

namespace EdgeBroker.Http;

/// <summary>What a listener of this project speaks.</summary>
public enum WebProtocol
{
    /// <summary>MQTT over TLS.</summary>
    Mqtts,

    /// <summary>MQTT over WebSocket.</summary>
    Ws,

    /// <summary>MQTT over WebSocket over TLS.</summary>
    Wss,

    /// <summary>HTTP: health.</summary>
    Http,

    /// <summary>HTTP over TLS.</summary>
    Https,
}

/// <summary>One <c>[[listener]]</c> of protocol <c>mqtts</c>, <c>ws</c>, <c>wss</c>, <c>http</c> or <c>https</c>.</summary>
public sealed record WebListenerOptions
{
    /// <summary>What it speaks.</summary>
    public required WebProtocol Protocol { get; init; }

    /// <summary><c>host:port</c>, <c>[v6]:port</c> or <c>unix:/path</c>, as written in the configuration.</summary>
    public required string Address { get; init; }

    /// <summary>Whether a client may connect without credentials.</summary>
    public bool AllowAnonymous { get; init; }

    /// <summary>Connections held at once; the next one is closed at accept.</summary>
    public int MaxConnections { get; init; } = 10_000;

    /// <summary>The path WebSocket clients ask for; <c>ws</c> and <c>wss</c>.</summary>
    public string Path { get; init; } = "/mqtt";

    /// <summary>Origins whose pages may connect, as <c>scheme://host[:port]</c>; empty: pages of the same host only.</summary>
    public IReadOnlyList<string> AllowedOrigins { get; init; } = [];

    /// <summary>Who may say for whom it connects, and must, with a PROXY header; null: clients connect themselves.</summary>
    public TrustedProxies? Proxies { get; init; }

    /// <summary>Who may connect to a Unix socket.</summary>
    public SocketFileAccess SocketFile { get; init; } = SocketFileAccess.Default;

    /// <summary>Whether a client of a Unix socket is the user that runs it, without a password; what its certificate says goes first.</summary>
    public bool IdentifiesPeers { get; init; }

    /// <summary>Certificates and what is asked of clients; null for <c>ws</c> and <c>http</c>.</summary>
    public TlsOptions? Tls { get; init; }

    /// <summary>Whether two listeners are configured alike.</summary>
    public bool IsSameAs(WebListenerOptions other) =>
        AllowedOrigins.SequenceEqual(other.AllowedOrigins, StringComparer.Ordinal)
        && (Tls is null ? other.Tls is null : other.Tls is not null && Tls.IsSameAs(other.Tls))
        && this with { AllowedOrigins = other.AllowedOrigins, Tls = other.Tls } == other;

    /// <summary>The protocol as the configuration writes it.</summary>
    public string ProtocolName => Protocol switch
    {
        WebProtocol.Mqtts => "mqtts",
        WebProtocol.Ws => "ws",
        WebProtocol.Wss => "wss",
        WebProtocol.Http => "http",
        _ => "https",
    };
}
