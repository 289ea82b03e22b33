namespace EdgeBroker.Http.Api;

/// <summary>One line of the log.</summary>
/// <param name="Id">Its place among all lines since the first was kept.</param>
/// <param name="At">When.</param>
/// <param name="Level"><c>debug</c>, <c>info</c>, <c>warning</c>, <c>error</c> or <c>critical</c>.</param>
/// <param name="Area">What of the broker wrote it.</param>
/// <param name="Event">The event's number.</param>
/// <param name="Text">The line.</param>
public sealed record LogLine(long Id, DateTimeOffset At, string Level, string Area, int Event, string Text)
{
    /// <summary>The client it is about; null: none.</summary>
    public string? ClientId { get; init; }
}

/// <summary>The least severe level that is written.</summary>
/// <param name="Level">The level.</param>
/// <param name="Configured">What the configuration says.</param>
public sealed record LogLevelAnswer(string Level, string Configured)
{
    /// <summary>In how many seconds the configured one is back; null: not by itself.</summary>
    public long? UntilSeconds { get; init; }
}

/// <summary>Another level for the log.</summary>
/// <param name="Level">The level: <c>debug</c>, <c>info</c>, <c>warning</c> or <c>error</c>.</param>
public sealed record LogLevelBody(string Level)
{
    /// <summary>After how many seconds the configured one comes back; null: not by itself.</summary>
    public long? UntilSeconds { get; init; }
}
