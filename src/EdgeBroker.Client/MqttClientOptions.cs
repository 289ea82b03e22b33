using EdgeBroker.Protocol;

namespace EdgeBroker.Client;

/// <summary>How a client connects, and the bounds it keeps.</summary>
public sealed record MqttClientOptions
{
    /// <summary>Where to connect to.</summary>
    public required IClientTransport Transport { get; init; }

    /// <summary>Other servers that will do; tried in turn, see <see cref="ServerOrder"/>.</summary>
    public IReadOnlyList<IClientTransport> OtherServers { get; init; } = [];

    /// <summary>Which of several servers is connected to.</summary>
    public ServerOrder ServerOrder { get; init; }

    /// <summary>While connected to another server than the first: how often to look whether the first answers again.</summary>
    public TimeSpan FailBackInterval { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>The MQTT version.</summary>
    public ProtocolVersion Version { get; init; } = ProtocolVersion.V5;

    /// <summary>The client id; empty: the server chooses one.</summary>
    public string ClientId { get; init; } = "";

    /// <summary>Whether the server forgets an earlier session on connecting. Connecting again after a loss resumes the session wherever it lasts.</summary>
    public bool CleanStart { get; init; } = true;

    /// <summary>How long the server keeps the session after the connection (5.0); <see cref="uint.MaxValue"/>: for ever.</summary>
    public uint SessionExpirySeconds { get; init; }

    /// <summary>User name, or null.</summary>
    public string? UserName { get; init; }

    /// <summary>Password, or null.</summary>
    public byte[]? Password { get; init; }

    /// <summary>
    /// Asked for user name and password before each attempt to connect, as where they expire; null: <see cref="UserName"/> and <see cref="Password"/> hold.
    /// </summary>
    public Func<CancellationToken, ValueTask<ClientCredentials>>? Credentials { get; init; }

    /// <summary>
    /// How to be authenticated other than by the password in CONNECT (5.0); null: not at all. Leave user name and password out then: what the method needs it
    /// has.
    /// </summary>
    public IAuthenticationMethod? Authentication { get; init; }

    /// <summary>The will, or null.</summary>
    public Will? Will { get; init; }

    /// <summary>Keep alive; 0: none. The server may impose another (5.0).</summary>
    public ushort KeepAliveSeconds { get; init; } = 60;

    /// <summary>QoS 1 and 2 messages the server may send before the first is acknowledged (5.0).</summary>
    public ushort ReceiveMaximum { get; init; } = 100;

    /// <summary>
    /// Messages beyond <see cref="ReceiveMaximum"/> that are put up with; mosquitto 2.0 overshoots under load. Beyond them the connection ends.
    /// </summary>
    public int ReceiveMaximumTolerance { get; init; } = 1000;

    /// <summary>Topic aliases the server may set (5.0).</summary>
    public ushort TopicAliasMaximum { get; init; } = 16;

    /// <summary>The largest packet accepted; the server is told in 5.0, and a larger one ends the connection in both versions.</summary>
    public int MaximumPacketSizeBytes { get; init; } = 4 << 20;

    /// <summary>
    /// Own QoS 1 and 2 messages sent before the first is acknowledged; null: 1000 within the server's Receive Maximum (5.0), and 20 in 3.1.1, where a server
    /// cannot say how many it takes - mosquitto, for one, silently drops what goes beyond its 20.
    /// </summary>
    public ushort? MaximumInflight { get; init; }

    /// <summary>QoS 1 and 2 messages accepted and neither sent nor acknowledged yet; one more is refused.</summary>
    public int MaximumQueued { get; init; } = 10_000;

    /// <summary>Received messages waiting for the application; then no further PUBLISH is read.</summary>
    public int ReceiveQueueMessages { get; init; } = 1000;

    /// <summary>Bytes of received messages waiting for the application; then no further PUBLISH is read.</summary>
    public int ReceiveQueueBytes { get; init; } = 4 << 20;

    /// <summary>Bytes waiting to be written; then publishing waits.</summary>
    public int SendBufferBytes { get; init; } = 256 << 10;

    /// <summary>The application acknowledges each QoS 1 and 2 message itself; otherwise that happens when it takes the message.</summary>
    public bool AcknowledgeManually { get; init; }

    /// <summary>Time allowed from opening the stream to CONNACK.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Connect again by itself after a loss; null: the client ends with its connection.</summary>
    public ReconnectOptions? Reconnect { get; init; }

    /// <summary>Further CONNECT properties: user properties, authentication, request information.</summary>
    public MqttProperties? Properties { get; init; }

    /// <summary>The clock of every timer.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Says by 3.1.1's protocol level that this is a bridge, as mosquitto does; servers that do not know it refuse.</summary>
    public bool IsBridge { get; init; }

    /// <summary>Called when a connection was made or lost; must return soon.</summary>
    public Action<ConnectionChange>? ConnectionChanged { get; init; }

    /// <summary>Called for every packet sent or received; must return soon.</summary>
    public Action<PacketTrace>? Trace { get; init; }

    /// <summary>Whether the server keeps the session when the connection ends.</summary>
    internal bool SessionLasts => Version == ProtocolVersion.V5 ? SessionExpirySeconds > 0 : !CleanStart;

    internal ushort InflightWindow => MaximumInflight ?? (Version == ProtocolVersion.V5 ? (ushort)1000 : (ushort)20);

    internal async ValueTask<ClientCredentials> FindCredentialsAsync(CancellationToken cancellationToken)
    {
        if (Credentials is null) return new ClientCredentials(UserName, Password);
        ClientCredentials found = await Credentials(cancellationToken).ConfigureAwait(false);
        if (Version == ProtocolVersion.V311 && found is { Password: not null, UserName: null })
        {
            throw new MqttException("MQTT 3.1.1 has no password without a user name; give both.");
        }

        return found;
    }

    internal void Validate()
    {
        if (IsBridge && Version != ProtocolVersion.V311) throw new ArgumentException("Only MQTT 3.1.1 has a mark for bridges; 5.0 has No Local instead.");

        if (Version == ProtocolVersion.V311 && ClientId.Length == 0 && !CleanStart)
        {
            throw new ArgumentException("MQTT 3.1.1 needs a client id to keep a session; give one, or connect clean.");
        }

        if (Version == ProtocolVersion.V311 && Password is not null && UserName is null)
        {
            throw new ArgumentException("MQTT 3.1.1 has no password without a user name; give both.");
        }

        if (Authentication is not null
            && (Version == ProtocolVersion.V311 || Properties?.Has(PropertyId.AuthenticationMethod) == true
                || Properties?.Has(PropertyId.AuthenticationData) == true))
        {
            throw new ArgumentException("An authentication method needs MQTT 5, and is named once: leave it out of the properties.");
        }

        if (ReceiveMaximum == 0 || MaximumInflight == 0 || MaximumPacketSizeBytes <= 0
            || ReceiveQueueMessages <= 0 || ReceiveQueueBytes <= 0 || SendBufferBytes <= 0)
        {
            throw new ArgumentException("A bound of the client is 0; every bound is at least 1.");
        }

        if (Properties is { } p && (p.Has(PropertyId.SessionExpiryInterval) || p.Has(PropertyId.ReceiveMaximum)
            || p.Has(PropertyId.MaximumPacketSize) || p.Has(PropertyId.TopicAliasMaximum)))
        {
            throw new ArgumentException("Session expiry, receive maximum, maximum packet size and topic alias maximum have options of their own.");
        }
    }
}
