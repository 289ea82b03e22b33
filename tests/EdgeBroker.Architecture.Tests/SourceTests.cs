using System.Globalization;
using System.Text.RegularExpressions;

namespace EdgeBroker.Architecture.Tests;

/// <summary>What holds of every source file.</summary>
public sealed partial class SourceTests
{
    private const int LongestFileLines = 400;

    private static readonly string[] Folders = ["src", "tests", "scripts", "configs", "packaging"];

    private static IEnumerable<string> Sources => Repository.FilesIn(Repository.PathOf("src"), "*.cs");

    private static IEnumerable<string> Tests => Repository.FilesIn(Repository.PathOf("tests"), "*.cs");

    /// <summary>What people read besides.</summary>
    private static IEnumerable<string> Texts =>
        from pattern in new[] { "*.md", "*.toml", "*.sh", "*.py", "*.csproj", "*.props", "*.service" }
        from file in Folders.SelectMany(folder => Repository.FilesIn(Repository.PathOf(folder), pattern)).Concat(Directory.GetFiles(Repository.Root, pattern))
        select file;

    [Fact]
    public void No_file_is_longer_than_a_person_reads()
    {
        var tooLong = Sources.Select(file => (Name: Repository.Relative(file), Lines: File.ReadLines(file).Count()))
            .Where(file => file.Lines > LongestFileLines).Select(file => $"{file.Name}: {file.Lines} lines");
        Rule.NothingBreaks(tooLong);
    }

    [Fact]
    public void No_line_is_wider_than_editorconfig_says()
    {
        Match limit = WidestLine().Match(File.ReadAllText(Repository.PathOf(".editorconfig")));
        int columns = int.Parse(limit.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
        Rule.NothingBreaks(LinesWhere(Sources.Concat(Tests), line => line.Length > columns));
    }

    [Fact]
    public void Nothing_is_left_to_do() => Rule.NothingBreaks(LinesWhere(Sources, Unfinished().IsMatch));

    [Fact]
    public void What_stands_here_is_about_the_broker_and_not_about_the_work_on_it()
    {
        // Code is left out, in which a letter and a figure are a format or a byte.
        var comments = LinesWhere(Sources.Concat(Tests), line => Comment().Match(line) is { Success: true } comment && Bookkeeping().IsMatch(comment.Value));
        Rule.NothingBreaks(comments.Concat(LinesWhere(Texts, Bookkeeping().IsMatch)));
    }

    [Fact]
    public void A_type_is_named_for_what_it_does()
    {
        var vague = Sources.Concat(Tests)
            .SelectMany(file => VagueType().Matches(File.ReadAllText(file)).Select(match => $"{Repository.Relative(file)}: {match.Groups[1].Value}"));
        Rule.NothingBreaks(vague);
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

    private static IEnumerable<string> LinesWhere(IEnumerable<string> files, Func<string, bool> breaks) =>
        from file in files
        from line in File.ReadLines(file).Select((text, i) => (Text: text, Number: i + 1))
        where breaks(line.Text)
        select $"{Repository.Relative(file)}:{line.Number}: {line.Text.Trim()}";

    [GeneratedRegex(@"^max_line_length = (\d+)$", RegexOptions.Multiline)]
    private static partial Regex WidestLine();

    [GeneratedRegex(@"(?<![:""])//.*$")]
    private static partial Regex Comment();

    /// <summary>Numbers of issues and findings.</summary>
    [GeneratedRegex(@"\b[FS]\d{1,2}\b|\b(?:[Ii]ssue|[Ff]inding|[Ll]ane) #?\d|(?<![\w&])#\d+\b")]
    private static partial Regex Bookkeeping();

    [GeneratedRegex(@"\b(?:class|struct|record|interface|enum) (\w*(?:Manager|Helpers?|Utils?|Impl|Data))\b")]
    private static partial Regex VagueType();

    [GeneratedRegex(@"\b(TODO|FIXME|HACK|XXX|NotImplementedException)\b")]
    private static partial Regex Unfinished();

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex Namespace();
}
