using System.Text.RegularExpressions;

namespace EdgeBroker.Architecture.Tests;

/// <summary>What holds of every source file.</summary>
public sealed partial class SourceTests
{
    private const int LongestFileLines = 400;

    private static IEnumerable<string> Sources => Repository.FilesIn(Repository.PathOf("src"), "*.cs");

    [Fact]
    public void No_file_is_longer_than_a_person_reads()
    {
        var tooLong = Sources.Select(file => (Name: Repository.Relative(file), Lines: File.ReadLines(file).Count()))
            .Where(file => file.Lines > LongestFileLines).Select(file => $"{file.Name}: {file.Lines} lines");
        Rule.NothingBreaks(tooLong);
    }

    [Fact]
    public void Nothing_is_left_to_do()
    {
        var found = Sources.SelectMany(file => File.ReadLines(file)
            .Select((line, i) => (line, i))
            .Where(l => Unfinished().IsMatch(l.line))
            .Select(l => $"{Repository.Relative(file)}:{l.i + 1}: {l.line.Trim()}"));
        Rule.NothingBreaks(found);
    }

    [Fact]
    public void Every_project_folder_says_what_it_is_for() =>
        Rule.NothingBreaks(Repository.Products.Where(p => !File.Exists(Path.Combine(p.Folder, "DESIGN.md"))));

    [Fact]
    public void A_namespace_is_its_project_and_at_most_its_folder()
    {
        var strays = new List<string>();
        foreach (Project project in Repository.Products)
        {
            foreach (string file in Repository.FilesIn(project.Folder, "*.cs"))
            {
                Match declared = Namespace().Match(File.ReadAllText(file));
                if (!declared.Success) continue;
                string folder = Path.GetRelativePath(project.Folder, Path.GetDirectoryName(file)!).Replace('/', '.');
                string name = declared.Groups[1].Value;
                if (name != project.Name && name != $"{project.Name}.{folder}") strays.Add($"{Repository.Relative(file)}: {name}");
            }
        }

        Rule.NothingBreaks(strays);
    }

    [GeneratedRegex(@"\b(TODO|FIXME|HACK|XXX|NotImplementedException)\b")]
    private static partial Regex Unfinished();

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex Namespace();
}
