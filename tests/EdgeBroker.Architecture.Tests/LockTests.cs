using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace EdgeBroker.Architecture.Tests;

/// <summary>The rule about locks is checked wherever a lock is taken, and nowhere in what is published.</summary>
public sealed partial class LockTests
{
    private static readonly string[] Checked = ["EdgeBroker.Core", "EdgeBroker.Mqtt", "EdgeBroker.Transport"];

    [Fact]
    public void Every_lock_that_is_taken_is_checked()
    {
        var unchecked_ = new List<string>();
        string[] files = [.. Checked.SelectMany(project => Repository.FilesIn(Repository.PathOf("src", project), "*.cs"))];
        foreach (string file in files.Where(file => !file.Contains("/Retained/", StringComparison.Ordinal)))
        {
            foreach (string line in File.ReadLines(file).Where(line => Taken().IsMatch(line) && !TakenByRule().IsMatch(line)))
            {
                unchecked_.Add($"{Repository.Relative(file)}: {line.Trim()}");
            }
        }

        Rule.NothingBreaks(unchecked_);
    }

    [Fact]
    public void What_is_published_is_built_unchecked_and_apart_from_what_tests_run()
    {
        XElement[] groups = [.. XDocument.Load(Repository.PathOf("src", "Directory.Build.props")).Descendants("PropertyGroup")];
        XElement constant = Assert.Single(groups.Descendants("DefineConstants"), element => element.Value.Contains("CHECKED", StringComparison.Ordinal));
        Assert.Equal("'$(Checked)' == 'true'", constant.Parent!.Attribute("Condition")!.Value);
        XElement apart = Assert.Single(groups, group => group.Attribute("Condition")?.Value == "'$(Checked)' != 'true'");
        Assert.StartsWith("obj/", apart.Element("IntermediateOutputPath")!.Value, StringComparison.Ordinal);
        Assert.StartsWith("bin/", apart.Element("OutputPath")!.Value, StringComparison.Ordinal);
        string[] script = File.ReadAllLines(Repository.PathOf("scripts", "publish.sh"));
        string publish = Assert.Single(script, line => line.Contains("dotnet publish", StringComparison.Ordinal));
        Assert.Contains(" -p:Checked=false ", publish, StringComparison.Ordinal);
        Assert.DoesNotContain(
            Repository.Projects.SelectMany(project => Repository.FilesIn(project.Folder, "*.csproj")),
            file => File.ReadAllText(file).Contains("CHECKED", StringComparison.Ordinal));
    }

    [GeneratedRegex(@"\block \(")]
    private static partial Regex Taken();

    [GeneratedRegex(@"\block \([\w.]+\.(?:Alone|Leaf)\(\)\)")]
    private static partial Regex TakenByRule();
}
