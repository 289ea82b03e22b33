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

    /// <summary>What each area writes.</summary>
    public IReadOnlyList<LogAreaAnswer> Areas { get; init; } = [];

    /// <summary>Tells one state of the levels from another.</summary>
    internal string Tag => Routing.Exchange.TagOf(System.Text.Encoding.UTF8.GetBytes(
        $"{Level} {Configured} {string.Join(' ', Areas.Where(area => area.IsOwn).Select(area => $"{area.Area}={area.Level}"))}"));
}

/// <summary>What one area of the log writes.</summary>
/// <param name="Area">The area: a part of the broker.</param>
/// <param name="Level">The least severe level that it writes.</param>
/// <param name="IsOwn">Whether it has a level of its own, and not that of all.</param>
public sealed record LogAreaAnswer(string Area, string Level, bool IsOwn)
{
    /// <summary>When its own level ends by itself; null: it does not.</summary>
    public DateTimeOffset? UntilAt { get; init; }
}

/// <summary>Another level for the log.</summary>
/// <param name="Level">The level: <c>debug</c>, <c>info</c>, <c>warning</c> or <c>error</c>; <c>default</c> takes an own level away again.</param>
public sealed record LogLevelBody(string Level)
{
    /// <summary>The area it is for; null: all that have none of their own.</summary>
    public string? Area { get; init; }

    /// <summary>After how many seconds the configured one comes back; null: not by itself.</summary>
    public long? UntilSeconds { get; init; }
}
