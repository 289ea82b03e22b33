namespace EdgeBroker.Protocol;

/// <summary>PUBLISH as received (3.3): a view over the bytes.</summary>
public readonly ref struct PublishPacket
{
    /// <summary>Whether the sender says it is a re-delivery.</summary>
    public bool Dup { get; private init; }

    /// <summary>The QoS.</summary>
    public QoS QoS { get; private init; }

    /// <summary>RETAIN.</summary>
    public bool Retain { get; private init; }

    /// <summary>The packet identifier; 0 at QoS 0.</summary>
    public ushort PacketId { get; private init; }

    /// <summary>The topic name, UTF-8; empty only in 5.0 with a topic alias.</summary>
    public ReadOnlySpan<byte> Topic { get; private init; }

    /// <summary>The properties; empty in 3.1.1.</summary>
    public PropertyBlock Properties { get; private init; }

    /// <summary>The application message.</summary>
    public ReadOnlySpan<byte> Payload { get; private init; }

    /// <summary>The whole packet.</summary>
    public ReadOnlySpan<byte> Bytes { get; private init; }

    /// <summary>
    /// Whether it can go on to receivers of its version as it is, without regard to subscription identifiers: QoS 0, no RETAIN, and no alias, which holds on
    /// its connection only.
    /// </summary>
    public bool MayGoUnchanged => QoS == QoS.AtMostOnce && !Retain && Properties.TopicAlias == 0;

    /// <summary>Reads a PUBLISH.</summary>
    public static bool TryParse(scoped in Frame frame, ProtocolVersion version, out PublishPacket packet, out ParseError error) =>
        TryParse(frame, version, null, out packet, out error);

    /// <summary>Reads a PUBLISH.</summary>
    /// <param name="frame">The packet's bytes.</param>
    /// <param name="version">The sender's version.</param>
    /// <param name="memo">What remembers the properties of PUBLISHes read before; null: nothing.</param>
    /// <param name="packet">The packet.</param>
    /// <param name="error">Why it was refused.</param>
    public static bool TryParse(scoped in Frame frame, ProtocolVersion version, PropertyMemo? memo, out PublishPacket packet, out ParseError error)
    {
        packet = default;
        byte flags = (byte)(frame.Header & 0x0F);
        var qos = (QoS)((flags >> 1) & 3);
        bool dup = (flags & 8) != 0;
        if ((int)qos == 3 || (dup && qos == QoS.AtMostOnce)) return ParseError.Malformed(out error, "QoS 3, or DUP with QoS 0");
        var reader = new SpanReader(frame.Body);
        if (!reader.TryReadText(out ReadOnlySpan<byte> topic, out error)) return false;
        ushort packetId = 0;
        if (qos != QoS.AtMostOnce)
        {
            if (!reader.TryReadUInt16(out packetId)) return ParseError.Truncated(out error);
            if (packetId == 0) return ParseError.ZeroPacketId(out error);
        }

        PropertyBlock properties = default;
        if (version == ProtocolVersion.V5 && !TryReadProperties(ref reader, memo, out properties, out error)) return false;
        if (!TopicIsValid(topic, properties, out error)) return false;
        packet = new PublishPacket
        {
            Dup = dup,
            QoS = qos,
            Retain = (flags & 1) != 0,
            PacketId = packetId,
            Topic = topic,
            Properties = properties,
            Payload = reader.Rest,
            Bytes = frame.Bytes,
        };
        return true;
    }

    private static bool TryReadProperties(scoped ref SpanReader reader, PropertyMemo? memo, out PropertyBlock properties, out ParseError error) =>
        memo is null
            ? PropertyBlock.TryRead(ref reader, PacketType.Publish, out properties, out error)
            : PropertyBlock.TryReadOfPublish(ref reader, memo, out properties, out error);

    private static bool TopicIsValid(ReadOnlySpan<byte> topic, PropertyBlock properties, out ParseError error)
    {
        error = default;
        if (topic.IsEmpty) return properties.Has(PropertyId.TopicAlias) || ParseError.Protocol(out error, "the topic is empty and no alias stands for it");
        return TopicName.IsValid(topic) || ParseError.Refuse(out error, ReasonCode.TopicNameInvalid, "the topic holds a wildcard");
    }
}
