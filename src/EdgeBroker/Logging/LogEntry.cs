using Microsoft.Extensions.Logging;

namespace EdgeBroker.Logging;

/// <summary>One log call, on its way to a line.</summary>
internal readonly ref struct LogEntry
{
    public required DateTimeOffset Time { get; init; }

    public required LogLevel Level { get; init; }

    public required EventId Event { get; init; }

    public required string Category { get; init; }

    /// <summary>May hold whatever a client put into its id or topic.</summary>
    public required string Message { get; init; }

    /// <summary>The values of the message's placeholders by name; null when there are none.</summary>
    public required IReadOnlyList<KeyValuePair<string, object?>>? Values { get; init; }

    public required Exception? Exception { get; init; }
}
