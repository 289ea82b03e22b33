using System.Globalization;
using System.Text;
using EdgeBroker.Cli.Options;
using EdgeBroker.Client;
using EdgeBroker.Protocol;

namespace EdgeBroker.Cli.PubSub;

/// <summary>The properties given by <c>-D packet property value [value]</c>.</summary>
internal sealed class PropertyArguments
{
    private static readonly Kind[] Kinds =
    [
        new("payload-format-indicator", PropertyId.PayloadFormatIndicator, "publish will", 1),
        new("message-expiry-interval", PropertyId.MessageExpiryInterval, "publish will", uint.MaxValue),
        new("content-type", PropertyId.ContentType, "publish will", 0),
        new("response-topic", PropertyId.ResponseTopic, "publish will", 0),
        new("correlation-data", PropertyId.CorrelationData, "publish will", 0),
        new("subscription-identifier", PropertyId.SubscriptionIdentifier, "subscribe", VariableByteInteger.MaxValue),
        new("session-expiry-interval", PropertyId.SessionExpiryInterval, "connect disconnect", uint.MaxValue),
        new("authentication-method", PropertyId.AuthenticationMethod, "connect", 0),
        new("authentication-data", PropertyId.AuthenticationData, "connect", 0),
        new("request-problem-information", PropertyId.RequestProblemInformation, "connect", 1),
        new("request-response-information", PropertyId.RequestResponseInformation, "connect", 1),
        new("will-delay-interval", PropertyId.WillDelayInterval, "will", uint.MaxValue),
        new("reason-string", PropertyId.ReasonString, "disconnect", 0),
        new("receive-maximum", PropertyId.ReceiveMaximum, "connect", ushort.MaxValue),
        new("topic-alias-maximum", PropertyId.TopicAliasMaximum, "connect", ushort.MaxValue),
        new("topic-alias", PropertyId.TopicAlias, "publish", ushort.MaxValue),
        new("user-property", PropertyId.UserProperty, "connect publish subscribe unsubscribe disconnect will", 0),
        new("maximum-packet-size", PropertyId.MaximumPacketSize, "connect", 268_435_460),
    ];

    /// <param name="given">The values of each <c>-D</c>.</param>
    public PropertyArguments(IEnumerable<IReadOnlyList<string>> given)
    {
        foreach (IReadOnlyList<string> values in given)
        {
            Any = true;
            Take(values);
        }
    }

    public bool Any { get; }

    public MqttProperties Connect { get; } = new();

    public MqttProperties Publish { get; } = new();

    public MqttProperties Subscribe { get; } = new();

    public MqttProperties Unsubscribe { get; } = new();

    public MqttProperties Disconnect { get; } = new();

    public MqttProperties Will { get; } = new();

    // These have options of their own in the client.
    public uint? SessionExpirySeconds { get; private set; }

    public ushort? ReceiveMaximum { get; private set; }

    public ushort? TopicAliasMaximum { get; private set; }

    public int? MaximumPacketSizeBytes { get; private set; }

    public ushort TopicAlias { get; private set; }

    /// <summary>How many arguments belong to one property, by those read so far: a user property has a name of its own besides its value.</summary>
    public static int CountOf(IReadOnlyList<string> values) => values is [_, "user-property", ..] ? 4 : 3;

    private void Take(IReadOnlyList<string> values)
    {
        (string packet, string name, string value) = (values[0], values[1], values[2]);
        MqttProperties properties = PropertiesOf(packet);
        Kind kind = Array.Find(Kinds, one => one.Name == name)
            ?? throw new UsageException($"-D {packet} {name}: there is no such property; write it as in the specification, with dashes (content-type)");
        if (!kind.Packets.Split(' ').Contains(packet.ToLowerInvariant()))
        {
            throw new UsageException($"-D {packet} {name}: this property belongs to {kind.Packets.Replace(" ", " or ", StringComparison.Ordinal)}");
        }

        if (kind.Id != PropertyId.UserProperty && properties.Has(kind.Id)) throw new UsageException($"-D {packet} {name}: give it once");
        if (kind.Id == PropertyId.UserProperty) properties.AddUserProperty(value, values[3]);
        else if (kind.Most > 0) Add(properties, kind, value, $"-D {packet} {name} {value}");
        else if (kind.Id is PropertyId.CorrelationData or PropertyId.AuthenticationData) properties.Add(kind.Id, Encoding.UTF8.GetBytes(value).AsMemory());
        else properties.Add(kind.Id, value);
    }

    private void Add(MqttProperties properties, Kind kind, string value, string given)
    {
        long least = kind.Id is PropertyId.ReceiveMaximum or PropertyId.MaximumPacketSize or PropertyId.SubscriptionIdentifier or PropertyId.TopicAlias ? 1 : 0;
        if (!long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out long number) || number < least || number > kind.Most)
        {
            throw new UsageException($"{given}: give a whole number from {least} to {kind.Most}");
        }

        switch (kind.Id)
        {
            case PropertyId.SessionExpiryInterval when properties == Connect: SessionExpirySeconds = (uint)number; break;
            case PropertyId.ReceiveMaximum: ReceiveMaximum = (ushort)number; break;
            case PropertyId.TopicAliasMaximum: TopicAliasMaximum = (ushort)number; break;
            case PropertyId.MaximumPacketSize: MaximumPacketSizeBytes = (int)number; break;
            case PropertyId.TopicAlias: TopicAlias = (ushort)number; break;
            default: properties.Add(kind.Id, (uint)number); break;
        }
    }

    private MqttProperties PropertiesOf(string packet) => packet.ToLowerInvariant() switch
    {
        "connect" => Connect,
        "publish" => Publish,
        "subscribe" => Subscribe,
        "unsubscribe" => Unsubscribe,
        "disconnect" => Disconnect,
        "will" => Will,
        _ => throw new UsageException($"-D {packet}: give connect, publish, subscribe, unsubscribe, disconnect or will"),
    };

    /// <summary>A property that can be given.</summary>
    /// <param name="Name">As in the specification, with dashes.</param>
    /// <param name="Id">Its identifier.</param>
    /// <param name="Packets">The packets it belongs to.</param>
    /// <param name="Most">The largest number; 0: it holds text or bytes.</param>
    private sealed record Kind(string Name, PropertyId Id, string Packets, long Most);
}
