using Microsoft.Extensions.Logging;

namespace EdgeBroker.Logging;

/// <summary>The logger of one category; holds its name and its area.</summary>
internal sealed class LineLogger(string category, LogArea area, LineLoggerFactory factory) : ILogger
{
    public bool IsEnabled(LogLevel logLevel) => logLevel >= area.Level && logLevel != LogLevel.None;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel)) return;
        factory.Write(new LogEntry
        {
            Time = factory.Now,
            Level = logLevel,
            Event = eventId,
            Category = category,
            Message = formatter(state, exception),
            Values = state as IReadOnlyList<KeyValuePair<string, object?>>,
            Exception = exception,
        });
    }

    /// <summary>Scopes are not used: what matters to a line is among its values.</summary>
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;
}
