namespace EdgeBroker.Storage.Opening;

/// <summary>What happened when a store was opened.</summary>
public sealed record StoreOpening
{
    /// <summary>How it came to be open.</summary>
    public required StoreOpeningKind Kind { get; init; }

    /// <summary>Why the old database could not be used, or what has become of it; null when it could, or there never was one.</summary>
    public string? Cause { get; init; }

    /// <summary>The name, in the store's directory, under which the old database lies now; null when none was set aside.</summary>
    public string? SetAsideAs { get; init; }

    /// <summary>What was rescued from it, table by table; empty when nothing was tried.</summary>
    public IReadOnlyList<SalvagedTable> Salvaged { get; init; } = [];

    /// <summary>What sessions have lost of what waited for them, since the messages themselves are gone; those with most first.</summary>
    public IReadOnlyList<LostDeliveries> LostDeliveries { get; init; } = [];

    /// <summary>The version the database was brought from; null when it was of this one.</summary>
    public long? MigratedFrom { get; init; }

    /// <summary>How many databases have been set aside in the directory, now or earlier, and not yet removed.</summary>
    public int SetAsideCount { get; init; }

    /// <summary>What they take, in bytes.</summary>
    public long SetAsideBytes { get; init; }
}

/// <summary>How a store came to be open.</summary>
public enum StoreOpeningKind
{
    /// <summary>It was there and is used.</summary>
    Opened,

    /// <summary>There was none; a new one was made.</summary>
    Created,

    /// <summary>The one that was there could not be used; it is set aside, and a new one holds what could be rescued.</summary>
    Quarantined,
}

/// <summary>What one session has lost.</summary>
/// <param name="ClientId">Its client id; null: all sessions that are not named.</param>
/// <param name="Count">How many messages.</param>
public sealed record LostDeliveries(string? ClientId, long Count);

/// <summary>What could be rescued of a database.</summary>
/// <param name="Tables">Table by table.</param>
/// <param name="LostDeliveries">What sessions have lost.</param>
internal sealed record Salvaged(IReadOnlyList<SalvagedTable> Tables, IReadOnlyList<LostDeliveries> LostDeliveries)
{
    /// <summary>Nothing was tried.</summary>
    public static Salvaged Nothing { get; } = new([], []);
}

/// <summary>What of a table could be rescued.</summary>
/// <param name="Name">The table's name.</param>
/// <param name="Rows">How many rows are in the new database.</param>
/// <param name="Skipped">How many were found and could not be used: unreadable, or not what was once written.</param>
/// <param name="IsComplete">Whether every row was found. If not, some pages are unreadable, and nobody knows how many rows were on them.</param>
public sealed record SalvagedTable(string Name, long Rows, long Skipped, bool IsComplete);
