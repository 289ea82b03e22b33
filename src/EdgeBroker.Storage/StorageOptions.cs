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
