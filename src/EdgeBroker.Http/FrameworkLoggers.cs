using Microsoft.Extensions.Logging;

namespace EdgeBroker.Http;

/// <summary>The web framework's log: warnings and errors only. What it says below is about itself, and what hostile clients do would fill the log.</summary>
internal sealed class FrameworkLoggers(ILoggerFactory loggers) : ILoggerFactory
{
    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) => new Quiet(loggers.CreateLogger(categoryName));

    /// <inheritdoc/>
    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException("the log is the caller's");

    /// <inheritdoc/>
    public void Dispose()
    {
        // The caller's, who goes on writing.
    }

    private sealed class Quiet(ILogger logger) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning && logger.IsEnabled(logLevel);

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel)) logger.Log(logLevel, eventId, state, exception, formatter);
        }
    }
}
