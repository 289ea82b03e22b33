namespace EdgeBroker.Protocol;

/// <summary>Quality of service of a message (4.3).</summary>
public enum QoS : byte
{
    AtMostOnce = 0,
    AtLeastOnce = 1,
    ExactlyOnce = 2,
}
