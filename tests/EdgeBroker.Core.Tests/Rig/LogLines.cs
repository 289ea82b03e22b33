using Microsoft.Extensions.Logging;

namespace EdgeBroker.Core.Tests.Rig;

/// <summary>A logger that keeps the messages.</summary>
/// <param name="level">The least severe level that is kept.</param>
internal sealed class LogLines<T>(LogLevel level = LogLevel.Trace) : List<string>, ILogger<T>
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= level;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        // Some ask before they log; generated methods do not always.
        if (IsEnabled(logLevel)) Add(formatter(state, exception));
    }
}
