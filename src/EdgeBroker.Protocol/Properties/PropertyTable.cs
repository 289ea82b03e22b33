namespace EdgeBroker.Protocol;

/// <summary>How a property's value is encoded (2.2.2.2).</summary>
internal enum PropertyType : byte
{
    None,
    Byte,
    UInt16,
    UInt32,
    VariableByteInteger,
    Text,
    TextPair,
    Binary,
}

/// <summary>The specification's property table: type of every property, and the packets it may stand in.</summary>
internal static class PropertyTable
{
    public const int Count = 43;

    /// <summary>The will's properties in CONNECT take the place of packet type 0, which does not exist.</summary>
    public const PacketType Will = 0;

    // Bit n: allowed in the packet of type n.
    private const ushort InWill = 1;
    private const ushort InConnect = 1 << (int)PacketType.Connect;
    private const ushort InConnack = 1 << (int)PacketType.Connack;
    private const ushort InPublish = 1 << (int)PacketType.Publish;
    private const ushort InSubscribe = 1 << (int)PacketType.Subscribe;
    private const ushort InDisconnect = 1 << (int)PacketType.Disconnect;
    private const ushort InAuth = 1 << (int)PacketType.Auth;

    private const ushort InAcks = InConnack | (1 << (int)PacketType.Puback) | (1 << (int)PacketType.Pubrec) | (1 << (int)PacketType.Pubrel)
        | (1 << (int)PacketType.Pubcomp) | (1 << (int)PacketType.Suback) | (1 << (int)PacketType.Unsuback) | InDisconnect | InAuth;

    private const ushort Everywhere = InAcks | InWill | InConnect | InPublish | InSubscribe | (1 << (int)PacketType.Unsubscribe);

    private static readonly PropertyType[] Types = new PropertyType[Count];
    private static readonly ushort[] Packets = new ushort[Count];

    static PropertyTable()
    {
        Add(PropertyId.PayloadFormatIndicator, PropertyType.Byte, InPublish | InWill);
        Add(PropertyId.MessageExpiryInterval, PropertyType.UInt32, InPublish | InWill);
        Add(PropertyId.ContentType, PropertyType.Text, InPublish | InWill);
        Add(PropertyId.ResponseTopic, PropertyType.Text, InPublish | InWill);
        Add(PropertyId.CorrelationData, PropertyType.Binary, InPublish | InWill);
        Add(PropertyId.SubscriptionIdentifier, PropertyType.VariableByteInteger, InPublish | InSubscribe);
        Add(PropertyId.SessionExpiryInterval, PropertyType.UInt32, InConnect | InConnack | InDisconnect);
        Add(PropertyId.AssignedClientIdentifier, PropertyType.Text, InConnack);
        Add(PropertyId.ServerKeepAlive, PropertyType.UInt16, InConnack);
        Add(PropertyId.AuthenticationMethod, PropertyType.Text, InConnect | InConnack | InAuth);
        Add(PropertyId.AuthenticationData, PropertyType.Binary, InConnect | InConnack | InAuth);
        Add(PropertyId.RequestProblemInformation, PropertyType.Byte, InConnect);
        Add(PropertyId.WillDelayInterval, PropertyType.UInt32, InWill);
        Add(PropertyId.RequestResponseInformation, PropertyType.Byte, InConnect);
        Add(PropertyId.ResponseInformation, PropertyType.Text, InConnack);
        Add(PropertyId.ServerReference, PropertyType.Text, InConnack | InDisconnect);
        Add(PropertyId.ReasonString, PropertyType.Text, InAcks);
        Add(PropertyId.ReceiveMaximum, PropertyType.UInt16, InConnect | InConnack);
        Add(PropertyId.TopicAliasMaximum, PropertyType.UInt16, InConnect | InConnack);
        Add(PropertyId.TopicAlias, PropertyType.UInt16, InPublish);
        Add(PropertyId.MaximumQoS, PropertyType.Byte, InConnack);
        Add(PropertyId.RetainAvailable, PropertyType.Byte, InConnack);
        Add(PropertyId.UserProperty, PropertyType.TextPair, Everywhere);
        Add(PropertyId.MaximumPacketSize, PropertyType.UInt32, InConnect | InConnack);
        Add(PropertyId.WildcardSubscriptionAvailable, PropertyType.Byte, InConnack);
        Add(PropertyId.SubscriptionIdentifierAvailable, PropertyType.Byte, InConnack);
        Add(PropertyId.SharedSubscriptionAvailable, PropertyType.Byte, InConnack);
    }

    /// <summary>The type of a property, <see cref="PropertyType.None"/> for identifiers that do not exist.</summary>
    public static PropertyType TypeOf(byte id) => id < Count ? Types[id] : PropertyType.None;

    /// <summary>Whether the property exists and may stand in <paramref name="packet"/>.</summary>
    public static bool IsAllowedIn(byte id, PacketType packet) => id < Count && (Packets[id] & (1 << (int)packet)) != 0;

    /// <summary>Whether the property may stand several times: user properties anywhere, subscription identifiers in PUBLISH (3.3.2.3.8).</summary>
    public static bool MayRepeat(byte id, PacketType packet) =>
        (PropertyId)id == PropertyId.UserProperty || ((PropertyId)id == PropertyId.SubscriptionIdentifier && packet == PacketType.Publish);

    private static void Add(PropertyId id, PropertyType type, int packets)
    {
        Types[(int)id] = type;
        Packets[(int)id] = (ushort)packets;
    }
}
