using EdgeBroker.Configuration;

namespace EdgeBroker.Logging;

/// <summary>Chooses the form of the log lines from the configuration and from where they go.</summary>
internal static class LogOutput
{
    public static LineLoggerFactory Create(
        LogOptions options, string node, Stream output, bool isTerminal, Func<string, string?> environment, TimeProvider time) =>
        new(output, Format(options.Format, node, isTerminal, environment), options.Level, time);

    private static LineFormat Format(LogFormat format, string node, bool isTerminal, Func<string, string?> environment)
    {
        if (format == LogFormat.Json) return new JsonFormat(node);
        // systemd names the journal's end of stderr in this variable.
        bool forJournal = format == LogFormat.Auto && environment("JOURNAL_STREAM") is { Length: > 0 };
        bool coloured = isTerminal && environment("NO_COLOR") is null or "" && environment("TERM") is not "dumb";
        return new TextFormat(forJournal, coloured && !forJournal);
    }
}
