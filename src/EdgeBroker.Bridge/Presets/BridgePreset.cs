using EdgeBroker.Bridge.Planning;
using EdgeBroker.Core.Limits;
using EdgeBroker.Protocol;

namespace EdgeBroker.Bridge.Presets;

/// <summary>
/// What a kind of broker asks for and allows: defaults where the configuration says nothing, and limits it is held to before the first message. Data, and a
/// check for what is special.
/// </summary>
internal sealed record BridgePreset(string Name)
{
    /// <summary>Every preset.</summary>
    public static readonly IReadOnlyList<BridgePreset> All =
    [
        new("aws-iot-core")
        {
            IsSecure = true,
            MaximumQoS = QoS.AtLeastOnce,
            MaximumTopicLevels = 8,
            MaximumTopicBytes = 256,
            MaximumPayloadBytes = 128 * 1024,
            MaximumClientIdBytes = 128,
            FiltersPerSubscribe = 8,
            MaximumSubscriptions = 50,
            MaximumInflight = 100,
            // With the burst, never more than the 100 of any second.
            PublishRate = new RateLimit(90, TimeSpan.FromSeconds(1), 10),
            MaximumKeepAlive = TimeSpan.FromSeconds(1200),
            ApplicationProtocolOn443 = "x-amzn-mqtt-ca",
            ApplicationProtocolWithoutCertificate = "mqtt",
            NeedsClientCertificate = true,
            SigningService = "iotdevicegateway",
        },
        new("azure-iot-hub")
        {
            IsSecure = true,
            Version = ProtocolVersion.V311,
            MaximumQoS = QoS.AtLeastOnce,
            RetainAvailable = false,
            MaximumPayloadBytes = 256 * 1024,
            MaximumSubscriptions = 5,
            MaximumKeepAlive = TimeSpan.FromSeconds(1177),
            UserName = "{host}/{client}/?api-version=2021-04-12",
            OutTemplate = "devices/{client}/messages/events/topic={topic:url}",
            TokenResource = "{host}/devices/{client}",
            ProbeTopic = "devices/{client}/messages/events/edgebroker=test",
            ProbeComesBack = false,
            WebSocketPath = "/$iothub/websocket",
            Check = AzureIotHub.Check,
        },
        new("azure-event-grid")
        {
            IsSecure = true,
            MaximumQoS = QoS.AtLeastOnce,
            MaximumPacketBytes = 512 * 1024,
            MaximumKeepAlive = TimeSpan.FromSeconds(1160),
            MaximumSessionExpiry = TimeSpan.FromHours(8),
        },
        new("hivemq-cloud") { IsSecure = true, NeedsUser = true },
        new("cumulocity")
        {
            IsSecure = true,
            Version = ProtocolVersion.V311,
            CleanStart = true,
            RetainAvailable = false,
            NeedsUser = true,
            ProbeTopic = null,
            Check = Cumulocity.Check,
        },
        new("thingsboard")
        {
            Version = ProtocolVersion.V311,
            MaximumQoS = QoS.AtLeastOnce,
            RetainAvailable = false,
            ProbeTopic = null,
            Check = ThingsBoard.Check,
        },
        new("mosquitto") { Notifications = BridgeNotifications.Both },
    ];

    /// <summary>Whether TLS is spoken where the address does not say.</summary>
    public bool IsSecure { get; init; }

    /// <summary>The version that is spoken; null: 5.0, or another where the configuration says so.</summary>
    public ProtocolVersion? Version { get; init; }

    public QoS MaximumQoS { get; init; } = QoS.ExactlyOnce;

    public bool RetainAvailable { get; init; } = true;

    /// <summary>Whether each connection begins a session of its own on the other side.</summary>
    public bool CleanStart { get; init; }

    public int MaximumTopicLevels { get; init; } = int.MaxValue;

    public int MaximumTopicBytes { get; init; } = ushort.MaxValue;

    public int MaximumPayloadBytes { get; init; } = int.MaxValue;

    /// <summary>Bytes of a whole PUBLISH; a server may grant less.</summary>
    public int MaximumPacketBytes { get; init; } = int.MaxValue;

    public int MaximumClientIdBytes { get; init; } = ushort.MaxValue;

    public int FiltersPerSubscribe { get; init; } = 100;

    public int MaximumSubscriptions { get; init; } = int.MaxValue;

    public ushort MaximumInflight { get; init; } = 1000;

    public RateLimit? PublishRate { get; init; }

    public TimeSpan MaximumKeepAlive { get; init; } = TimeSpan.FromSeconds(ushort.MaxValue);

    public TimeSpan? MaximumSessionExpiry { get; init; }

    /// <summary>The application protocol (ALPN) to name where MQTT is spoken on the port of HTTPS; null: none.</summary>
    public string? ApplicationProtocolOn443 { get; init; }

    /// <summary>The one to name there by who shows no certificate.</summary>
    public string? ApplicationProtocolWithoutCertificate { get; init; }

    /// <summary>Where WebSocket is spoken, when the address does not say.</summary>
    public string WebSocketPath { get; init; } = "/mqtt";

    public bool NeedsClientCertificate { get; init; }

    public bool NeedsUser { get; init; }

    /// <summary>What requests signed by an AWS access key are for; null: such are of no use there.</summary>
    public string? SigningService { get; init; }

    /// <summary>The user name where none is given; <c>{host}</c> and <c>{client}</c> are filled in.</summary>
    public string? UserName { get; init; }

    /// <summary>What topics become that go out, where the configuration does not say.</summary>
    public string? OutTemplate { get; init; }

    /// <summary>What a token minted from the device's key is for; null: such tokens are of no use there.</summary>
    public string? TokenResource { get; init; }

    public BridgeNotifications Notifications { get; init; } = BridgeNotifications.Local;

    /// <summary>Where a trial sends its message; null: nowhere, since the other side takes messages of its own kinds only.</summary>
    public string? ProbeTopic { get; init; } = "edgebroker/test/{client}";

    /// <summary>Whether a message can be subscribed to where it was published.</summary>
    public bool ProbeComesBack { get; init; } = true;

    /// <summary>Finds what the other side would refuse; null: nothing is special.</summary>
    public Action<BridgeSettings, BridgeProblems>? Check { get; init; }

    /// <summary>The preset of a name; null: there is none.</summary>
    public static BridgePreset? Find(string name) => All.FirstOrDefault(preset => preset.Name == name);
}
