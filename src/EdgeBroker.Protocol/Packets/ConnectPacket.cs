using System.Buffers;

namespace EdgeBroker.Protocol;

/// <summary>CONNECT (3.1): read as a view over the received bytes, or filled by an initialiser and written. Text is UTF-8.</summary>
public readonly ref struct ConnectPacket
{
    // MQTT 3.1.
    private const byte Level31 = 3;

    // What a bridge sets in the level of 3.1 and 3.1.1, by agreement: no message comes back to it, and RETAIN goes along as published.
    private const byte BridgeFlag = 0x80;

    private static ReadOnlySpan<byte> ProtocolName => "MQTT"u8;

    private static ReadOnlySpan<byte> ProtocolName31 => "MQIsdp"u8;

    /// <summary>The protocol level on the wire; set even when parsing fails behind it, so that the refusal can be said in the peer's version.</summary>
    public byte ProtocolLevel { get; init; }

    /// <summary>Whether it is MQTT 3.1, which is served as 3.1.1 is.</summary>
    public bool IsV31 => ProtocolLevel == Level31;

    /// <summary>Whether the client says that it is a bridge.</summary>
    public bool IsBridge { get; init; }

    /// <summary>The version, when the level is one of ours.</summary>
    public ProtocolVersion Version
    {
        get => IsV31 ? ProtocolVersion.V311 : (ProtocolVersion)ProtocolLevel;
        init => ProtocolLevel = (byte)value;
    }

    /// <summary>Clean Start (5.0) or CleanSession (3.1.1).</summary>
    public bool CleanStart { get; init; }

    /// <summary>Keep alive in seconds; 0: none.</summary>
    public ushort KeepAliveSeconds { get; init; }

    /// <summary>The client id; empty when the server shall assign one.</summary>
    public ReadOnlySpan<byte> ClientId { get; init; }

    /// <summary>Session expiry, receive maximum and the like (3.1.2.11).</summary>
    public PropertyBlock Properties { get; init; }

    /// <summary>Whether the four will fields are there.</summary>
    public bool HasWill { get; init; }

    /// <summary>QoS the will is published with.</summary>
    public QoS WillQoS { get; init; }

    /// <summary>RETAIN the will is published with.</summary>
    public bool WillRetain { get; init; }

    /// <summary>Will delay and message properties (3.1.3.2).</summary>
    public PropertyBlock WillProperties { get; init; }

    /// <summary>Topic name of the will.</summary>
    public ReadOnlySpan<byte> WillTopic { get; init; }

    /// <summary>Payload of the will.</summary>
    public ReadOnlySpan<byte> WillPayload { get; init; }

    /// <summary>Whether a user name is there, if only an empty one.</summary>
    public bool HasUserName { get; init; }

    /// <summary>The user name.</summary>
    public ReadOnlySpan<byte> UserName { get; init; }

    /// <summary>Whether a password is there, if only an empty one.</summary>
    public bool HasPassword { get; init; }

    /// <summary>The password: any bytes.</summary>
    public ReadOnlySpan<byte> Password { get; init; }

    /// <summary>Reads a CONNECT of either version.</summary>
    /// <param name="frame">A frame of type CONNECT.</param>
    /// <param name="packet">The view; on failure only <see cref="ProtocolLevel"/> is meaningful, 0 when it was not reached.</param>
    /// <param name="error">0x84 for a protocol name or level that is not served, 0x81 or 0x82 for a packet that breaks the rules.</param>
    public static bool TryParse(scoped in Frame frame, out ConnectPacket packet, out ParseError error)
    {
        packet = default;
        var reader = new SpanReader(frame.Body);
        if (!reader.TryReadBinary(out ReadOnlySpan<byte> name) || !reader.TryReadByte(out byte level)) return ParseError.Truncated(out error);
        bool isMqtt = name.SequenceEqual(ProtocolName), isMqtt31 = name.SequenceEqual(ProtocolName31);
        bool isBridge = level is (Level31 | BridgeFlag) or ((byte)ProtocolVersion.V311 | BridgeFlag);
        if (isBridge) level &= BridgeFlag - 1;
        if (isMqtt || (isMqtt31 && level == Level31)) packet = new ConnectPacket { ProtocolLevel = level };
        if (!(isMqtt && level is ((byte)ProtocolVersion.V311 or (byte)ProtocolVersion.V5)) && !(isMqtt31 && level == Level31))
        {
            return ParseError.Refuse(out error, ReasonCode.UnsupportedProtocolVersion, "the protocol is neither MQTT 3.1, 3.1.1 nor 5.0");
        }

        if (!reader.TryReadByte(out byte flags) || !reader.TryReadUInt16(out ushort keepAliveSeconds)) return ParseError.Truncated(out error);
        if (!FlagsAreValid(flags, level, out error)) return false;
        PropertyBlock properties = default;
        if (level == (byte)ProtocolVersion.V5 && !TryReadProperties(ref reader, out properties, out error)) return false;
        bool isWhole = TryReadPayload(ref reader, level, flags, keepAliveSeconds, properties, out packet, out error);
        if (isBridge) packet = packet with { IsBridge = true };
        return isWhole;
    }

    /// <summary>Writes the packet.</summary>
    public void Write(IBufferWriter<byte> output)
    {
        bool v5 = Version == ProtocolVersion.V5;
        int bodyLength = 6 + (IsV31 ? ProtocolName31 : ProtocolName).Length + 2 + ClientId.Length + (v5 ? Properties.EncodedLength : 0)
            + (HasWill ? 4 + WillTopic.Length + WillPayload.Length + (v5 ? WillProperties.EncodedLength : 0) : 0)
            + (HasUserName ? 2 + UserName.Length : 0) + (HasPassword ? 2 + Password.Length : 0);
        PacketWriter writer = PacketWriter.Begin(output, (int)PacketType.Connect << 4, bodyLength);
        writer.WriteBinary(IsV31 ? ProtocolName31 : ProtocolName);
        writer.WriteByte((byte)(ProtocolLevel | (IsBridge ? BridgeFlag : 0)));
        writer.WriteByte((byte)((CleanStart ? 0x02 : 0) | (HasWill ? 0x04 | ((int)WillQoS << 3) | (WillRetain ? 0x20 : 0) : 0)
            | (HasPassword ? 0x40 : 0) | (HasUserName ? 0x80 : 0)));
        writer.WriteUInt16(KeepAliveSeconds);
        if (v5) writer.WriteProperties(Properties);
        writer.WriteBinary(ClientId);
        if (HasWill)
        {
            if (v5) writer.WriteProperties(WillProperties);
            writer.WriteBinary(WillTopic);
            writer.WriteBinary(WillPayload);
        }

        if (HasUserName) writer.WriteBinary(UserName);
        if (HasPassword) writer.WriteBinary(Password);
        writer.End(output);
    }

    private static bool FlagsAreValid(byte flags, byte level, out ParseError error)
    {
        error = default;
        bool will = (flags & 0x04) != 0;
        bool valid = (flags & 0x01) == 0 && (flags & 0x18) != 0x18 && (will || (flags & 0x38) == 0);
        // 3.1.1 has no password without a user name [MQTT-3.1.2-22]; 5.0 allows it.
        valid &= level == (byte)ProtocolVersion.V5 || (flags & 0xC0) != 0x40;
        return valid || ParseError.Malformed(out error, "the connect flags contradict each other or use a reserved bit");
    }

    private static bool TryReadProperties(scoped ref SpanReader reader, out PropertyBlock properties, out ParseError error)
    {
        if (!PropertyBlock.TryRead(ref reader, PacketType.Connect, out properties, out error)) return false;
        return properties.Has(PropertyId.AuthenticationMethod) || !properties.Has(PropertyId.AuthenticationData)
            || ParseError.Protocol(out error, "authentication data without an authentication method");
    }

    private static bool TryReadPayload(
        scoped ref SpanReader reader, byte level, byte flags, ushort keepAliveSeconds, PropertyBlock properties, out ConnectPacket packet, out ParseError error)
    {
        packet = new ConnectPacket { ProtocolLevel = level };
        if (!reader.TryReadText(out ReadOnlySpan<byte> clientId, out error)) return false;
        PropertyBlock willProperties = default;
        ReadOnlySpan<byte> willTopic = default, willPayload = default, userName = default, password = default;
        bool hasWill = (flags & 0x04) != 0, hasUserName = (flags & 0x80) != 0, hasPassword = (flags & 0x40) != 0;
        if (hasWill && !TryReadWill(ref reader, level, out willProperties, out willTopic, out willPayload, out error)) return false;
        if (hasUserName && !reader.TryReadText(out userName, out error)) return false;
        if (hasPassword && !reader.TryReadBinary(out password)) return ParseError.Truncated(out error);
        if (!reader.IsAtEnd) return ParseError.TrailingBytes(out error);
        packet = new ConnectPacket
        {
            ProtocolLevel = level,
            CleanStart = (flags & 0x02) != 0,
            KeepAliveSeconds = keepAliveSeconds,
            Properties = properties,
            ClientId = clientId,
            HasWill = hasWill,
            WillQoS = (QoS)((flags >> 3) & 3),
            WillRetain = (flags & 0x20) != 0,
            WillProperties = willProperties,
            WillTopic = willTopic,
            WillPayload = willPayload,
            HasUserName = hasUserName,
            UserName = userName,
            HasPassword = hasPassword,
            Password = password,
        };
        return true;
    }

    private static bool TryReadWill(
        scoped ref SpanReader reader, byte level, out PropertyBlock properties, out ReadOnlySpan<byte> topic, out ReadOnlySpan<byte> payload,
        out ParseError error)
    {
        properties = default;
        topic = default;
        payload = default;
        error = default;
        if (level == (byte)ProtocolVersion.V5 && !PropertyBlock.TryRead(ref reader, PropertyTable.Will, out properties, out error)) return false;
        if (!reader.TryReadText(out topic, out error)) return false;
        if (!reader.TryReadBinary(out payload)) return ParseError.Truncated(out error);
        return TopicName.IsValid(topic) || ParseError.Refuse(out error, ReasonCode.TopicNameInvalid, "the will topic is empty or holds a wildcard");
    }
}
