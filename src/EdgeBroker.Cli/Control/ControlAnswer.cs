using System.Text.Json;
using EdgeBroker.Core.Management;

namespace EdgeBroker.Cli.Control;

/// <summary>What a running broker answers: an <see cref="Cli.ExitCode"/> for the verb, and what was asked for.</summary>
public sealed record ControlAnswer
{
    /// <summary>Most bytes an answer has.</summary>
    public const int MaxBytes = 64 * 1024 * 1024;

    /// <summary>How it went.</summary>
    public int ExitCode { get; init; }

    /// <summary>Why there is nothing else; null: there is.</summary>
    public string? Problem { get; init; }

    public ReloadAnswer? Reload { get; init; }

    public StatusAnswer? Status { get; init; }

    public Page<SessionSummary>? Clients { get; init; }

    public SessionDetail? Session { get; init; }

    public KickAnswer? Kick { get; init; }

    public Page<RetainedSummary>? Retained { get; init; }

    public RetainedValue? Value { get; init; }

    public DeleteAnswer? Delete { get; init; }

    public Page<SubscriberView>? Subscribers { get; init; }

    public Page<SharedGroupView>? Shared { get; init; }

    public RefusalsAnswer? Refusals { get; init; }

    public LogLevelsAnswer? LogLevels { get; init; }

    public ConsoleAnswer? Console { get; init; }

    public BridgesAnswer? Bridges { get; init; }

    public ClusterStatusAnswer? Cluster { get; init; }

    /// <summary>An answer that says only why it is none.</summary>
    public static ControlAnswer Failed(string problem, int exitCode = Cli.ExitCode.Failed) => new() { ExitCode = exitCode, Problem = problem };

    /// <summary>The answer as it goes over the socket.</summary>
    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, ControlJson.Default.ControlAnswer);

    /// <summary>Reads what came over the socket; null when it is not a whole answer.</summary>
    public static ControlAnswer? FromBytes(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return JsonSerializer.Deserialize(bytes, ControlJson.Default.ControlAnswer);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>What became of a reload.</summary>
/// <param name="Summary">How it went.</param>
/// <param name="Errors">Why nothing was changed, each with its place.</param>
/// <param name="Applied">What is in force now.</param>
/// <param name="NeedsRestart">What stands in the files and takes a restart, and why.</param>
/// <param name="Warnings">What works but should be known.</param>
public sealed record ReloadAnswer(
    string Summary, IReadOnlyList<string> Errors, IReadOnlyList<string> Applied, IReadOnlyList<string> NeedsRestart, IReadOnlyList<string> Warnings);

/// <summary>How a broker is.</summary>
public sealed record StatusAnswer
{
    public required string Version { get; init; }

    public required string Node { get; init; }

    /// <summary>The process; null: asked from afar, nobody says.</summary>
    public int? ProcessId { get; init; }

    public required long UptimeSeconds { get; init; }

    /// <summary>The configuration's file; null: the embedded default.</summary>
    public string? Configuration { get; init; }

    /// <summary>Where its data is; null: asked from afar, nobody says.</summary>
    public string? DataDirectory { get; init; }

    /// <summary>Where it listens.</summary>
    public required IReadOnlyList<string> Listeners { get; init; }

    /// <summary>The worst of <see cref="Findings"/>: <c>good</c>, <c>warning</c> or <c>failing</c>.</summary>
    public required string Health { get; init; }

    public required IReadOnlyList<FindingAnswer> Findings { get; init; }

    /// <summary>All it tells in words, by their topics below <c>$SYS/broker/</c>.</summary>
    public required IReadOnlyDictionary<string, string> States { get; init; }

    /// <summary>All numbers.</summary>
    public required IReadOnlyList<MeterAnswer> Meters { get; init; }
}

/// <summary>How one part of the broker is.</summary>
public sealed record FindingAnswer(string Part, string Health, string Detail);

/// <summary>One number.</summary>
public sealed record MeterAnswer(string Name, string Unit, long Value, IReadOnlyDictionary<string, string>? Tags);

/// <summary>How much one area of the log says.</summary>
/// <param name="Area">The area.</param>
/// <param name="Level">Its level.</param>
/// <param name="Own">Whether that is its own.</param>
/// <param name="Until">When it goes by itself; null: it does not.</param>
public sealed record LogAreaAnswer(string Area, string Level, bool Own, DateTimeOffset? Until);

/// <summary>How much the log says.</summary>
public sealed record LogLevelsAnswer(IReadOnlyList<LogAreaAnswer> Areas);

/// <summary>What became of a kick.</summary>
/// <param name="Disconnected">Whether a connection was closed, or the session ended.</param>
/// <param name="Forgotten">Whether the session is gone.</param>
public sealed record KickAnswer(bool Disconnected, bool Forgotten);

/// <summary>What became of a deletion.</summary>
/// <param name="Deleted">Whether there was something to delete.</param>
/// <param name="Stored">Whether the disk has forgotten it, too.</param>
public sealed record DeleteAnswer(bool Deleted, bool Stored);

/// <summary>A link that lets one browser in, once.</summary>
/// <param name="Link">The link.</param>
/// <param name="ValidSeconds">How long it is good.</param>
public sealed record ConsoleAnswer(string Link, int ValidSeconds);

/// <summary>Recent refusals, the newest first.</summary>
public sealed record RefusalsAnswer(IReadOnlyList<RefusalView> Refusals);
