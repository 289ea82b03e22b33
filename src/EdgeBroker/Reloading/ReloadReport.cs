using EdgeBroker.Cli.Control;

namespace EdgeBroker.Reloading;

/// <summary>A reload that is over.</summary>
/// <param name="At">When it was.</param>
/// <param name="Asked">Who asked for it.</param>
/// <param name="Report">What became of it.</param>
internal sealed record PastReload(DateTimeOffset At, string Asked, ReloadReport Report);

/// <summary>What became of a reload, for the log and for whoever asked.</summary>
internal sealed record ReloadReport
{
    /// <summary>The file, as the broker was given it; null: it runs on the embedded default.</summary>
    public string? File { get; init; }

    /// <summary>Success; Configuration: the files are wrong; Failed: they are good and could not be applied.</summary>
    public int ExitCode { get; init; } = Cli.ExitCode.Success;

    /// <summary>Whether it broke off where nothing should fail.</summary>
    public bool BrokeOff { get; init; }

    /// <summary>Why nothing was changed, each with its place.</summary>
    public IReadOnlyList<string> Errors { get; init; } = [];

    /// <summary>What is in force now.</summary>
    public IReadOnlyList<string> Applied { get; init; } = [];

    /// <summary>What stands in the files and takes a restart, and why.</summary>
    public IReadOnlyList<string> NeedsRestart { get; init; } = [];

    /// <summary>What works but should be known.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>The first line: how it went.</summary>
    public string Summary
    {
        get
        {
            string file = File is null ? "the embedded default" : Printable.Escape(File);
            if (BrokeOff) return $"{file} may be applied in part; restart the broker";
            if (ExitCode != Cli.ExitCode.Success) return $"{file} is not applied; everything stays as it was";
            if (Applied.Count == 0) return NeedsRestart.Count == 0 ? $"{file}: nothing has changed" : $"{file}: nothing to apply without a restart";
            return $"{file} is applied";
        }
    }

    /// <summary>The answer for whoever asked.</summary>
    public ControlAnswer ToAnswer() => new()
    {
        ExitCode = ExitCode,
        Reload = new ReloadAnswer(Summary, Errors, Applied, NeedsRestart, Warnings),
    };
}
