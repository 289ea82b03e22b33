using EdgeBroker.Http.Api;

namespace EdgeBroker.Logging;

/// <summary>The last lines of the log, for those who look at it over HTTP.</summary>
internal sealed class LogTail
{
    private const int Most = 2_000;
    private const int MostCharacters = 400;

    // Lets whoever reads it in as an admin: for the eyes of who started the broker.
    private const int OnceTokenEvent = 9060;

    private readonly Lock _lock = new();
    private readonly Queue<LogLine> _lines = new();
    private long _last;

    /// <summary>Lines, the newest first.</summary>
    public IReadOnlyList<LogLine> ToList()
    {
        lock (_lock) return [.. _lines.Reverse()];
    }

    /// <summary>Takes a line.</summary>
    public void Add(in LogEntry entry)
    {
        if (entry.Event.Id == OnceTokenEvent) return;
        string text = entry.Exception is null ? entry.Message : $"{entry.Message}: {entry.Exception.GetType().Name}: {entry.Exception.Message}";
        string? clientId = null;
        foreach (KeyValuePair<string, object?> value in entry.Values ?? [])
        {
            if (value.Key == "ClientId") clientId = Short(value.Value?.ToString() ?? "");
        }

        var line = new LogLine(0, entry.Time, LogLevels.Name(entry.Level), entry.Category, entry.Event.Id, Short(text)) { ClientId = clientId };
        lock (_lock)
        {
            if (_lines.Count == Most) _lines.Dequeue();
            _lines.Enqueue(line with { Id = ++_last });
        }
    }

    private static string Short(string text) => text.Length <= MostCharacters ? text : text[..MostCharacters] + "...";
}
