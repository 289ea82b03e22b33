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
}
