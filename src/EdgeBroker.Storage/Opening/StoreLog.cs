using Microsoft.Extensions.Logging;

namespace EdgeBroker.Storage.Opening;

/// <summary>What the log says of the store's opening and closing.</summary>
internal static partial class StoreLog
{
    [LoggerMessage(7001, LogLevel.Information, "store {Path} opened, {SizeBytes} bytes")]
    public static partial void Opened(ILogger log, string path, long sizeBytes);

    [LoggerMessage(7002, LogLevel.Information, "store {Path} is new")]
    public static partial void Created(ILogger log, string path);

    [LoggerMessage(
        7003, LogLevel.Error,
        "store {Path} could not be used ({Cause}); it is kept as {SetAsideAs}, and a new one goes on with {Rows} rescued row(s), {Skipped} row(s) unusable")]
    public static partial void Quarantined(ILogger log, string path, string cause, string setAsideAs, long rows, long skipped);

    [LoggerMessage(7004, LogLevel.Warning, "{Table}: {Rows} row(s) rescued, {Skipped} unusable{Others}")]
    public static partial void Salvaged(ILogger log, string table, long rows, long skipped, string others);

    [LoggerMessage(
        7005, LogLevel.Warning,
        "{Count} database(s) set aside in {Directory} take {SizeBytes} bytes; delete edgebroker.db.corrupt-* when nobody needs them any more")]
    public static partial void SetAside(ILogger log, int count, string directory, long sizeBytes);

    [LoggerMessage(7006, LogLevel.Information, "the broker did not end in an orderly way; checking the store, {SizeBytes} bytes")]
    public static partial void Checking(ILogger log, long sizeBytes);

    [LoggerMessage(
        7007, LogLevel.Warning,
        "the broker did not end in an orderly way; the store, {SizeBytes} bytes, is too large to be checked now: \"edgebroker store verify\" does")]
    public static partial void NotChecked(ILogger log, long sizeBytes);

    [LoggerMessage(7008, LogLevel.Information, "store {Path} brought from version {From} to {To}; a copy from before is {Backup}")]
    public static partial void Migrated(ILogger log, string path, long from, int to, string backup);

    [LoggerMessage(
        7009, LogLevel.Error,
        "store {Path} is new, although there was one: {Cause}; what it held is lost unless a backup has it (\"edgebroker restore\")")]
    public static partial void Lost(ILogger log, string path, string cause);

    [LoggerMessage(7013, LogLevel.Error, "{ClientId}: {Count} message(s) that waited are lost; the damaged database does not hold them any more")]
    public static partial void DeliveriesLost(ILogger log, string clientId, long count);

    [LoggerMessage(
        7010, LogLevel.Error, "store {Path} could not be closed in an orderly way: {Cause}; nothing that was committed is lost, the next start checks it")]
    public static partial void NotClosed(ILogger log, string path, string cause);

    [LoggerMessage(7011, LogLevel.Warning, "a WAL without its database is set aside as {SetAsideAs}")]
    public static partial void StrayWal(ILogger log, string setAsideAs);

    [LoggerMessage(7012, LogLevel.Warning, "setting a damaged database aside was interrupted; going on with {SetAsideAs}")]
    public static partial void Resuming(ILogger log, string setAsideAs);
}
