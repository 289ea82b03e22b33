using EdgeBroker.Transport.Proxies;
using EdgeBroker.Transport.UnixSockets;

namespace EdgeBroker.Mqtt;

/// <summary>One <c>[[listener]]</c> of protocol <c>mqtt</c>.</summary>
public sealed record ListenerOptions
{
    /// <summary><c>host:port</c>, <c>[v6]:port</c> or <c>unix:/path</c>, as written in the configuration.</summary>
    public required string Address { get; init; }

    /// <summary>Whether a client may connect without credentials.</summary>
    public bool AllowAnonymous { get; init; }

    /// <summary>Connections held at once; the next one is closed at accept.</summary>
    public int MaxConnections { get; init; } = 10_000;

    /// <summary>Who may say for whom it connects, and must, with a PROXY header; null: clients connect themselves.</summary>
    public TrustedProxies? Proxies { get; init; }

    /// <summary>Who may connect to a Unix socket.</summary>
    public SocketFileAccess SocketFile { get; init; } = SocketFileAccess.Default;

    /// <summary>Whether a client of a Unix socket is the user that runs it, without a password.</summary>
    public bool IdentifiesPeers { get; init; }
}
