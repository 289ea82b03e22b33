namespace EdgeBroker.Protocol;

/// <summary>MQTT control packet types: bits 7-4 of the first byte (2.1.2).</summary>
public enum PacketType : byte
{
    Connect = 1,
    Connack = 2,
    Publish = 3,
    Puback = 4,
    Pubrec = 5,
    Pubrel = 6,
    Pubcomp = 7,
    Subscribe = 8,
    Suback = 9,
    Unsubscribe = 10,
    Unsuback = 11,
    Pingreq = 12,
    Pingresp = 13,
    Disconnect = 14,

    /// <summary>5.0 only; forbidden in 3.1.1.</summary>
    Auth = 15,
}
