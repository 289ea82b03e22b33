namespace EdgeBroker.Storage;

/// <summary>The <c>[storage]</c> table.</summary>
public sealed record StorageOptions
{
    /// <summary>What an acknowledged message survives.</summary>
    public StoreDurability Durability { get; init; } = StoreDurability.Balanced;

    /// <summary>The size in bytes beyond which the database file does not grow; what needs more room is refused as on a full disk. The WAL comes on top.</summary>
    public long MaxBytes { get; init; } = 2L * 1024 * 1024 * 1024;

    /// <summary>What to do at start with a database that cannot be used.</summary>
    public CorruptionPolicy OnCorruption { get; init; } = CorruptionPolicy.Quarantine;
}
