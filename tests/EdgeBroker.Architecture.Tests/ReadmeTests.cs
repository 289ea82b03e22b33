using System.Text.RegularExpressions;

namespace EdgeBroker.Architecture.Tests;

/// <summary>What a reader is told to type exists, and what he is told to read as well.</summary>
public sealed partial class ReadmeTests
{
    private static readonly string Readme = Repository.PathOf("README.md");

    [Fact]
    public void Scripts_that_the_readme_names_exist_and_can_be_run()
    {
        foreach (Match match in Script().Matches(File.ReadAllText(Readme)))
        {
            string script = Repository.PathOf(match.Value);
            Assert.True(File.Exists(script), match.Value);
            Assert.True((File.GetUnixFileMode(script) & UnixFileMode.UserExecute) != 0 || match.Value.EndsWith("env.sh", StringComparison.Ordinal),
                match.Value);
        }
    }

    [Fact]
    public void Files_that_the_readme_links_to_exist()
    {
        var dead = Link().Matches(File.ReadAllText(Readme)).Select(m => m.Groups[1].Value)
            .Where(target => !target.Contains("://", StringComparison.Ordinal) && !target.StartsWith('#'))
            .Select(target => target.Split('#')[0])
            .Where(target => !Path.Exists(Repository.PathOf(target)));
        Rule.NothingBreaks(dead);
    }

    [Fact]
    public void Every_script_can_be_run()
    {
        var broken = Directory.GetFiles(Repository.PathOf("scripts"), "*.sh").Append(Repository.PathOf(".ci", "run"))
            .Where(file => !file.EndsWith("env.sh", StringComparison.Ordinal) && (File.GetUnixFileMode(file) & UnixFileMode.UserExecute) == 0);
        Rule.NothingBreaks(broken);
    }

    [GeneratedRegex(@"scripts/[\w-]+\.sh")]
    private static partial Regex Script();

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();
}
