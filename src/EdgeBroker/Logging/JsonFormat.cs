using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;

namespace EdgeBroker.Logging;

/// <summary>
/// One JSON object a line. The placeholders' values stand under <c>values</c>, where no name of theirs can meet one of the line's own. All names are written as
/// the line's own are: <c>client_id</c>.
/// </summary>
/// <param name="node">The broker's name, by which lines of several can be told apart.</param>
internal sealed class JsonFormat(string node) : LineFormat
{
    // What methods that log are called by convention; not part of the event's name.
    private const string MethodPrefix = "Log";

    private static readonly JsonWriterOptions Options = new()
    {
        Encoder = Readable(),
        SkipValidation = true,
    };

    public override void Write(in LogEntry entry, ArrayBufferWriter<byte> line)
    {
        using (var json = new Utf8JsonWriter(line, Options))
        {
            json.WriteStartObject();
            json.WriteString("ts"u8, entry.Time.UtcDateTime);
            json.WriteString("level"u8, LogLevels.Name(entry.Level));
            json.WriteNumber("event_id"u8, entry.Event.Id);
            if (entry.Event.Name is { } name) json.WriteString("event"u8, NameOf(name));
            json.WriteString("node"u8, node);
            json.WriteString("category"u8, entry.Category);
            json.WriteString("msg"u8, Printable.Escape(entry.Message));
            WriteValues(json, entry.Values);
            if (entry.Exception is not null) json.WriteString("exception"u8, entry.Exception.ToString());
            json.WriteEndObject();
        }

        line.Write("\n"u8);
    }

    private static string NameOf(string method) => JsonNamingPolicy.SnakeCaseLower.ConvertName(
        method.Length > MethodPrefix.Length && method.StartsWith(MethodPrefix, StringComparison.Ordinal) && char.IsUpper(method[MethodPrefix.Length])
            ? method[MethodPrefix.Length..]
            : method);

    /// <summary>
    /// Names of places and people stay readable; marks that are not seen but turn the reading direction or hide text are escaped, which the ready-made
    /// relaxed encoder does not do.
    /// </summary>
    private static JavaScriptEncoder Readable()
    {
        var settings = new TextEncoderSettings(UnicodeRanges.All);
        for (int c = 0; c <= char.MaxValue; c++)
        {
            if (char.GetUnicodeCategory((char)c) == UnicodeCategory.Format) settings.ForbidCharacter((char)c);
        }

        return JavaScriptEncoder.Create(settings);
    }

    private static void WriteValues(Utf8JsonWriter json, IReadOnlyList<KeyValuePair<string, object?>>? values)
    {
        if (values is null) return;
        bool any = false;
        for (int i = 0; i < values.Count; i++)
        {
            // The template itself travels among the values under this name.
            if (values[i].Key == "{OriginalFormat}") continue;
            if (!any) json.WriteStartObject("values"u8);
            any = true;
            json.WritePropertyName(JsonNamingPolicy.SnakeCaseLower.ConvertName(values[i].Key));
            WriteValue(json, values[i].Value);
        }

        if (any) json.WriteEndObject();
    }

    private static void WriteValue(Utf8JsonWriter json, object? value)
    {
        switch (value)
        {
            case null:
                json.WriteNullValue();
                break;
            case bool boolean:
                json.WriteBooleanValue(boolean);
                break;
            case int number:
                json.WriteNumberValue(number);
                break;
            case long number:
                json.WriteNumberValue(number);
                break;
            case uint number:
                json.WriteNumberValue(number);
                break;
            case ushort number:
                json.WriteNumberValue(number);
                break;
            case byte number:
                json.WriteNumberValue(number);
                break;
            case double number when double.IsFinite(number):
                json.WriteNumberValue(number);
                break;
            case IFormattable formattable:
                json.WriteStringValue(formattable.ToString(null, CultureInfo.InvariantCulture));
                break;
            default:
                json.WriteStringValue(value.ToString());
                break;
        }
    }
}
