namespace EdgeBroker.Protocol;

/// <summary>The MQTT version of a connection; the value is the protocol level on the wire (3.1.2.2).</summary>
public enum ProtocolVersion : byte
{
    /// <summary>MQTT 3.1.1.</summary>
    V311 = 4,

    /// <summary>MQTT 5.0.</summary>
    V5 = 5,
}
