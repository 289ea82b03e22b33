using EdgeBroker.Testing;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Cluster.Tests.Sockets;

/// <summary>A log whose lines can be waited for.</summary>
internal sealed class LogWaiter : ILogger
{
    private readonly List<string> _lines = [];

    public Task LineAsync(Predicate<string> fits) => Deadline.Until(
        () =>
        {
            lock (_lines) return _lines.Exists(fits);
        },
        "a line of the log");

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (_lines) _lines.Add(formatter(state, exception));
    }
}
