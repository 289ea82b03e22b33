using System.Security.Cryptography;
using System.Text;
using EdgeBroker.Protocol;

namespace EdgeBroker.Bridge.Tests.Clouds;

/// <summary>What a kind of cloud allows. Whoever does anything else is cut off.</summary>
internal sealed record CloudRules(string Name)
{
    public ProtocolVersion[] Versions { get; init; } = [ProtocolVersion.V311, ProtocolVersion.V5];

    public bool IsSecure { get; init; } = true;

    /// <summary>Whether the client must show a certificate of the right authority.</summary>
    public bool WantsCertificate { get; init; }

    /// <summary>The application protocol that must be named; null: none.</summary>
    public string? ApplicationProtocol { get; init; }

    /// <summary>Whether a WebSocket is opened for a request, of its target and its Host; null: MQTT comes without WebSocket.</summary>
    public Func<string, string, bool>? MayUpgrade { get; init; }

    public int MaximumQoS { get; init; } = 1;

    public int FiltersPerSubscribe { get; init; } = int.MaxValue;

    public int Subscriptions { get; init; } = int.MaxValue;

    /// <summary>Messages of the client that may be unacknowledged.</summary>
    public int Unacknowledged { get; init; } = ushort.MaxValue;

    /// <summary>What CONNACK says of that, in 5.0.</summary>
    public int? ReceiveMaximum { get; init; }

    public int PayloadBytes { get; init; } = int.MaxValue;

    /// <summary>Bytes of a whole packet.</summary>
    public int PacketBytes { get; init; } = int.MaxValue;

    public int TopicLevels { get; init; } = int.MaxValue;

    public int TopicBytes { get; init; } = ushort.MaxValue;

    public int KeepAliveSeconds { get; init; } = ushort.MaxValue;

    public long SessionExpirySeconds { get; init; } = uint.MaxValue;

    public bool TakesRetain { get; init; } = true;

    /// <summary>Whether user properties in CONNECT and subscription identifiers fail the request.</summary>
    public bool RefusesExtras { get; init; }

    public bool WantsCleanStart { get; init; }

    /// <summary>Whether somebody may log in; null: everybody may.</summary>
    public Func<string, string?, string?, bool>? MayLogIn { get; init; }

    /// <summary>Topics that may be published to, by their beginning; null: all.</summary>
    public string[]? Outward { get; init; }

    /// <summary>Filters that may be subscribed to, by their beginning; null: all.</summary>
    public string[]? Inward { get; init; }

    public static CloudRules Aws { get; } = new("aws-iot-core")
    {
        WantsCertificate = true,
        FiltersPerSubscribe = 8,
        Subscriptions = 50,
        Unacknowledged = 100,
        ReceiveMaximum = 100,
        PayloadBytes = 128 * 1024,
        TopicLevels = 8,
        TopicBytes = 256,
        KeepAliveSeconds = 1200,
    };

    public static CloudRules EventGrid { get; } = new("azure-event-grid")
    {
        PacketBytes = 512 * 1024,
        KeepAliveSeconds = 1160,
        SessionExpirySeconds = 8 * 3600,
        RefusesExtras = true,
    };

    public static CloudRules HiveMq { get; } = new("hivemq-cloud")
    {
        MaximumQoS = 2,
        Unacknowledged = 10,
        ReceiveMaximum = 10,
        MayLogIn = (_, user, password) => user == "gw" && password == "secret",
    };

    public static CloudRules Cumulocity { get; } = new("cumulocity")
    {
        Versions = [ProtocolVersion.V311],
        MaximumQoS = 2,
        WantsCleanStart = true,
        TakesRetain = false,
        Outward = ["s/us", "s/ut", "s/uc", "measurement/", "event/", "alarm/"],
        Inward = ["s/ds", "s/dt", "s/e", "s/dc", "devicecontrol/", "error"],
        MayLogIn = (_, user, password) => user == "gw" && password == "secret",
    };

    public static CloudRules ThingsBoard { get; } = new("thingsboard")
    {
        IsSecure = false,
        Versions = [ProtocolVersion.V311],
        TakesRetain = false,
        Outward = ["v1/"],
        Inward = ["v1/"],
        MayLogIn = (_, user, _) => user == "gw",
    };

    /// <summary>Azure IoT Hub, with tokens of this device key.</summary>
    public static CloudRules IotHub(string host, string device, byte[] key, TimeProvider time) => new("azure-iot-hub")
    {
        Versions = [ProtocolVersion.V311],
        Subscriptions = 5,
        PayloadBytes = 256 * 1024,
        KeepAliveSeconds = 1177,
        TakesRetain = false,
        Outward = [$"devices/{device}/messages/events/"],
        Inward = [$"devices/{device}/messages/devicebound/", "$iothub/twin/", "$iothub/methods/POST/"],
        MayLogIn = (clientId, user, password) =>
            clientId == device && user == $"{host}/{device}/?api-version=2021-04-12" && IsGood(password ?? "", $"{host}/devices/{device}", key, time),
    };

    private static bool IsGood(string token, string resource, byte[] key, TimeProvider time)
    {
        const string Head = "SharedAccessSignature ";
        if (!token.StartsWith(Head, StringComparison.Ordinal)) return false;
        Dictionary<string, string> fields = token[Head.Length..].Split('&').Select(field => field.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1]);
        byte[] wanted = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(fields["sr"] + "\n" + fields["se"]));
        return Uri.UnescapeDataString(fields["sr"]) == resource
            && Uri.UnescapeDataString(fields["sig"]) == Convert.ToBase64String(wanted)
            && long.Parse(fields["se"], System.Globalization.CultureInfo.InvariantCulture) > time.GetUtcNow().ToUnixTimeSeconds();
    }
}
