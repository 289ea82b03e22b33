using System.Text;
using EdgeBroker.Core;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Security;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Protocol;

namespace EdgeBroker.Mqtt.Connections;

/// <summary>An accepted CONNECT between parsing and CONNACK: what of it is needed when everybody has answered who is asked about the client.</summary>
internal sealed class PendingConnect
{
    // Beside what the client sent: this object, its grant and request.
    private const int ObjectBytes = 512;

    private int _accountedBytes;

    public required string ClientId { get; init; }

    /// <summary>Whether the broker chose the client id and has to tell it.</summary>
    public bool IsAssignedId { get; init; }

    public bool CleanStart { get; init; }

    /// <summary>Whether it speaks MQTT 3.1, whose CONNACK does not say whether there is a session.</summary>
    public bool IsV31 { get; init; }

    /// <summary>Whether it says that it is a bridge: it hears nothing of its own, and RETAIN as published.</summary>
    public bool IsBridge { get; init; }

    /// <summary>The same, or it speaks 5.0 and cannot say so.</summary>
    public bool MayBeBridge { get; init; }

    public required SessionGrant Grant { get; init; }

    /// <summary>The expiry the client asked for; told back when the grant differs.</summary>
    public uint RequestedExpirySeconds { get; init; }

    public int RequestedKeepAliveSeconds { get; init; }

    public int KeepAliveSeconds { get; init; }

    public bool WantsResponseInformation { get; set; }

    /// <summary>The user name it gave; null: none.</summary>
    public string? ClaimedUser { get; init; }

    /// <summary>What it shows, as far as CONNECT says.</summary>
    public AuthenticationMethod Shown { get; init; }

    /// <summary>The method the client asked to be authenticated by; null: none.</summary>
    public EnhancedAuthentication? Method { get; set; }

    /// <summary>What looks at its login when the wait is over that it was given; null: there is none.</summary>
    public IAuthenticationExchange? WaitingLogin { get; set; }

    /// <summary>Whom the authenticator let in; null: nobody yet.</summary>
    public AuthenticationResult? Identity { get; set; }

    /// <summary>The broker's name, where a bridge of another broker asks for it; null: nobody does.</summary>
    public byte[]? NodeMark { get; init; }

    /// <summary>Whether CONNACK has said that the session was resumed.</summary>
    public bool IsSessionPresent { get; set; }

    /// <summary>What a verdict is by: the authenticator knows better than CONNECT says, whose password may be a token.</summary>
    public AuthenticationMethod MethodFor(AuthenticationResult verdict) =>
        verdict.Method != AuthenticationMethod.Unknown ? verdict.Method : Method?.Kind ?? Shown;

    /// <summary>Accounts what is kept of a CONNECT.</summary>
    /// <param name="ledger">Where.</param>
    /// <param name="connectBytes">The packet's length.</param>
    public void Account(MemoryLedger ledger, int connectBytes)
    {
        _accountedBytes = ObjectBytes + connectBytes;
        ledger.Account(MemoryKind.UnauthenticatedBuffers, _accountedBytes);
    }

    /// <summary>It is kept no longer.</summary>
    public void Release(MemoryLedger ledger)
    {
        ledger.Release(MemoryKind.UnauthenticatedBuffers, _accountedBytes);
        _accountedBytes = 0;
    }

    /// <summary>Adds the properties of CONNACK: what is granted, where the client could not know.</summary>
    public void AddGrants(ref PropertyBuilder properties, MqttOptions options)
    {
        if (Grant.ExpirySeconds != RequestedExpirySeconds) properties.Add(PropertyId.SessionExpiryInterval, Grant.ExpirySeconds);
        properties.Add(PropertyId.ReceiveMaximum, (uint)options.ReceiveMaximum);
        if (options.MaxQos < 2) properties.Add(PropertyId.MaximumQoS, (uint)options.MaxQos);
        if (!options.RetainAvailable) properties.Add(PropertyId.RetainAvailable, 0);
        properties.Add(PropertyId.MaximumPacketSize, (uint)options.MaxPacketSizeBytes);
        if (IsAssignedId) properties.Add(PropertyId.AssignedClientIdentifier, Encoding.UTF8.GetBytes(ClientId));
        if (options.TopicAliasMaximum > 0) properties.Add(PropertyId.TopicAliasMaximum, (uint)options.TopicAliasMaximum);
        if (KeepAliveSeconds != RequestedKeepAliveSeconds) properties.Add(PropertyId.ServerKeepAlive, (uint)KeepAliveSeconds);
        if (WantsResponseInformation && IsOneLevel(ClientId)) AddResponseInformation(ref properties);
        if (NodeMark is not null) properties.AddUserProperty("edgebroker-node"u8, NodeMark);
        Method?.AddTo(ref properties, Method.LastWord);
    }

    private void AddResponseInformation(ref PropertyBuilder properties)
    {
        byte[] topic = Encoding.UTF8.GetBytes("response/" + ClientId);
        if (topic.Length <= Utf8Text.MaxBytes) properties.Add(PropertyId.ResponseInformation, topic);
    }

    /// <summary>
    /// Whether the client accepts our CONNACK [MQTT-3.1.2-24], if need be without the Response Information. Whatever else it must be sent is shorter.
    /// </summary>
    public bool ConnackFits(uint maxPacketBytes, MqttOptions options)
    {
        if (maxPacketBytes == MqttLink.NoLimit || ConnackLength(options) <= maxPacketBytes) return true;
        WantsResponseInformation = false;
        return ConnackLength(options) <= maxPacketBytes;
    }

    // Only 5.0 has a Maximum Packet Size.
    private long ConnackLength(MqttOptions options)
    {
        PropertyBuilder properties = PropertyBuilder.For(PacketType.Connack, stackalloc byte[256]);
        AddGrants(ref properties, options);
        int length = new ConnackPacket { Properties = properties.Block }.Length(ProtocolVersion.V5);
        properties.Dispose();
        return length;
    }

    // A client id that is no topic level of its own cannot name a part of the topic tree.
    private static bool IsOneLevel(string clientId) => clientId.AsSpan().IndexOfAny('/', '+', '#') < 0;
}
