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
    public void The_way_of_a_publish_names_files_that_hold_the_methods_named_behind_them()
    {
        string[] files = [.. Repository.FilesIn(Repository.PathOf("src"), "*.cs")];
        Match section = Tour().Match(File.ReadAllText(Readme));
        Assert.True(section.Success);
        var broken = new List<string>();
        int methods = 0;
        foreach (Match stop in Stop().Matches(section.Value))
        {
            string? source = null;
            foreach (string name in CodeSpan().Matches(stop.Value).Select(span => span.Groups[1].Value))
            {
                if (name.EndsWith(".cs", StringComparison.Ordinal))
                {
                    string[] named = [.. files.Where(file => file.EndsWith("/EdgeBroker." + name, StringComparison.Ordinal))];
                    source = named.Length == 1 ? File.ReadAllText(named[0]) : null;
                    if (source is null) broken.Add($"{name}: no such file");
                }
                else if (source is null || !Declares(source, name))
                {
                    broken.Add($"{name}: not in the file named before it");
                }
                else
                {
                    methods++;
                }
            }
        }

        Rule.NothingBreaks(broken);
        Assert.True(methods >= 8, $"only {methods} methods are named");
    }

    [Fact]
    public void Every_script_can_be_run()
    {
        var broken = Directory.GetFiles(Repository.PathOf("scripts"), "*.sh").Append(Repository.PathOf(".ci", "run"))
            .Where(file => !file.EndsWith("env.sh", StringComparison.Ordinal) && (File.GetUnixFileMode(file) & UnixFileMode.UserExecute) == 0);
        Rule.NothingBreaks(broken);
    }

    /// <summary>Whether a line declares a method of the name: words that are no statement's, the name, and parameters.</summary>
    private static bool Declares(string source, string method)
    {
        const string Words = @"^ +(?!return |await |throw |new |else |yield )(?:[\w<>\[\]?,.()]+ )+(?:\w+\.)?";
        return Regex.IsMatch(source, $@"{Words}{Regex.Escape(method)}(?:<[\w, ]+>)?\(", RegexOptions.Multiline);
    }

    [GeneratedRegex(@"^### Follow one PUBLISH\n.*?(?=^#|\z)", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Tour();

    [GeneratedRegex(@"^\d+\. .*(?:\n   .*)*", RegexOptions.Multiline)]
    private static partial Regex Stop();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex CodeSpan();

    [GeneratedRegex(@"scripts/[\w-]+\.sh")]
    private static partial Regex Script();

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();
}
