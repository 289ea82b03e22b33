using System.Text;

namespace EdgeBroker.Cli.Options;

/// <summary>Makes usage lines and help pages of the tables of commands.</summary>
public static class HelpText
{
    private const string Program = "edgebroker";
    private const int Columns = 80;
    private const int NameColumns = 29;
    private const int VerbColumns = 17;

    /// <summary>More options than these are not listed in a line of usage.</summary>
    private const int MostInUsage = 4;

    /// <summary>How a command is used, in one line.</summary>
    public static string UsageOf(Command command)
    {
        var line = new StringBuilder($"usage: {Program} {command.Name}");
        if (command.Run is null && command.Commands.Length > 0) return line.Append(" COMMAND ...").ToString();
        if (command.Groups.Length > 0 || command.Options.Length > MostInUsage)
        {
            line.Append(" [OPTIONS]");
        }
        else
        {
            foreach (CommandOption option in command.Options) line.Append($" [{option.Short}]");
        }

        foreach (Operand operand in command.Operands) line.Append(' ').Append(operand.Shown);
        return line.ToString();
    }

    /// <summary>The page of a command.</summary>
    public static string Of(Command command)
    {
        var page = new StringBuilder();
        page.Append(UsageOf(command)).Append("\n\n").Append(char.ToUpperInvariant(command.Summary[0])).Append(command.Summary.AsSpan(1)).Append(".\n");
        if (command.Commands.Length > 0)
        {
            page.Append('\n');
            foreach (Command one in command.Commands)
            {
                AppendRow(page, "  " + one.Name[(command.Name.Length + 1)..] + string.Concat(one.Operands.Select(operand => " " + operand.Shown)), one.Summary);
            }
        }

        if (command.Options.Length > 0) AppendOptions(page, "", command.Options);
        foreach (OptionGroup group in command.Groups) AppendOptions(page, group.Title + "\n", group.Options);
        if (command.Remarks.Length > 0) AppendText(page, command.Remarks);
        AppendText(page, command.Run is null && command.Commands.Length > 0 ? ExplainsOne(command) : ExitCodesOf(command));
        if (command.Run is not null && command.Commands.Length > 0) AppendText(page, ExplainsOne(command));
        return page.ToString();
    }

    /// <summary>The page of all verbs.</summary>
    public static string Of(IEnumerable<Command> verbs)
    {
        var page = new StringBuilder($"usage: {Program} [VERB] [OPTIONS]\n\n");
        foreach (Command verb in verbs)
        {
            page.Append("  ").Append(verb.Name.PadRight(VerbColumns - 2));
            foreach ((int i, string piece) in Wrap(verb.Summary, Columns - VerbColumns).Index())
            {
                page.Append(' ', i == 0 ? 0 : VerbColumns).Append(piece).Append('\n');
            }
        }

        return page.Append($"\n\"{Program} help VERB\" explains one.\n").ToString();
    }

    private static string ExplainsOne(Command command) => $"\"{Program} {command.Name} COMMAND --help\" explains one.";

    private static string ExitCodesOf(Command command)
    {
        string configuration = command.ReadsConfiguration ? $", {ExitCode.Configuration} wrong configuration" : "";
        return $"Exit codes: {command.ExitCodes}, {ExitCode.Usage} wrong usage{configuration}.";
    }

    private static void AppendText(StringBuilder page, string text)
    {
        page.Append('\n');
        foreach (string piece in Paragraphs(text).SelectMany(line => Wrap(line, Columns))) page.Append(piece).Append('\n');
    }

    /// <summary>Lines that follow each other are one text; indented ones stay as they are.</summary>
    private static IEnumerable<string> Paragraphs(string text)
    {
        string paragraph = "";
        foreach (string line in text.Split('\n'))
        {
            if (!line.StartsWith(' ') && line.Length > 0)
            {
                paragraph += paragraph.Length == 0 ? line : " " + line;
                continue;
            }

            if (paragraph.Length > 0) yield return paragraph;
            paragraph = "";
            yield return line;
        }

        if (paragraph.Length > 0) yield return paragraph;
    }

    private static void AppendOptions(StringBuilder page, string title, CommandOption[] options)
    {
        page.Append('\n').Append(title);
        foreach (CommandOption option in options) AppendRow(page, "  " + option.Shown, option.Help);
    }

    /// <summary>What is too long for its line goes on below; line breaks in the text stay.</summary>
    private static void AppendRow(StringBuilder page, string name, string text)
    {
        page.Append(name);
        int column = name.Length;
        if (column > NameColumns - 2)
        {
            page.Append('\n');
            column = 0;
        }

        foreach (string line in text.Split('\n'))
        {
            foreach (string piece in Wrap(line, Columns - NameColumns))
            {
                page.Append(' ', NameColumns - column).Append(piece).Append('\n');
                column = 0;
            }
        }
    }

    private static IEnumerable<string> Wrap(string line, int width)
    {
        while (line.Length > width)
        {
            int end = line.LastIndexOf(' ', width);
            if (end <= 0) break;
            yield return line[..end];
            line = line[(end + 1)..];
        }

        yield return line;
    }
}
