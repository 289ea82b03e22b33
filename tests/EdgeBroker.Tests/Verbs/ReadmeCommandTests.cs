using System.Text;
using System.Text.RegularExpressions;
using EdgeBroker.Cli.Options;
using EdgeBroker.Verbs;

namespace EdgeBroker.Tests.Verbs;

/// <summary>What a user is told to type is understood: every command line in the texts is read by the tables of options.</summary>
public sealed partial class ReadmeCommandTests
{
    private static readonly HashSet<string> Names = [.. VerbTable.All.Verbs.SelectMany(verb => verb.Commands.Append(verb)).Select(command => command.Name)];

    [Theory]
    [InlineData("README.md")]
    [InlineData("broker.toml")]
    [InlineData("configs/*")]
    [InlineData("packaging/*")]
    public void Command_lines_in_the_texts_can_be_read(string files)
    {
        foreach (string file in Directory.GetFiles(Path.Combine(Repository.Root, Path.GetDirectoryName(files)!), Path.GetFileName(files)))
        {
            foreach (Match match in Invocation().Matches(File.ReadAllText(file)))
            {
                string line = match.Groups[1].Value;
                if (!Names.Contains(line)) Assert.Null(ProblemWith(line) is { } problem ? $"{file}: edgebroker {line}: {problem}" : null);
            }
        }
    }

    private static string? ProblemWith(string line)
    {
        try
        {
            Command? command = null;
            VerbTable.All.Read(Words(line), ref command);
            return null;
        }
        catch (UsageException e)
        {
            return e.Message;
        }
    }

    /// <summary>As a shell parts them: at spaces outside quotes, up to a comment.</summary>
    private static string[] Words(string line)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        char quote = '\0';
        foreach (char c in line + " ")
        {
            if (quote != '\0' ? c == quote : c is '\'' or '"')
            {
                quote = quote == '\0' ? c : '\0';
            }
            else if (c != ' ' || quote != '\0')
            {
                word.Append(c);
            }
            else if (word.Length > 0)
            {
                if (word[0] == '#') break;
                words.Add(word.ToString());
                word.Clear();
            }
        }

        return [.. words];
    }

    /// <summary>Behind <c>edgebroker</c> where it starts a code span or a line of a code block, with or without a path.</summary>
    [GeneratedRegex(@"(?:^|`|=|\$ )(?:[\w./-]*/)?edgebroker ((?:-|[a-z]+\b)[^`\n]*)", RegexOptions.Multiline)]
    private static partial Regex Invocation();
}
