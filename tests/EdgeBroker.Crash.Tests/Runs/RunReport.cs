using EdgeBroker.Crash.Tests.History;
using EdgeBroker.Testing.Published;

namespace EdgeBroker.Crash.Tests.Runs;

/// <summary>What came of a run.</summary>
/// <param name="Title">Which run it was, with what repeats it.</param>
/// <param name="Verdict">What the judge found.</param>
/// <param name="HistoryFile">Where the whole history is; null: all was well.</param>
public sealed record RunReport(string Title, Verdict Verdict, string? HistoryFile)
{
    /// <summary>Where what went wrong is written.</summary>
    public static string Findings => Path.Combine(RepositoryRoot.Find(), "artifacts", "crash");

    /// <summary>Whether all was well.</summary>
    public bool IsGood => Verdict.Violations.Count == 0;

    /// <summary>Makes the report, writing the history to a file where something was found.</summary>
    public static RunReport Of(string title, string name, RunHistory history, Verdict verdict, string brokerSaid)
    {
        if (verdict.Violations.Count == 0) return new RunReport(title, verdict, null);
        string file = Path.Combine(Findings, $"{name}.history");
        history.WriteTo(file, [title, .. verdict.Violations.Select(v => v.ToString()), "", "the broker last said:", brokerSaid, "", "events:"]);
        return new RunReport(title, verdict, file);
    }

    public override string ToString() => $"{Title}\n{Verdict}{(HistoryFile is null ? "" : $"\nhistory: {HistoryFile}")}";
}
