namespace EdgeBroker.Transport.Listeners;

/// <summary>What peers of a CoAP listener may take.</summary>
public sealed record CoapLimits
{
    /// <summary>Peers remembered at once.</summary>
    public int MaxPeers { get; init; } = 4_096;

    /// <summary>Those of one network: of an IPv4 address, or of 64 bits of IPv6.</summary>
    public int MaxPeersPerNetwork { get; init; } = 1_024;

    /// <summary>Exchanges of one peer remembered at once, to tell duplicates.</summary>
    public int MaxExchanges { get; init; } = 64;

    /// <summary>Requests a second and peer.</summary>
    public int RequestsPerSecond { get; init; } = 50;

    /// <summary>How long a peer is remembered that is not heard of and observes nothing.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(600);

    /// <summary>Observations of one peer.</summary>
    public int MaxObservationsPerPeer { get; init; } = 16;

    /// <summary>Observations of all peers.</summary>
    public int MaxObservations { get; init; } = 4_096;

    /// <summary>How often an observer must show that it is there.</summary>
    public TimeSpan ObserverCheck { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Bytes of a request's body, in one message or in blocks.</summary>
    public int MaxBodyBytes { get; init; } = 64 * 1024;

    /// <summary>Bytes of a block: a power of two, 16 to 1024.</summary>
    public int BlockSize { get; init; } = 512;

    /// <summary>Bytes of all bodies that are being put together.</summary>
    public int MaxAssemblyBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>Bytes of responses kept for duplicates; beyond them a duplicate GET is answered anew.</summary>
    public int MaxKeptResponseBytes { get; init; } = 2 * 1024 * 1024;
}
