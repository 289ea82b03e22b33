using System.Globalization;
using System.Text;

namespace EdgeBroker.Cli.Bridges;

/// <summary>
/// Turns the bridges of a <c>mosquitto.conf</c> into <c>[[bridge]]</c> tables. What has no counterpart is said in a note, never left out silently.
/// </summary>
public static class MosquittoBridges
{
    /// <summary>Makes the tables.</summary>
    /// <param name="lines">The lines of mosquitto.conf.</param>
    /// <param name="notes">What the reader has to look at.</param>
    public static string Convert(IEnumerable<string> lines, List<string> notes)
    {
        var bridges = new List<ImportedBridge>();
        int number = 0;
        foreach (string raw in lines)
        {
            number++;
            string line = raw.Trim();
            if (line.Length == 0 || line.StartsWith('#')) continue;
            string[] words = line.Split((char[]?)null, 2, StringSplitOptions.RemoveEmptyEntries);
            string value = words.Length > 1 ? words[1].Trim() : "";
            if (words[0] == "connection") bridges.Add(new ImportedBridge(value));
            else if (bridges.Count > 0 && !bridges[^1].Take(words[0], value)) NoteUnknown(words[0], number, notes);
        }

        var output = new StringBuilder();
        foreach (ImportedBridge bridge in bridges) bridge.Write(output, notes);
        return output.ToString();
    }

    private static void NoteUnknown(string key, int line, List<string> notes)
    {
        // Keys of other parts stand behind a connection as well.
        if (!key.StartsWith("bridge_", StringComparison.Ordinal) && !key.StartsWith("remote_", StringComparison.Ordinal)
            && !key.StartsWith("local_", StringComparison.Ordinal))
        {
            return;
        }

        notes.Add(string.Create(CultureInfo.InvariantCulture, $"line {line}: {key} has no counterpart and was left out"));
    }
}
