using System.Text;

namespace EdgeBroker.Configuration.Toml;

/// <summary>A TOML file as a person would write it: one line for each key, comments in a column of their own.</summary>
internal sealed class TomlDocument
{
    private const int CommentColumn = 39;
    private const int Width = 160;

    private readonly StringBuilder _text = new();
    private readonly List<string> _assignments = [];

    /// <summary>A paragraph of comment.</summary>
    public void Paragraph(string text)
    {
        foreach (string line in Wrap(text, Width - 2)) _text.Append("# ").Append(line).Append('\n');
    }

    /// <summary>An empty line, unless it would be the first, or the second in a row.</summary>
    public void Blank()
    {
        if (_text.Length > 0 && !(_text.Length > 1 && _text[^2] == '\n')) _text.Append('\n');
    }

    /// <summary>The header of a table.</summary>
    public void Header(string title, bool isCommented = false, string comment = "") => Line((isCommented ? "#" : "") + title, comment);

    /// <summary>A key and its value.</summary>
    public void Assignment(string name, string value, bool isCommented, string comment)
    {
        string assignment = $"{name} = {value}";
        _assignments.Add(assignment);
        Line((isCommented ? "#" : "") + assignment, comment);
    }

    /// <summary>The keys and values as a table in braces.</summary>
    public string ToInlineTable() => $"{{ {string.Join(", ", _assignments)} }}";

    public override string ToString() => _text.ToString();

    private void Line(string line, string comment)
    {
        _text.Append(line);
        int column = Math.Max(CommentColumn, line.Length + 1);
        bool isFirst = true;
        foreach (string part in Wrap(comment, Width - column - 2))
        {
            _text.Append(' ', isFirst ? column - line.Length : column).Append("# ").Append(part).Append('\n');
            isFirst = false;
        }

        if (isFirst) _text.Append('\n');
    }

    private static IEnumerable<string> Wrap(string text, int width)
    {
        var line = new StringBuilder();
        foreach (string word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > width)
            {
                yield return line.ToString();
                line.Clear();
            }

            if (line.Length > 0) line.Append(' ');
            line.Append(word);
        }

        if (line.Length > 0) yield return line.ToString();
    }
}
