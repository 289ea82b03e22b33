using System.Globalization;
using System.Text;

namespace EdgeBroker.Cli.Control;

/// <summary>What a running broker answers to a request of another process: an <see cref="Cli.ExitCode"/> for it, and lines for people.</summary>
/// <param name="ExitCode">How it went.</param>
/// <param name="Lines">What there is to say.</param>
public sealed record ControlAnswer(int ExitCode, IReadOnlyList<string> Lines)
{
    /// <summary>Most bytes an answer has.</summary>
    public const int MaxBytes = 1024 * 1024;

    private const int MaxLines = 1_000;
    private const int MaxLineLength = 500;
    private const string Head = "exit ";

    /// <summary>The answer as it goes over the socket: <c>exit NUMBER</c>, and a line each. What would be too much is left out, and that is said.</summary>
    public byte[] ToBytes()
    {
        var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $"{Head}{ExitCode}\n");
        foreach (string line in Lines.Take(MaxLines))
        {
            string shown = Printable.Escape(line);
            text.Append(shown.Length <= MaxLineLength ? shown : shown[..MaxLineLength] + "...").Append('\n');
        }

        if (Lines.Count > MaxLines) text.Append(CultureInfo.InvariantCulture, $"... and {Lines.Count - MaxLines} more lines, which are in the log\n");
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    /// <summary>Reads what came over the socket; null when it is not a whole answer.</summary>
    public static ControlAnswer? FromBytes(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty || bytes[^1] != '\n') return null;
        string[] lines = Encoding.UTF8.GetString(bytes[..^1]).Split('\n');
        if (!lines[0].StartsWith(Head, StringComparison.Ordinal)) return null;
        return int.TryParse(lines[0].AsSpan(Head.Length), NumberStyles.None, CultureInfo.InvariantCulture, out int exitCode)
            ? new ControlAnswer(exitCode, lines[1..])
            : null;
    }
}
