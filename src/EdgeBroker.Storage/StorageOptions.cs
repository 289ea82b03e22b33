namespace EdgeBroker.Storage;

/// <summary>The <c>[storage]</c> table.</summary>
public sealed record StorageOptions
{
    /// <summary>What an acknowledged message survives.</summary>
    public StoreDurability Durability { get; init; } = StoreDurability.Balanced;

    /// <summary>
    /// Commits a second in the long run for those who wait for them, with five minutes' worth of them at once, where durability is balanced: 1 or more. When
    /// they are spent, who waits waits for others.
    /// </summary>
    public int CommitsPerSecond { get; init; } = 20;

    /// <summary>Bytes in use in the database from which on a new message has to take an old one's place, or is refused. The WAL comes on top.</summary>
    public long MaxBytes { get; init; } = 2L * 1024 * 1024 * 1024;

    /// <summary>What to do at start with a database that cannot be used.</summary>
    public CorruptionPolicy OnCorruption { get; init; } = CorruptionPolicy.Quarantine;
}

/// <summary>What an acknowledged message survives, and what that costs in flash writes.</summary>
public enum StoreDurability
{
    /// <summary>Power cut; commits are flushed, and begin as soon as somebody waits for one.</summary>
    Strict,

    /// <summary>Power cut; commits are flushed, and begin as soon as somebody waits for one, within a budget; some tens of ms apart otherwise.</summary>
    Balanced,

    /// <summary>Power cut, too; the budget is small, and commits are two seconds apart otherwise, which writes the least, and so are the acknowledgements of
    /// what no one has taken at once.</summary>
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
