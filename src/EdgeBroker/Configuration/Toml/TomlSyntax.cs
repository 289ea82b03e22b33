using Tomlyn;
using Tomlyn.Parsing;
using Tomlyn.Syntax;

namespace EdgeBroker.Configuration.Toml;

/// <summary>
/// Parses the text of one file and reports its syntax errors, adding what a person most likely meant. Of the errors that follow from another
/// (the rest of the line; everything after a quote that is never closed) only the first is shown.
/// </summary>
internal sealed class TomlSyntax
{
    private const int DeepestNesting = 32;

    private readonly SourceFile _file;
    private readonly string[] _lines;
    private readonly HashSet<int> _brokenLines = [];
    private readonly HashSet<int> _brokenTables = [];

    // From here on it is unknown which table a key belongs to, or whether it is a key at all.
    private int _lostFromLine = int.MaxValue;

    private TomlSyntax(string text, SourceFile file)
    {
        _file = file;
        _lines = text.Split('\n');
    }

    public static TomlTable? Read(string text, SourceFile file, ConfigurationErrors errors, out Predicate<SourcePosition> isNoise)
    {
        var syntax = new TomlSyntax(text, file);
        isNoise = syntax.IsNoise;
        if (syntax.FindTooDeep() is { } tooDeep)
        {
            errors.Add(tooDeep, $"more than {DeepestNesting} brackets are open");
            return null;
        }

        if (SyntaxAdvice.FindMosquittoLine(syntax._lines) is > 0 and int line)
        {
            errors.Add(
                new SourcePosition(file, line, 1),
                "this is a mosquitto.conf, and broker.toml is written otherwise: \"edgebroker config default\" prints one to start from, "
                    + "\"edgebroker acl import\" turns an acl_file into rules, and mosquitto's password files are read as they are");
            return null;
        }

        DocumentSyntax document;
        try
        {
            // Its own check for what is defined twice stays off: ours names both places, also across files.
            document = SyntaxParser.Parse(text, file.Name, validate: false);
        }
        catch (TomlException e)
        {
            errors.Add(file.Whole, $"cannot be parsed: {Printable.Escape(e.Message)}");
            return null;
        }

        syntax.Report(document.Diagnostics, errors);
        return new TomlTreeBuilder(file, errors).Build(document);
    }

    /// <summary>Whether an error at this place follows from a syntax error already reported.</summary>
    private bool IsNoise(SourcePosition position) =>
        position.File == _file && (position.Line >= _lostFromLine || _brokenLines.Contains(position.Line) || _brokenTables.Contains(position.Line));

    // A key that is said to be missing may stand in the broken line.
    private int TableOf(int line)
    {
        while (line > 0 && !_lines[line - 1].TrimStart().StartsWith('[')) line--;
        return line;
    }

    private void Report(DiagnosticsBag diagnostics, ConfigurationErrors errors)
    {
        var found = new List<DiagnosticMessage>(diagnostics.Count);
        foreach (DiagnosticMessage message in diagnostics) found.Add(message);
        // The lexer's come before the parser's, whatever their places.
        found.Sort((a, b) => a.Span.Start.Offset.CompareTo(b.Span.Start.Offset));
        foreach (DiagnosticMessage message in found)
        {
            int line = message.Span.Start.Line + 1;
            if (line >= _lostFromLine || !_brokenLines.Add(line)) continue;
            _brokenTables.Add(TableOf(line));
            string text = line <= _lines.Length ? _lines[line - 1].Trim() : "";
            errors.Add(new SourcePosition(_file, line, message.Span.Start.Column + 1), Explain(message.Message, text));
            if (text.StartsWith('[') || message.Message.Contains("string", StringComparison.Ordinal) || text.Contains("\"\"\"", StringComparison.Ordinal)
                || text.Contains("'''", StringComparison.Ordinal))
            {
                _lostFromLine = line + 1;
            }
        }
    }

    private static string Explain(string message, string line)
    {
        string problem = Printable.Escape(message.Replace("␤", "end of line", StringComparison.Ordinal));
        return SyntaxAdvice.For(message, line) is { } advice ? $"syntax: {Printable.Escape(advice)}" : $"syntax: {problem}";
    }

    /// <summary>The first bracket past the depth at which parsing by recursion stays safe; brackets in strings and comments count as well.</summary>
    private SourcePosition? FindTooDeep()
    {
        int depth = 0;
        for (int line = 0; line < _lines.Length; line++)
        {
            for (int column = 0; column < _lines[line].Length; column++)
            {
                char c = _lines[line][column];
                if (c is ']' or '}') depth = Math.Max(0, depth - 1);
                else if (c is '[' or '{' && ++depth > DeepestNesting) return new SourcePosition(_file, line + 1, column + 1);
            }
        }

        return null;
    }
}
