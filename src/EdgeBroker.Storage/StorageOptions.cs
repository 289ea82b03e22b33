namespace EdgeBroker.Storage;

/// <summary>The <c>[storage]</c> table.</summary>
public sealed record StorageOptions
{
    /// <summary>What an acknowledged message survives.</summary>
    public StoreDurability Durability { get; init; } = StoreDurability.Balanced;

    /// <summary>Bytes in use in the database from which on a new message has to take an old one's place, or is refused. The WAL comes on top.</summary>
    public long MaxBytes { get; init; } = 2L * 1024 * 1024 * 1024;

    /// <summary>What to do at start with a database that cannot be used.</summary>
    public CorruptionPolicy OnCorruption { get; init; } = CorruptionPolicy.Quarantine;
}

/// <summary>What an acknowledged message survives, and what that costs in flash writes.</summary>
public enum StoreDurability
{
    /// <summary>Power cut; commits are flushed and few milliseconds apart.</summary>
    Strict,

    /// <summary>Power cut; commits are flushed, and some tens of milliseconds apart.</summary>
    Balanced,

    /// <summary>Power cut, too; commits are up to two seconds apart, which writes the least, and so are the acknowledgements of what no one has taken at
    /// once.</summary>
    FlashSaver,

    /// <summary>Nothing; there is no database.</summary>
    Memory,
}

/// <summary>What to do at start with a database that cannot be used.</summary>
public enum CorruptionPolicy
{
    /// <summary>Set it aside under a dated name, rescue what can be read, and start.</summary>
    Quarantine,

    /// <summary>Touch nothing and do not start.</summary>
    Stop,
}
