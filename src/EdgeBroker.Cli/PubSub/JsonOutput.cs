using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using EdgeBroker.Client;
using EdgeBroker.Protocol;

namespace EdgeBroker.Cli.PubSub;

/// <summary>A message as one JSON object, with the names and order of mosquitto_sub's %j and %J.</summary>
internal static class JsonOutput
{
    public static bool IsJson(ReadOnlySpan<byte> payload)
    {
        var reader = new Utf8JsonReader(payload);
        try
        {
            int tokens = 0;
            while (reader.Read()) tokens++;
            return tokens > 0;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    public static void Write(
        IBufferWriter<byte> output, ReceivedMessage message, IReadOnlyList<MqttProperty> properties, DateTimeOffset now, bool payloadIsJson, bool isPretty)
    {
        using var json = new Utf8JsonWriter(output, new JsonWriterOptions { Indented = isPretty, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        json.WriteStartObject();
        json.WriteString("tst"u8, Strftime.Iso8601Micro(now));
        json.WriteString("topic"u8, message.Topic.Span);
        json.WriteNumber("qos"u8, (int)message.QoS);
        json.WriteNumber("retain"u8, message.Retain ? 1 : 0);
        json.WriteNumber("payloadlen"u8, message.Payload.Length);
        if (message.QoS != QoS.AtMostOnce) json.WriteNumber("mid"u8, message.PacketId);
        if (properties.Count > 0) WriteProperties(json, properties);
        json.WritePropertyName("payload"u8);
        if (payloadIsJson) json.WriteRawValue(message.Payload.Span);
        else json.WriteStringValue(Encoding.UTF8.GetString(message.Payload.Span));
        json.WriteEndObject();
    }

    private static void WriteProperties(Utf8JsonWriter json, IReadOnlyList<MqttProperty> properties)
    {
        json.WriteStartObject("properties"u8);
        bool userPropertiesWritten = false;
        foreach (MqttProperty property in properties)
        {
            if (property.Id != PropertyId.UserProperty)
            {
                WriteProperty(json, property);
            }
            else if (!userPropertiesWritten)
            {
                userPropertiesWritten = true;
                WriteUserProperties(json, properties);
            }
        }

        json.WriteEndObject();
    }

    private static void WriteUserProperties(Utf8JsonWriter json, IReadOnlyList<MqttProperty> properties)
    {
        json.WriteStartObject("user-properties"u8);
        foreach (MqttProperty property in properties)
        {
            if (property.Id == PropertyId.UserProperty) json.WriteString(property.Name.Span, property.Value.Span);
        }

        json.WriteEndObject();
    }

    private static void WriteProperty(Utf8JsonWriter json, MqttProperty property)
    {
        switch (property.Id)
        {
            case PropertyId.PayloadFormatIndicator: json.WriteNumber("payload-format-indicator"u8, property.Number); break;
            case PropertyId.MessageExpiryInterval: json.WriteNumber("message-expiry-interval"u8, property.Number); break;
            case PropertyId.SubscriptionIdentifier: json.WriteNumber("subscription-identifier"u8, property.Number); break;
            case PropertyId.TopicAlias: json.WriteNumber("topic-alias"u8, property.Number); break;
            case PropertyId.ContentType: json.WriteString("content-type"u8, property.Value.Span); break;
            case PropertyId.ResponseTopic: json.WriteString("response-topic"u8, property.Value.Span); break;
            case PropertyId.CorrelationData: json.WriteString("correlation-data"u8, Encoding.UTF8.GetString(property.Value.Span)); break;
            default: break;
        }
    }
}
