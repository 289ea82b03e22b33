using System.Collections.Concurrent;
using EdgeBroker.Testing;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Coap.Tests.Rig;

/// <summary>A log in memory.</summary>
internal sealed class LogLines : ILoggerFactory, ILogger
{
    private readonly ConcurrentQueue<string> _lines = new();

    /// <summary>Waits for a line that holds a text.</summary>
    public Task WithAsync(string text) =>
        Deadline.Until(() => _lines.Any(line => line.Contains(text, StringComparison.Ordinal)), $"a line of the log with \"{text}\"");

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _lines.Enqueue($"{logLevel} {eventId.Id} {formatter(state, exception)}");

    public void Dispose()
    {
    }
}
