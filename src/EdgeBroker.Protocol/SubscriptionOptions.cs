namespace EdgeBroker.Protocol;

/// <summary>When retained messages are sent on subscribing (3.8.3.1).</summary>
public enum RetainHandling : byte
{
    SendOnSubscribe = 0,
    SendIfNew = 1,
    DoNotSend = 2,
}

/// <summary>The options byte of one filter in SUBSCRIBE (3.8.3.1); in 3.1.1 only the QoS is used.</summary>
/// <param name="Value">The byte on the wire.</param>
public readonly record struct SubscriptionOptions(byte Value)
{
    public SubscriptionOptions(
        QoS maximumQoS, bool noLocal = false, bool retainAsPublished = false, RetainHandling retainHandling = RetainHandling.SendOnSubscribe)
        : this((byte)((int)maximumQoS | (noLocal ? 4 : 0) | (retainAsPublished ? 8 : 0) | ((int)retainHandling << 4)))
    {
    }

    /// <summary>Highest QoS messages are delivered with.</summary>
    public QoS MaximumQoS => (QoS)(Value & 3);

    /// <summary>The session's own publishes do not come back.</summary>
    public bool NoLocal => (Value & 4) != 0;

    /// <summary>RETAIN is forwarded as received.</summary>
    public bool RetainAsPublished => (Value & 8) != 0;

    /// <summary>When retained messages are sent.</summary>
    public RetainHandling RetainHandling => (RetainHandling)((Value >> 4) & 3);

    /// <summary>Whether the byte obeys the version's rules: no reserved bit, no QoS 3, no retain handling 3 [MQTT-3.8.3-5].</summary>
    public bool IsValid(ProtocolVersion version) =>
        version == ProtocolVersion.V5 ? (Value & 0xC0) == 0 && (Value & 3) != 3 && (Value & 0x30) != 0x30 : Value <= 2;
}
