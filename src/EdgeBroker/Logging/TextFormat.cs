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
        text.Append(CultureInfo.InvariantCulture, $"{entry.Event.Id:0000} ").Append(Printable.Escape(entry.Message));
        if (entry.Exception is not null) AppendException(text, in entry);
        text.Append('\n');
        foreach (ReadOnlyMemory<char> chunk in text.GetChunks()) Encoding.UTF8.GetBytes(chunk.Span, line);
    }

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
