namespace EdgeBroker.Interop.Tests.Clients;

/// <summary>What a foreign client shall connect with. It goes to 127.0.0.1.</summary>
public sealed record ForeignConnect(int Port, string Version, string ClientId)
{
    public bool Clean { get; init; } = true;

    /// <summary>Session expiry; 5.0 only.</summary>
    public uint? ExpirySeconds { get; init; }

    public ForeignMessage? Will { get; init; }

    /// <summary>5.0 only.</summary>
    public uint? WillDelaySeconds { get; init; }

    /// <summary>mqtts, ws or wss, for the clients that can; null: plain TCP.</summary>
    public string? Via { get; init; }

    /// <summary>The authority to trust, a PEM file.</summary>
    public string? AuthorityFile { get; init; }
}

/// <summary>One connection of a client written by others.</summary>
public interface IForeignClient : IDisposable
{
    /// <summary>Whether the library keeps user properties of one name together, so that their order among other names is lost in it.</summary>
    bool GroupsUserProperties { get; }

    /// <summary>Connects; returns whether the session was present.</summary>
    Task<bool> ConnectAsync(ForeignConnect connect);

    /// <summary>Subscribes; returns the granted QoS.</summary>
    Task<int> SubscribeAsync(string filter, int qos, uint identifier = 0);

    Task UnsubscribeAsync(string filter);

    /// <summary>Publishes and waits until the message is acknowledged as its QoS has it.</summary>
    Task PublishAsync(ForeignMessage message);

    /// <summary>Publishes "0", "1", ... without waiting in between, then waits for all acknowledgements.</summary>
    Task BurstAsync(string topic, int qos, int count);

    /// <summary>The next message in the order of arrival, past or to come.</summary>
    Task<ForeignMessage> MessageAsync();

    Task DisconnectAsync();

    /// <summary>Lets the connection break without goodbye.</summary>
    void Break();
}
