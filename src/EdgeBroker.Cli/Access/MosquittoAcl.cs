using System.Text;
using EdgeBroker.Core.Security;

namespace EdgeBroker.Cli.Access;

/// <summary>
/// mosquitto's <c>acl_file</c> as <c>[[acl]]</c> rules. There a client's own denials come first, then what its lines allow, then the patterns in the same way;
/// the rules are written in that order, since here the first that matches decides.
/// </summary>
internal static class MosquittoAcl
{
    // Where a name's place in TOML is a glob, these cannot be meant as themselves.
    private static readonly char[] GlobCharacters = ['*', '?'];

    /// <summary>The rules as TOML; empty when there are problems. Of a file without rules, one that denies everything, as mosquitto does with it.</summary>
    public static string ToToml(string text, string file, out List<string> problems, out List<string> warnings)
    {
        problems = [];
        warnings = [];
        var lines = new List<Line>();
        string user = "";
        int number = 0;
        foreach (string raw in text.Split('\n'))
        {
            number++;
            string line = raw.Trim(' ', '\t', '\r');
            if (line.Length == 0 || line[0] == '#') continue;
            string word = FirstWord(line, out string rest);
            string? problem = null;
            if (word == "user")
            {
                (user, problem) = (rest, rest.Length == 0 ? "user without a name"
                    : rest.IndexOfAny(GlobCharacters) >= 0 ? "a user name with \"*\" or \"?\", which stand for other characters here"
                    : null);
            }
            else if (word is "topic" or "pattern")
            {
                problem = ReadTopic(word == "pattern", user, rest, number, lines);
                if (problem is null && word == "pattern" && !rest.Contains("%u", StringComparison.Ordinal) && !rest.Contains("%c", StringComparison.Ordinal))
                {
                    warnings.Add($"{file}:{number}: this pattern has neither %u nor %c, so it holds for every client alike");
                }
            }
            else
            {
                problem = $"unknown word \"{word}\"; expected user, topic or pattern";
            }

            if (problem is not null) problems.Add($"{file}:{number}: {problem}");
        }

        return problems.Count > 0 ? "" : Write(lines, file);
    }

    private static string? ReadTopic(bool isPattern, string user, string rest, int number, List<Line> lines)
    {
        string access = FirstWord(rest, out string topic);
        if (topic.Length == 0) (access, topic) = ("readwrite", rest);
        if (access is not ("read" or "write" or "readwrite" or "deny"))
        {
            // mosquitto refuses such a file; with a guess a slip of the finger would become all rights.
            return $"unknown access \"{access}\"; expected read, write, readwrite or deny, or a topic without spaces alone";
        }

        // In a topic line a percent sign is just that.
        if (!isPattern) topic = topic.Replace("%", "%%", StringComparison.Ordinal);
        if (topic.Length == 0) return "no topic";
        if (!AclPattern.IsValid(topic)) return $"\"{topic}\" is not a topic filter{(isPattern ? " with %u and %c" : "")}";
        lines.Add(new Line(number, isPattern, user, access, topic));
        return null;
    }

    private static string Write(List<Line> lines, string file)
    {
        var toml = new StringBuilder();
        toml.Append("# Made from ").Append(Printable.Escape(file)).Append(".\n");
        toml.Append("# One difference: mosquitto lets anyone subscribe to anything and leaves out what may not be read; here a filter\n");
        toml.Append("# that covers more than may be read is refused.\n");
        if (lines.Count == 0)
        {
            toml.Append("# The file holds no rule: with mosquitto nobody may do anything then.\n");
            return toml.Append("\n[[acl]]\ndeny = [\"publish\", \"subscribe\", \"retain\"]\ntopics = [\"#\"]\n").ToString();
        }

        IEnumerable<Line> ordered = lines.OrderBy(line => line.IsPattern).ThenBy(line => line.Access != "deny");
        foreach (Line line in ordered)
        {
            toml.Append("\n[[acl]]                                # line ").Append(line.Number).Append('\n');
            if (!line.IsPattern) toml.Append("user = ").Append(Quote(line.User)).Append('\n');
            toml.Append(line.Access switch
            {
                "read" => "allow = [\"subscribe\"]\n",
                "write" => "allow = [\"publish\", \"retain\"]\n",
                "deny" => "deny = [\"publish\", \"subscribe\", \"retain\"]\n",
                _ => "allow = [\"publish\", \"subscribe\", \"retain\"]\n",
            });
            toml.Append("topics = [").Append(Quote(line.Topic)).Append("]\n");
        }

        return toml.ToString();
    }

    private static string FirstWord(string line, out string rest)
    {
        int end = line.AsSpan().IndexOfAny(' ', '\t');
        rest = end < 0 ? "" : line[end..].Trim(' ', '\t');
        return end < 0 ? line : line[..end];
    }

    private static string Quote(string text)
    {
        // "${" would be the environment's.
        var quoted = new StringBuilder("\"");
        foreach (char c in text.Replace("${", "$${", StringComparison.Ordinal))
        {
            if (c is '"' or '\\') quoted.Append('\\').Append(c);
            else if (char.IsControl(c)) quoted.Append("\\u").Append(((int)c).ToString("X4", System.Globalization.CultureInfo.InvariantCulture));
            else quoted.Append(c);
        }

        return quoted.Append('"').ToString();
    }

    private sealed record Line(int Number, bool IsPattern, string User, string Access, string Topic);
}
