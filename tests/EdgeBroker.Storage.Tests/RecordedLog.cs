using Microsoft.Extensions.Logging;

namespace EdgeBroker.Storage.Tests;

/// <summary>A log that keeps what it is told, by any thread.</summary>
public sealed class RecordedLog : ILogger
{
    private readonly Lock _lock = new();

    public List<(int Id, LogLevel Level, string Text)> Entries { get; } = [];

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        string text = exception is null ? formatter(state, exception) : $"{formatter(state, exception)}: {exception}";
        lock (_lock) Entries.Add((eventId.Id, logLevel, text));
    }

    /// <summary>All of it, a line each.</summary>
    public override string ToString()
    {
        lock (_lock) return string.Join('\n', Entries.Select(entry => $"{entry.Level} {entry.Id} {entry.Text}"));
    }

    public void AssertSaid(int id) => Assert.Contains(Entries, e => e.Id == id);
}
