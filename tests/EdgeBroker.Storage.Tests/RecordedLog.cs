using Microsoft.Extensions.Logging;

namespace EdgeBroker.Storage.Tests;

/// <summary>A log that keeps what it is told.</summary>
public sealed class RecordedLog : ILogger
{
    public List<(int Id, LogLevel Level, string Text)> Entries { get; } = [];

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Entries.Add((eventId.Id, logLevel, formatter(state, exception)));

    public void AssertSaid(int id) => Assert.Contains(Entries, e => e.Id == id);
}
