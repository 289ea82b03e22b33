using System.Globalization;
using System.Text;

namespace EdgeBroker.Conformance.Tests;

/// <summary>Every statement that binds a server has a test or a reason why it has none.</summary>
public sealed class CoverageTests
{
    private static readonly string[] Versions = ["3.1.1", "5.0"];

    public static TheoryData<string> AllVersions => new(Versions);

    [Theory]
    [MemberData(nameof(AllVersions))]
    public void Every_statement_about_servers_is_tested_or_listed(string version)
    {
        StatementList list = StatementList.Of(version);
        if (!list.ClaimsToBeComplete) return;
        Assert.Empty(list.Statements.Where(one => one.BindsServer && !list.Covered.Contains(one.Id) && !list.Listed.ContainsKey(one.Id)).Select(one => one.Id));
    }

    [Theory]
    [MemberData(nameof(AllVersions))]
    public void Tests_and_list_name_only_statements_there_are(string version)
    {
        StatementList list = StatementList.Of(version);
        Assert.NotEmpty(list.Statements);
        Assert.Empty(list.Covered.Concat(list.Listed.Keys).Except(list.Statements.Select(one => one.Id)));
    }

    [Theory]
    [MemberData(nameof(AllVersions))]
    public void What_is_tested_is_not_listed_as_untestable(string version)
    {
        StatementList list = StatementList.Of(version);
        Assert.Empty(list.Covered.Intersect(list.Listed.Keys));
        Assert.DoesNotContain(list.Listed, one => one.Value.Length < 10);
    }

    /// <summary>Writes the table that the test script prints.</summary>
    [Fact]
    public void The_coverage_table_is_written()
    {
        var table = new StringBuilder();
        foreach (string version in Versions) AppendTable(table, StatementList.Of(version));
        string folder = Path.Combine(RepositoryRoot(), "artifacts");
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "conformance.md"), table.ToString());
    }

    private static void AppendTable(StringBuilder table, StatementList list)
    {
        List<Statement> binding = [.. list.Statements.Where(one => one.BindsServer)];
        table.Append(CultureInfo.InvariantCulture, $"# MQTT {list.Version}: statements that bind a server\n\n");
        table.Append("| section | tested | listed | total |\n|---|---:|---:|---:|\n");
        foreach (IGrouping<string, Statement> section in binding.GroupBy(one => one.Section)) AppendRow(table, section.Key, [.. section], list);
        AppendRow(table, "**all**", binding, list);
        table.Append('\n');
    }

    private static void AppendRow(StringBuilder table, string name, List<Statement> statements, StatementList list)
    {
        int covered = statements.Count(one => list.Covered.Contains(one.Id));
        int listed = statements.Count(one => list.Listed.ContainsKey(one.Id));
        table.Append(CultureInfo.InvariantCulture, $"| {name} | {covered} | {listed} | {statements.Count} |\n");
    }

    private static string RepositoryRoot()
    {
        string folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "EdgeBroker.sln"))) folder = Path.GetDirectoryName(folder)!;
        return folder;
    }
}
