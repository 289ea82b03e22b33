using EdgeBroker.Storage.Schema;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Storage.Opening;

/// <summary>What a store is opened with.</summary>
internal sealed record StoreSettings(StorageOptions Options, StoreSchema Schema, RowChecks Checks, ILogger Log, TimeProvider Time)
{
    /// <summary>An unclean end is followed by a check of the whole file up to this size: some ten seconds on an SD card.</summary>
    public long LargestCheckedBytes { get; init; } = 256L * 1024 * 1024;
}
