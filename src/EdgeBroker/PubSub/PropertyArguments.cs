using System.Globalization;
using System.Text;
using EdgeBroker.Client;
using EdgeBroker.Protocol;

namespace EdgeBroker.PubSub;

/// <summary>The properties given by <c>-D packet property value [value]</c>.</summary>
internal sealed class PropertyArguments
{
    private static readonly (string Name, PropertyId Id, string Packets, long Most)[] Known =
    [
        ("payload-format-indicator", PropertyId.PayloadFormatIndicator, "publish will", 1),
        ("message-expiry-interval", PropertyId.MessageExpiryInterval, "publish will", uint.MaxValue),
        ("content-type", PropertyId.ContentType, "publish will", 0),
        ("response-topic", PropertyId.ResponseTopic, "publish will", 0),
        ("correlation-data", PropertyId.CorrelationData, "publish will", 0),
        ("subscription-identifier", PropertyId.SubscriptionIdentifier, "subscribe", VariableByteInteger.MaxValue),
        ("session-expiry-interval", PropertyId.SessionExpiryInterval, "connect disconnect", uint.MaxValue),
        ("authentication-method", PropertyId.AuthenticationMethod, "connect", 0),
        ("authentication-data", PropertyId.AuthenticationData, "connect", 0),
        ("request-problem-information", PropertyId.RequestProblemInformation, "connect", 1),
        ("request-response-information", PropertyId.RequestResponseInformation, "connect", 1),
        ("will-delay-interval", PropertyId.WillDelayInterval, "will", uint.MaxValue),
        ("reason-string", PropertyId.ReasonString, "disconnect", 0),
        ("receive-maximum", PropertyId.ReceiveMaximum, "connect", ushort.MaxValue),
        ("topic-alias-maximum", PropertyId.TopicAliasMaximum, "connect", ushort.MaxValue),
        ("topic-alias", PropertyId.TopicAlias, "publish", ushort.MaxValue),
        ("user-property", PropertyId.UserProperty, "connect publish subscribe unsubscribe disconnect will", 0),
        ("maximum-packet-size", PropertyId.MaximumPacketSize, "connect", 268_435_460),
    ];

    public bool Any { get; private set; }

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

    public void Take(OptionReader reader)
    {
        Any = true;
        string packet = reader.Value();
        string name = reader.Value();
        MqttProperties properties = PropertiesOf(packet);
        foreach ((string known, PropertyId id, string packets, long most) in Known)
        {
            if (known != name) continue;
            if (!packets.Split(' ').Contains(packet.ToLowerInvariant())) throw new UsageException($"-D {packet} {name}: this property belongs to {packets.Replace(" ", " or ", StringComparison.Ordinal)}.");
            if (id != PropertyId.UserProperty && properties.Has(id)) throw new UsageException($"-D {packet} {name}: give it once.");
            Add(properties, packet, name, id, most, reader);
            return;
        }

        throw new UsageException($"-D {packet} {name}: there is no such property; write it as in the specification, with dashes (content-type).");
    }

    private void Add(MqttProperties properties, string packet, string name, PropertyId id, long most, OptionReader reader)
    {
        string value = reader.Value();
        if (id == PropertyId.UserProperty)
        {
            properties.AddUserProperty(value, reader.Value());
            return;
        }

        if (most == 0)
        {
            if (id is PropertyId.CorrelationData or PropertyId.AuthenticationData) properties.Add(id, Encoding.UTF8.GetBytes(value).AsMemory());
            else properties.Add(id, value);
            return;
        }

        long least = id is PropertyId.ReceiveMaximum or PropertyId.MaximumPacketSize or PropertyId.SubscriptionIdentifier or PropertyId.TopicAlias ? 1 : 0;
        if (!long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out long number) || number < least || number > most)
        {
            throw new UsageException($"-D {packet} {name} {value}: give a whole number from {least} to {most}.");
        }

        switch (id)
        {
            case PropertyId.SessionExpiryInterval when properties == Connect: SessionExpirySeconds = (uint)number; break;
            case PropertyId.ReceiveMaximum: ReceiveMaximum = (ushort)number; break;
            case PropertyId.TopicAliasMaximum: TopicAliasMaximum = (ushort)number; break;
            case PropertyId.MaximumPacketSize: MaximumPacketSizeBytes = (int)number; break;
            case PropertyId.TopicAlias: TopicAlias = (ushort)number; break;
            default: properties.Add(id, (uint)number); break;
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
        _ => throw new UsageException($"-D {packet}: give connect, publish, subscribe, unsubscribe, disconnect or will."),
    };
}
