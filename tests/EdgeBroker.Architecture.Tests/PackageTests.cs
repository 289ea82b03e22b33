using System.Xml.Linq;

namespace EdgeBroker.Architecture.Tests;

/// <summary>Every dependency is wanted: used by a project, and explained where its version stands.</summary>
public sealed class PackageTests
{
    private static readonly XDocument Versions = XDocument.Load(Repository.PathOf("Directory.Packages.props"));

    [Fact]
    public void Every_package_is_used()
    {
        var used = Repository.Projects.SelectMany(p => p.Packages).ToHashSet(StringComparer.OrdinalIgnoreCase);
        foreach (string props in new[] { "src/Directory.Build.props", "tests/Directory.Build.props", "Directory.Build.props" })
        {
            string path = Repository.PathOf(props);
            if (File.Exists(path)) used.UnionWith(XDocument.Load(path).Descendants("PackageReference").Select(e => e.Attribute("Include")!.Value));
        }

        Rule.NothingBreaks(Versions.Descendants("PackageVersion").Select(Name).Where(name => !used.Contains(name)));
    }

    [Fact]
    public void Every_package_has_a_comment_that_says_what_it_is_for()
    {
        // A comment stands for the packages below it, up to the next comment or the end of the group.
        var bare = Versions.Descendants("PackageVersion")
            .Where(e => !e.NodesBeforeSelf().OfType<XComment>().Any()).Select(Name).Except(SelfExplaining);
        Rule.NothingBreaks(bare);
    }

    [Fact]
    public void Every_project_has_its_lock_file() =>
        Rule.NothingBreaks(Repository.Projects.Where(p => !File.Exists(Path.Combine(p.Folder, "packages.lock.json"))));

    /// <summary>The test framework itself.</summary>
    private static readonly string[] SelfExplaining = ["Microsoft.NET.Test.Sdk", "xunit", "xunit.runner.visualstudio"];

    private static string Name(XElement package) => package.Attribute("Include")!.Value;
}
