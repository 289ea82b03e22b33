using EdgeBroker.Storage.Tools;

namespace EdgeBroker.Cli.Storage;

/// <summary>What <c>backup --json</c> prints.</summary>
internal sealed record BackupAnswer(string File, long Bytes);

/// <summary>What <c>restore --json</c> prints.</summary>
/// <param name="Store">The store.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="SetAsideAs">The name that a store has now which was there before.</param>
internal sealed record RestoreAnswer(string Store, long Bytes, string? SetAsideAs);

/// <summary>What <c>store verify --json</c> prints.</summary>
internal sealed record VerifyAnswer(string Store, bool Sound, long Rows, IReadOnlyList<string> Problems);

/// <summary>What <c>store stats --json</c> prints.</summary>
internal sealed record StatsAnswer(string Store, StoreStatistics Statistics);

/// <summary>What <c>store export --json</c> and <c>store import --json</c> print.</summary>
/// <param name="Written">The file, or the store.</param>
/// <param name="Holds">What was written.</param>
/// <param name="SetAsideAs">The name that a store has now which was there before.</param>
internal sealed record TransferAnswer(string Written, StoreTransfer Holds, string? SetAsideAs);
