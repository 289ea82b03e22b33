using Microsoft.Extensions.Logging;

namespace EdgeBroker.Logging;

/// <summary>The levels' names, as broker.toml writes them.</summary>
internal static class LogLevels
{
    /// <summary>What an area's own level is called where it has none.</summary>
    public const string Default = "default";

    /// <summary>The level of a name; null: there is none.</summary>
    public static LogLevel? Find(string name) =>
        Enum.GetValues<LogLevel>().Where(level => level is >= LogLevel.Debug and <= LogLevel.Error && Name(level) == name).Select(level => (LogLevel?)level)
            .FirstOrDefault();

    public static string Name(LogLevel level) => level switch
    {
        LogLevel.Trace => "trace",
        LogLevel.Debug => "debug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warning",
        LogLevel.Error => "error",
        _ => "critical",
    };
}
