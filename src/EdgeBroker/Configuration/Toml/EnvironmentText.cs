using System.Text;
using EdgeBroker.Configuration.Schema;
using Tomlyn.Syntax;

namespace EdgeBroker.Configuration.Toml;

/// <summary>Puts the environment's values in place of <c>${NAME}</c> in a string; <c>$${</c> stands for a plain <c>${</c>.</summary>
internal static class EnvironmentText
{
    private const string Opening = "${";

    public static bool TryExpand(StringValueSyntax literal, SourcePosition position, BindContext context, out string text)
    {
        text = literal.Value ?? "";
        if (!text.Contains(Opening, StringComparison.Ordinal)) return true;
        var expanded = new StringBuilder();
        bool complete = true;
        int from = 0;
        for (int ordinal = 0; ; ordinal++)
        {
            int at = text.IndexOf(Opening, from, StringComparison.Ordinal);
            if (at < 0) break;
            if (at > from && text[at - 1] == '$')
            {
                expanded.Append(text, from, at - 1 - from).Append(Opening);
                from = at + Opening.Length;
                continue;
            }

            expanded.Append(text, from, at - from);
            int end = text.IndexOf('}', at);
            string name = end < 0 ? "" : text[(at + Opening.Length)..end];
            string? problem = null;
            if (!IsName(name)) problem = "\"${\" starts the name of an environment variable, as in \"${NAME}\"; for the characters themselves write \"$${\"";
            else if (context.Environment(name) is { } value) expanded.Append(value);
            else problem = $"the environment variable \"{name}\" is not set";
            if (problem is not null)
            {
                context.Errors.Add(PositionOf(ordinal, literal, position), problem);
                complete = false;
            }

            from = problem is null || IsName(name) ? end + 1 : at + Opening.Length;
        }

        text = expanded.Append(text, from, text.Length - from).ToString();
        return complete;
    }

    private static bool IsName(string name)
    {
        foreach (char c in name)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c != '_') return false;
        }

        return name.Length > 0 && !char.IsAsciiDigit(name[0]);
    }

    /// <summary>Where the n-th <c>${</c> stands in the file; the value's own place if escapes hide it.</summary>
    private static SourcePosition PositionOf(int ordinal, StringValueSyntax literal, SourcePosition start)
    {
        string source = literal.Token?.Text ?? "";
        int at = -1;
        for (int i = 0; i <= ordinal; i++)
        {
            at = source.IndexOf(Opening, at + 1, StringComparison.Ordinal);
            if (at < 0) return start;
        }

        int line = start.Line;
        int column = start.Column;
        foreach (Rune rune in source.AsSpan(0, at).EnumerateRunes())
        {
            column++;
            if (rune.Value == '\n')
            {
                line++;
                column = 1;
            }
        }

        return start with { Line = line, Column = column };
    }
}
