using System.Text;
using EdgeBroker.Protocol;

namespace EdgeBroker.Client;

/// <summary>What the server granted in CONNACK.</summary>
public sealed record ConnectResult
{
    private ConnectResult()
    {
    }

    /// <summary>Whether the server had kept a session.</summary>
    public bool SessionPresent { get; private init; }

    /// <summary>The client id in use: one's own, or the one the server chose.</summary>
    public required string ClientId { get; init; }

    /// <summary>Keep alive in force; zero: none.</summary>
    public TimeSpan KeepAlive { get; private init; }

    /// <summary>How long the server keeps the session.</summary>
    public uint SessionExpirySeconds { get; private init; }

    /// <summary>QoS 1 and 2 messages the server takes before it acknowledges the first.</summary>
    public ushort ReceiveMaximum { get; private init; }

    /// <summary>Highest QoS the server takes.</summary>
    public QoS MaximumQoS { get; private init; }

    /// <summary>Whether the server keeps retained messages.</summary>
    public bool RetainAvailable { get; private init; }

    /// <summary>Largest packet the server takes.</summary>
    public uint MaximumPacketSizeBytes { get; private init; }

    /// <summary>Topic aliases the server takes.</summary>
    public ushort TopicAliasMaximum { get; private init; }

    /// <summary>Response information, if asked for and given.</summary>
    public string? ResponseInformation { get; private init; }

    /// <summary>The user properties, in their order.</summary>
    public IReadOnlyList<(string Name, string Value)> UserProperties { get; private init; } = [];

    internal static ConnectResult From(ConnackPacket packet, MqttClientOptions options)
    {
        PropertyBlock p = packet.Properties;
        bool unlimited = options.Version == ProtocolVersion.V311;
        return new ConnectResult
        {
            SessionPresent = packet.SessionPresent,
            ClientId = p.Has(PropertyId.AssignedClientIdentifier) ? Encoding.UTF8.GetString(p.GetValue(PropertyId.AssignedClientIdentifier)) : options.ClientId,
            KeepAlive = TimeSpan.FromSeconds(p.GetNumber(PropertyId.ServerKeepAlive, options.KeepAliveSeconds)),
            SessionExpirySeconds = p.GetNumber(PropertyId.SessionExpiryInterval, options.SessionExpirySeconds),
            ReceiveMaximum = (ushort)p.GetNumber(PropertyId.ReceiveMaximum, ushort.MaxValue),
            MaximumQoS = (QoS)p.GetNumber(PropertyId.MaximumQoS, (uint)QoS.ExactlyOnce),
            RetainAvailable = p.GetNumber(PropertyId.RetainAvailable, 1) != 0,
            MaximumPacketSizeBytes = p.GetNumber(PropertyId.MaximumPacketSize, uint.MaxValue),
            TopicAliasMaximum = unlimited ? (ushort)0 : (ushort)p.GetNumber(PropertyId.TopicAliasMaximum, 0),
            UserProperties = ReadUserProperties(p),
            ResponseInformation = p.Has(PropertyId.ResponseInformation) ? Encoding.UTF8.GetString(p.GetValue(PropertyId.ResponseInformation)) : null,
        };
    }

    private static List<(string Name, string Value)> ReadUserProperties(PropertyBlock properties)
    {
        var found = new List<(string Name, string Value)>();
        if (!properties.Has(PropertyId.UserProperty)) return found;
        foreach (Property property in properties)
        {
            if (property.Id == PropertyId.UserProperty) found.Add((Encoding.UTF8.GetString(property.Name), Encoding.UTF8.GetString(property.Value)));
        }

        return found;
    }
}
