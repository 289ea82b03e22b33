using System.Reflection;

namespace EdgeBroker.Conformance.Tests;

/// <summary>The statements of one version, those that tests prove, and those that no test can.</summary>
public sealed class StatementList
{
    private StatementList(string version)
    {
        Version = version;
        Statements = [.. Rows($"mqtt-{version}-ids.tsv").Select(row => new Statement(row[0], row[1], row[2]))];
        Listed = Rows(ListName).ToDictionary(row => row[0], row => row.ElementAtOrDefault(1) ?? "", StringComparer.Ordinal);
        Covered = (HashSet<string>)[.. typeof(StatementList).Assembly.GetTypes()
            .SelectMany(type => type.GetMethods())
            .Where(method => method.GetCustomAttribute<FactAttribute>() is not null)
            .SelectMany(method => method.GetCustomAttributes<RequirementAttribute>())
            .Where(requirement => requirement.Version == version)
            .Select(requirement => requirement.Id)];
    }

    public string Version { get; }

    public IReadOnlyList<Statement> Statements { get; }

    /// <summary>What no test can show, each with the reason.</summary>
    public IReadOnlyDictionary<string, string> Listed { get; }

    public IReadOnlySet<string> Covered { get; }

    /// <summary>Whether the version's tests claim to be complete: then there is a list of what they leave out.</summary>
    public bool ClaimsToBeComplete => File.Exists(PathOf(ListName));

    private string ListName => $"not-testable-{Version}.tsv";

    public static StatementList Of(string version) => new(version);

    private static string PathOf(string name) => Path.Combine(AppContext.BaseDirectory, "data", name);

    // The first line names the columns.
    private static IEnumerable<string[]> Rows(string name) =>
        File.Exists(PathOf(name)) ? File.ReadLines(PathOf(name)).Skip(1).Where(line => line.Length > 0).Select(line => line.Split('\t')) : [];
}
