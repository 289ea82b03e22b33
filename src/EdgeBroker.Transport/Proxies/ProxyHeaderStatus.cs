namespace EdgeBroker.Transport.Proxies;

/// <summary>What the first bytes of a connection are to <see cref="ProxyHeader"/>.</summary>
public enum ProxyHeaderStatus
{
    /// <summary>The beginning of a header, as far as it goes.</summary>
    Incomplete,

    /// <summary>A header.</summary>
    Complete,

    /// <summary>No header, whatever may follow.</summary>
    Malformed,
}
