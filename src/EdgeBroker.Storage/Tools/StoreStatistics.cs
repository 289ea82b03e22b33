namespace EdgeBroker.Storage.Tools;

/// <summary>What a store holds and takes, all at one moment.</summary>
public sealed record StoreStatistics
{
    /// <summary>The layout's version.</summary>
    public required long Version { get; init; }

    /// <summary>Table by table; empty when the layout is not this broker's.</summary>
    public required IReadOnlyList<TableStatistics> Tables { get; init; }

    /// <summary>Bytes of a page.</summary>
    public required long PageSizeBytes { get; init; }

    /// <summary>Pages of the database, those still in the WAL included.</summary>
    public required long Pages { get; init; }

    /// <summary>Pages that are free to be used again.</summary>
    public required long FreePages { get; init; }

    /// <summary>Bytes of the database file.</summary>
    public required long FileBytes { get; init; }

    /// <summary>Bytes of the WAL; 0 without one.</summary>
    public required long WalBytes { get; init; }

    /// <summary>How many damaged databases lie beside it, set aside.</summary>
    public required int SetAsideCount { get; init; }

    /// <summary>What they take, in bytes.</summary>
    public required long SetAsideBytes { get; init; }
}
