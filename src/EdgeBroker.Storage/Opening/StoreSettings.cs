using EdgeBroker.Storage.Schema;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Storage.Opening;

/// <summary>What a store is opened with.</summary>
internal sealed record StoreSettings(StorageOptions Options, StoreSchema Schema, RowChecks Checks, ILogger Log, TimeProvider Time)
{
    /// <summary>What is known to be wrong with the database, so that it is set aside whatever its pages look like; null: nothing.</summary>
    public string? KnownDamage { get; init; }

    /// <summary>An unclean end is followed by a check of the whole file up to this size: some ten seconds on an SD card.</summary>
    public long LargestCheckedBytes { get; init; } = 256L * 1024 * 1024;
}
