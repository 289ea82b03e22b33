namespace EdgeBroker.Core.Limits;

/// <summary>What the broker does without because memory is short. Each stage includes those before it.</summary>
public enum MemoryStage : byte
{
    /// <summary>Nothing.</summary>
    Normal,

    /// <summary>New connections are refused.</summary>
    Refusing,

    /// <summary>
    /// Clients that publish are read slowly: a publish a second. Who takes no answers is not read. Connections that hold most are ended.
    /// </summary>
    Pausing,

    /// <summary>QoS 0 is dropped: what is published, and what would wait for a subscriber that is slow.</summary>
    Dropping,
}
