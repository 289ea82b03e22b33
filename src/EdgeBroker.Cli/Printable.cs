using System.Globalization;
using System.Text;

namespace EdgeBroker.Cli;

/// <summary>
/// Makes text from outside safe to show: client ids, topics and files may hold line breaks to forge a log line with, terminal control sequences,
/// or marks that turn the reading direction. All of these become visible escapes.
/// </summary>
public static class Printable
{
    public static string Escape(string text)
    {
        int first = FirstUnsafe(text);
        if (first < 0) return text;
        var escaped = new StringBuilder(text.Length + 16);
        escaped.Append(text, 0, first);
        for (int i = first; i < text.Length; i++) Append(escaped, text, ref i);
        return escaped.ToString();
    }

    private static int FirstUnsafe(string text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            // Printable ASCII is nearly all there is; the category look-up is for the rest.
            if (text[i] is < ' ' or > '~')
            {
                if (!IsSafe(text, i, out int length)) return i;
                i += length - 1;
            }
        }

        return -1;
    }

    private static void Append(StringBuilder escaped, string text, ref int i)
    {
        char c = text[i];
        if (IsSafe(text, i, out int length))
        {
            escaped.Append(text, i, length);
            i += length - 1;
            return;
        }

        switch (c)
        {
            case '\n':
                escaped.Append("\\n");
                break;
            case '\r':
                escaped.Append("\\r");
                break;
            case '\t':
                escaped.Append("\\t");
                break;
            default:
                escaped.Append("\\u").Append(((int)c).ToString("x4", CultureInfo.InvariantCulture));
                break;
        }
    }

    /// <summary>Whether the character at this index shows as itself and moves nothing else; its length in chars.</summary>
    private static bool IsSafe(string text, int index, out int length)
    {
        length = 1;
        if (!Rune.TryGetRuneAt(text, index, out Rune rune)) return false;
        UnicodeCategory category = Rune.GetUnicodeCategory(rune);
        bool isSafe = category is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator
            or UnicodeCategory.ParagraphSeparator or UnicodeCategory.OtherNotAssigned or UnicodeCategory.PrivateUse);
        // An unsafe pair is escaped one half at a time.
        if (isSafe) length = rune.Utf16SequenceLength;
        return isSafe;
    }
}
