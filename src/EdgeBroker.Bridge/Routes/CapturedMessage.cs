using System.Buffers;
using System.Globalization;
using System.Text.Json;
using EdgeBroker.Protocol;

namespace EdgeBroker.Bridge.Routes;

/// <summary>How a message tells the other side when it was published here.</summary>
public enum CaptureTime
{
    /// <summary>Not at all.</summary>
    Off,

    /// <summary>By the user property <c>edgebroker-time</c> (5.0).</summary>
    Property,

    /// <summary>By a JSON object around it.</summary>
    Json,
}

/// <summary>
/// Puts the time at which a message was published to it, in UTC by RFC 3339: for one that has waited to the second, for others to the millisecond. The time
/// comes of how long it waited, so that a clock that was wrong then and is right now tells the right one.
/// </summary>
internal static class CapturedMessage
{
    private const int DeepestJson = 64;

    private static ReadOnlySpan<byte> Name => "edgebroker-time"u8;

    /// <summary>Adds the user property, unless the message has one: of a broker that it came from.</summary>
    /// <param name="properties">Encoded properties.</param>
    /// <param name="at">The time.</param>
    public static byte[] AppendTime(ReadOnlySpan<byte> properties, DateTimeOffset at)
    {
        if (HasTime(properties)) return properties.ToArray();
        Span<byte> text = stackalloc byte[32];
        at.UtcDateTime.TryFormat(text, out int length, "yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
        PropertyBuilder builder = PropertyBuilder.For(PacketType.Publish, stackalloc byte[64]);
        builder.AddUserProperty(Name, text[..length]);
        byte[] longer = [.. properties, .. builder.Block.Bytes];
        builder.Dispose();
        return longer;
    }

    /// <summary>
    /// Wraps a payload: <c>{"time":...,"topic":...,"value":...}</c>, the value as it is where it is JSON, as a string where it is UTF-8, and otherwise as
    /// <c>"base64"</c> in its place.
    /// </summary>
    /// <param name="topic">The topic here.</param>
    /// <param name="payload">The payload.</param>
    /// <param name="at">The time.</param>
    public static byte[] Wrap(ReadOnlySpan<byte> topic, ReadOnlySpan<byte> payload, DateTimeOffset at)
    {
        var output = new ArrayBufferWriter<byte>(payload.Length + topic.Length + 64);
        using var json = new Utf8JsonWriter(output);
        json.WriteStartObject();
        json.WriteString("time"u8, at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
        json.WriteString("topic"u8, topic);
        if (IsJson(payload))
        {
            json.WritePropertyName("value"u8);
            json.WriteRawValue(payload, skipInputValidation: true);
        }
        else if (System.Text.Unicode.Utf8.IsValid(payload))
        {
            json.WriteString("value"u8, payload);
        }
        else
        {
            json.WriteBase64String("base64"u8, payload);
        }

        json.WriteEndObject();
        json.Flush();
        return output.WrittenSpan.ToArray();
    }

    private static bool HasTime(ReadOnlySpan<byte> encoded)
    {
        if (encoded.IndexOf(Name) < 0 || !PropertyBlock.TryRead(encoded, out PropertyBlock properties)) return false;
        foreach (Property property in properties)
        {
            if (property.Id == PropertyId.UserProperty && property.Name.SequenceEqual(Name)) return true;
        }

        return false;
    }

    private static bool IsJson(ReadOnlySpan<byte> payload)
    {
        if (payload.IsEmpty) return false;
        var reader = new Utf8JsonReader(payload, new JsonReaderOptions { MaxDepth = DeepestJson });
        try
        {
            while (reader.Read())
            {
            }

            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
