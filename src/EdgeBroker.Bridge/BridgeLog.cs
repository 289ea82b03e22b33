using Microsoft.Extensions.Logging;

namespace EdgeBroker.Bridge;

/// <summary>What bridges say in the log.</summary>
internal static partial class BridgeLog
{
    [LoggerMessage(14000, LogLevel.Information, "bridge {Bridge} is connected to {Server}; {Backlog} message(s) wait")]
    public static partial void Connected(ILogger log, string bridge, string server, int backlog);

    [LoggerMessage(14001, LogLevel.Warning, "bridge {Bridge} is not connected: {Cause} Next attempt in {Seconds} s.")]
    public static partial void NotConnected(ILogger log, string bridge, string cause, double seconds);

    [LoggerMessage(14002, LogLevel.Warning, "bridge {Bridge} lost its connection: {Cause}")]
    public static partial void Lost(ILogger log, string bridge, string cause);

    [LoggerMessage(14003, LogLevel.Information, "bridge {Bridge} has left {Server}")]
    public static partial void Left(ILogger log, string bridge, string server);

    [LoggerMessage(14004, LogLevel.Warning, "bridge {Bridge}: {Cause}")]
    public static partial void MessageRefused(ILogger log, string bridge, string cause);

    [LoggerMessage(14005, LogLevel.Warning, "bridge {Bridge}: {Cause}")]
    public static partial void NotSubscribed(ILogger log, string bridge, string cause);

    [LoggerMessage(14006, LogLevel.Information, "bridge {Bridge} has sent its backlog")]
    public static partial void Drained(ILogger log, string bridge);

    [LoggerMessage(
        14008, LogLevel.Warning, "bridge {Bridge}: {Cause}; messages of the other side are not acknowledged, and come again when the store takes them")]
    public static partial void PassingOver(ILogger log, string bridge, string cause);

    [LoggerMessage(14007, LogLevel.Error, "bridge {Bridge} goes on after a fault: {Cause}")]
    public static partial void Fault(ILogger log, string bridge, string cause, Exception exception);
}
