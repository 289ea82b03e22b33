namespace EdgeBroker.Client;

/// <summary>How far connecting, or a connection, had come when it failed: where to look for the cause.</summary>
public enum FailureLayer
{
    /// <summary>The network, or the server's process.</summary>
    Network,

    /// <summary>The host name could not be looked up.</summary>
    Name,

    /// <summary>The proxy on the way.</summary>
    Proxy,

    /// <summary>TLS: certificates, versions, clocks.</summary>
    Tls,

    /// <summary>What the server says in MQTT.</summary>
    Mqtt,

    /// <summary>Who the client says it is.</summary>
    Authentication,

    /// <summary>What the client may do.</summary>
    Permission,
}
