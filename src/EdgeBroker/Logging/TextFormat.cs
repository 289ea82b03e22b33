using System.Buffers;
using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Logging;

/// <summary>Lines for people, and with a priority prefix instead of a time for journald, which stamps and colours its own.</summary>
internal sealed class TextFormat(bool forJournal, bool coloured) : LineFormat
{
    // Deeper than any line can start by itself: an exception's lines cannot pass for entries.
    private const string Continuation = "    ";

    public override void Write(in LogEntry entry, ArrayBufferWriter<byte> line)
    {
        var text = new StringBuilder(160);
        AppendPrefix(text, in entry);
        text.Append(CultureInfo.InvariantCulture, $"{entry.Event.Id:0000} ").Append(Printable.Escape(WithSubjectQuoted(in entry)));
        if (entry.Exception is not null) AppendException(text, in entry);
        text.Append('\n');
        foreach (ReadOnlyMemory<char> chunk in text.GetChunks()) Encoding.UTF8.GetBytes(chunk.Span, line);
    }

    /// <summary>
    /// A message that begins with a name somebody chose, which with blanks in it could pass for the beginning of another message: then in quotation marks.
    /// </summary>
    private static string WithSubjectQuoted(in LogEntry entry)
    {
        if (entry.Values is not { Count: > 1 } values || values[0].Value is not string { Length: > 0 } subject) return entry.Message;
        bool isFirst = values[^1].Value is string template && template.StartsWith('{') && entry.Message.StartsWith(subject, StringComparison.Ordinal);
        return isFirst && subject.AsSpan().ContainsAny(' ', '"', ':') && !IsPlace(values[0].Key)
            ? $"\"{subject.Replace("\"", "\\\"", StringComparison.Ordinal)}\"{entry.Message[subject.Length..]}"
            : entry.Message;
    }

    // An address, or the broker's own words.
    private static bool IsPlace(string name) => name is not ("ClientId" or "Who" or "Subject");

    private void AppendPrefix(StringBuilder text, in LogEntry entry)
    {
        if (forJournal)
        {
            text.Append('<').Append(Priority(entry.Level)).Append('>');
            return;
        }

        text.Append(CultureInfo.InvariantCulture, $"{entry.Time.UtcDateTime:yyyy-MM-dd HH:mm:ss.fff}Z ");
        string name = LogLevels.Name(entry.Level);
        if (coloured) text.Append(Colour(entry.Level)).Append(name).Append("\e[0m");
        else text.Append(name);
        text.Append(' ', 9 - name.Length);
    }

    private void AppendException(StringBuilder text, in LogEntry entry)
    {
        string details = entry.Exception!.ToString();
        foreach (ReadOnlySpan<char> part in details.AsSpan().EnumerateLines())
        {
            text.Append('\n');
            if (forJournal) text.Append('<').Append(Priority(entry.Level)).Append('>');
            text.Append(Continuation).Append(Printable.Escape(part.Trim().ToString()));
        }
    }

    // syslog's numbers.
    private static char Priority(LogLevel level) => level switch
    {
        LogLevel.Critical => '2',
        LogLevel.Error => '3',
        LogLevel.Warning => '4',
        LogLevel.Information => '6',
        _ => '7',
    };

    private static string Colour(LogLevel level) => level switch
    {
        LogLevel.Critical or LogLevel.Error => "\e[31m",
        LogLevel.Warning => "\e[33m",
        LogLevel.Information => "\e[32m",
        _ => "\e[2m",
    };
}
