using System.Text;
using System.Text.Json;
using EdgeBroker.Protocol;

namespace EdgeBroker.Storage.Tools;

/// <summary>The fields of a JSON object, each to be taken once and with the type and size it must have. What is wrong is told by <see cref="FormatException"/>.
/// </summary>
internal sealed class JsonFields
{
    /// <summary>The largest number every reader of JSON can hold.</summary>
    public const long LargestNumber = (1L << 53) - 1;

    private readonly Dictionary<string, JsonElement> _fields = new(StringComparer.Ordinal);

    /// <param name="element">The object.</param>
    /// <exception cref="FormatException">It is none, or holds a field twice.</exception>
    public JsonFields(JsonElement element)
    {
        if (element.ValueKind != JsonValueKind.Object) throw new FormatException("it is no JSON object");
        foreach (JsonProperty field in element.EnumerateObject())
        {
            string name = Decode(() => field.Name);
            if (!_fields.TryAdd(name, field.Value)) throw new FormatException($"\"{name}\" is there twice");
        }
    }

    /// <summary>Refuses what was not taken.</summary>
    /// <exception cref="FormatException">There is a field that nobody knows.</exception>
    public void End()
    {
        if (_fields.Count > 0) throw new FormatException($"\"{_fields.Keys.First()}\" is unknown here");
    }

    /// <summary>A field of whatever type.</summary>
    public JsonElement Take(string name) => _fields.Remove(name, out JsonElement value) ? value : throw new FormatException($"\"{name}\" is missing");

    /// <summary>Whether a field is null, which takes it.</summary>
    public bool IsNull(string name)
    {
        if (!_fields.TryGetValue(name, out JsonElement value) || value.ValueKind != JsonValueKind.Null) return false;
        return _fields.Remove(name);
    }

    /// <summary>A string as MQTT allows it (1.5.4).</summary>
    public string Text(string name)
    {
        JsonElement value = Take(name);
        if (value.ValueKind != JsonValueKind.String) throw new FormatException($"\"{name}\" is no string");
        string text = Decode(() => value.GetString()!);
        if (text.Contains('\0')) throw new FormatException($"\"{name}\" holds U+0000");
        if (Encoding.UTF8.GetByteCount(text) > Utf8Text.MaxBytes) throw new FormatException($"\"{name}\" is longer than {Utf8Text.MaxBytes} bytes");
        return text;
    }

    /// <summary>Bytes in base64.</summary>
    public byte[] Bytes(string name)
    {
        JsonElement value = Take(name);
        if (value.ValueKind != JsonValueKind.String || !value.TryGetBytesFromBase64(out byte[]? bytes))
        {
            throw new FormatException($"\"{name}\" is no base64 string");
        }

        return bytes;
    }

    /// <summary>A whole number within bounds.</summary>
    public long Number(string name, long least, long most) => Number(name, Take(name), least, most);

    /// <summary>A whole number from 0, or what null stands for.</summary>
    public long NumberOr(string name, long absent, long most = LargestNumber) => IsNull(name) ? absent : Number(name, 0, most);

    /// <summary>A list of whole numbers within bounds.</summary>
    public uint[] Numbers(string name, uint least, uint most)
    {
        JsonElement value = Take(name);
        if (value.ValueKind != JsonValueKind.Array) throw new FormatException($"\"{name}\" is no list");
        return [.. value.EnumerateArray().Select(one => (uint)Number(name, one, least, most))];
    }

    /// <summary>True or false.</summary>
    public bool Flag(string name) => Take(name).ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw new FormatException($"\"{name}\" is neither true nor false"),
    };

    private static long Number(string name, JsonElement value, long least, long most)
    {
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long number) && number >= least && number <= most) return number;
        throw new FormatException($"\"{name}\" is no whole number from {least} to {most}");
    }

    private static string Decode(Func<string> read)
    {
        try
        {
            return read();
        }
        catch (InvalidOperationException)
        {
            throw new FormatException("a string in it is no text: it escapes half of a surrogate pair");
        }
    }
}
