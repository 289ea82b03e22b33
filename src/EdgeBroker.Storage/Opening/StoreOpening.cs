namespace EdgeBroker.Storage.Opening;

/// <summary>What happened when a store was opened.</summary>
public sealed record StoreOpening
{
    /// <summary>How it came to be open.</summary>
    public required StoreOpeningKind Kind { get; init; }

    /// <summary>Why the old database could not be used; null when it could.</summary>
    public string? Cause { get; init; }

    /// <summary>The name, in the store's directory, under which the old database lies now; null when none was set aside.</summary>
    public string? SetAsideAs { get; init; }

    /// <summary>What was rescued from it, table by table; empty when nothing was tried.</summary>
    public IReadOnlyList<SalvagedTable> Salvaged { get; init; } = [];

    /// <summary>The version the database was brought from; null when it was of this one.</summary>
    public long? MigratedFrom { get; init; }

    /// <summary>How many databases have been set aside in the directory, now or earlier, and not yet removed.</summary>
    public int SetAsideCount { get; init; }

    /// <summary>What they take, in bytes.</summary>
    public long SetAsideBytes { get; init; }
}
