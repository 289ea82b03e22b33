namespace EdgeBroker.Storage;

/// <summary>What to do at start with a database that cannot be used.</summary>
public enum CorruptionPolicy
{
    /// <summary>Set it aside under a dated name, rescue what can be read, and start.</summary>
    Quarantine,

    /// <summary>Touch nothing and do not start.</summary>
    Stop,
}
