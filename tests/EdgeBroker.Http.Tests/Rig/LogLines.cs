using Microsoft.Extensions.Logging;

namespace EdgeBroker.Http.Tests.Rig;

/// <summary>A log in memory, waited for by condition.</summary>
internal sealed class LogLines : ILoggerFactory, ILogger
{
    private readonly Lock _lock = new();
    private readonly List<string> _lines = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string[] All
    {
        get
        {
            lock (_lock) return [.. _lines];
        }
    }

    /// <summary>The first line that holds a text, past or to come.</summary>
    public async Task<string> WithAsync(string text)
    {
        using var timeout = new CancellationTokenSource(EdgeBroker.Testing.Deadline.Timeout);
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                if (_lines.Find(line => line.Contains(text, StringComparison.Ordinal)) is { } found) return found;
                changed = _changed.Task;
            }

            try
            {
                await changed.WaitAsync(timeout.Token);
            }
            catch (OperationCanceledException)
            {
                throw new InvalidOperationException($"no line with \"{text}\" among:\n{string.Join('\n', All)}");
            }
        }
    }

    /// <summary>How many lines hold a text.</summary>
    public int Count(string text) => All.Count(line => line.Contains(text, StringComparison.Ordinal));

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel)) return;
        TaskCompletionSource changed;
        lock (_lock)
        {
            _lines.Add($"{logLevel} {eventId.Id} {formatter(state, exception)}{exception}");
            changed = _changed;
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        changed.SetResult();
    }

    public void Dispose()
    {
    }
}
