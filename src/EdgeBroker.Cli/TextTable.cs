namespace EdgeBroker.Cli;

/// <summary>Rows of text under headings, each column as wide as its widest cell; for people.</summary>
internal sealed class TextTable
{
    private const int WidestCell = 60;

    private readonly string[] _headings;
    private readonly bool[] _isRight;
    private readonly List<string[]> _rows = [];

    /// <param name="headings">The headings; one that begins with <c>&gt;</c> stands, as its column does, on the right.</param>
    public TextTable(params string[] headings)
    {
        _headings = [.. headings.Select(heading => heading.TrimStart('>'))];
        _isRight = [.. headings.Select(heading => heading.StartsWith('>'))];
    }

    /// <summary>Adds a row. What clients chose is made safe to show, and cut where it is too long.</summary>
    public void Add(params string?[] cells) => _rows.Add([.. cells.Select(Cell)]);

    /// <summary>Writes it; nothing when there are no rows.</summary>
    public void Write(TextWriter output)
    {
        if (_rows.Count == 0) return;
        int[] widths = [.. _headings.Select((heading, column) => Math.Max(heading.Length, _rows.Max(row => row[column].Length)))];
        foreach (string[] row in _rows.Prepend(_headings))
        {
            output.WriteLine(string.Join(
                "  ", row.Select((cell, column) => _isRight[column] ? cell.PadLeft(widths[column]) : cell.PadRight(widths[column]))).TrimEnd());
        }
    }

    private static string Cell(string? text)
    {
        string shown = string.IsNullOrEmpty(text) ? "-" : Printable.Escape(text);
        return shown.Length <= WidestCell ? shown : shown[..(WidestCell - 3)] + "...";
    }
}
