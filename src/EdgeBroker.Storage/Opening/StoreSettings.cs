using EdgeBroker.Storage.Schema;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Storage.Opening;

/// <summary>What a store is opened with.</summary>
internal sealed record StoreSettings(StorageOptions Options, StoreSchema Schema, RowChecks Checks, ILogger Log, TimeProvider Time);
