namespace EdgeBroker.Http.Api;

/// <summary>What the API asks of the process around the broker: its configuration, which no other part knows as a whole.</summary>
public interface IAdministration
{
    /// <summary>The program's version.</summary>
    string Version { get; }

    /// <summary>The commit it was built from; null: not known.</summary>
    string? Commit { get; }

    /// <summary>Where the broker listens.</summary>
    IReadOnlyList<ListenerAnswer> Listeners { get; }

    /// <summary>
    /// The configuration in force as JSON: each value with where it was set, and whether another one takes a restart; secrets by their place.
    /// </summary>
    string Configuration { get; }

    /// <summary>The certificates listeners show.</summary>
    IReadOnlyList<CertificateAnswer> Certificates { get; }

    /// <summary>Makes a consistent copy of the store while the broker runs.</summary>
    /// <param name="name">Names the copy.</param>
    /// <param name="cancel">Ends it; nothing is left behind.</param>
    /// <returns>Where it is, and its size.</returns>
    /// <exception cref="Routing.HttpProblem">It cannot be made.</exception>
    (string Path, long Bytes) MakeBackup(string name, CancellationToken cancel);

    /// <summary>The last lines of the log, the newest first.</summary>
    IReadOnlyList<LogLine> LogLines { get; }

    /// <summary>The least severe level that is logged.</summary>
    LogLevelAnswer LogLevel { get; }

    /// <summary>Sets another level.</summary>
    /// <param name="area">For what of the broker; null: for all that has no level of its own.</param>
    /// <param name="level">Its word; null: the one of all, or the configured one, again.</param>
    /// <param name="duration">For how long; null: until somebody says otherwise.</param>
    /// <returns>Whether there is such an area.</returns>
    bool SetLogLevel(string? area, string? level, TimeSpan? duration);

    /// <summary>Reads the configuration, and says what is wrong with it, and what it would change.</summary>
    /// <param name="toml">What would stand in the main file, which is not written; null: what stands there.</param>
    /// <param name="tag">Names the texts that were read.</param>
    ConfigCheckAnswer Check(string? toml, out string tag);

    /// <summary>Reads the files again and puts them in force.</summary>
    /// <param name="by">Who asks, for the log.</param>
    /// <param name="accepts">Whether the texts that were read, by their tag, are those that are wanted. Asked before anything is put in force.</param>
    /// <returns>Null: they are not, and nothing has changed.</returns>
    ReloadResult? Reload(string by, Predicate<string> accepts);

    /// <summary>The last reloads, whoever asked for them, the newest first.</summary>
    IReadOnlyList<ReloadEntry> Reloads { get; }
}

/// <summary>Where the broker listens.</summary>
/// <param name="Address">As configured.</param>
/// <param name="Protocol">What it speaks.</param>
/// <param name="EndPoint">Where it listens.</param>
/// <param name="AllowAnonymous">Whether clients need no login.</param>
public sealed record ListenerAnswer(string Address, string Protocol, string EndPoint, bool AllowAnonymous);

/// <summary>A configuration to be looked at instead of the main file's; it is not kept.</summary>
/// <param name="Toml">Its text; null: the files are looked at as they are.</param>
public sealed record ConfigCheckBody(string? Toml = null);

/// <summary>What is wrong with the configuration's files.</summary>
public sealed record ConfigCheckAnswer
{
    /// <summary>Whether they can be put in force.</summary>
    public required bool Valid { get; init; }

    /// <summary>Why not, each as <c>file:line:column: what</c>.</summary>
    public IReadOnlyList<string> Errors { get; init; } = [];

    /// <summary>What works but should be known.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>What a reload would put in force, listeners apart.</summary>
    public IReadOnlyList<string> Changes { get; init; } = [];

    /// <summary>What takes a restart.</summary>
    public IReadOnlyList<string> RestartNeeded { get; init; } = [];
}

/// <summary>What became of a reload.</summary>
public sealed record ReloadResult
{
    /// <summary>How it went, in a sentence.</summary>
    public required string Summary { get; init; }

    /// <summary>Why nothing was changed, each as <c>file:line:column: what</c>.</summary>
    public IReadOnlyList<string> Errors { get; init; } = [];

    /// <summary>What is in force now.</summary>
    public IReadOnlyList<string> Changed { get; init; } = [];

    /// <summary>What takes a restart.</summary>
    public IReadOnlyList<string> RestartNeeded { get; init; } = [];

    /// <summary>What works but should be known.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];
}

/// <summary>A reload, and who asked for it.</summary>
/// <param name="At">When.</param>
/// <param name="By">Who.</param>
/// <param name="Result">What became of it.</param>
public sealed record ReloadEntry(DateTimeOffset At, string By, ReloadResult Result);
