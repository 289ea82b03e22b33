using System.Text;
using System.Text.Unicode;
using EdgeBroker.Core;
using EdgeBroker.Core.Messages;
using EdgeBroker.Http.Routing;
using EdgeBroker.Protocol;

namespace EdgeBroker.Http.Publishing;

/// <summary>Makes messages of what is published over HTTP, by MQTT's rules.</summary>
internal sealed class MessageMaker(Broker broker)
{
    private const int MostUserProperties = 1_000;

    /// <summary>Of a JSON body.</summary>
    /// <exception cref="HttpProblem">It is none.</exception>
    public Message Of(PublishBody body)
    {
        int payloads = (body.Payload is null ? 0 : 1) + (body.PayloadBase64 is null ? 0 : 1) + (body.PayloadJson is null ? 0 : 1);
        if (payloads > 1) throw Invalid("payload, payload_base64 and payload_json exclude each other");
        byte[] payload = body.Payload is { } text ? Encoding.UTF8.GetBytes(text)
            : body.PayloadBase64 is { } base64 ? Bytes(base64, "payload_base64")
            : body.PayloadJson is { } json ? Encoding.UTF8.GetBytes(json.GetRawText()) : [];
        bool isText = body.PayloadFormat switch
        {
            null or "bytes" => false,
            "utf-8" => true,
            _ => throw Invalid("payload_format is utf-8 or bytes"),
        };
        if (isText && !Utf8.IsValid(payload)) throw Invalid("the payload is not the UTF-8 that payload_format promises");
        string? contentType = body.ContentType ?? (body.PayloadJson is null ? null : "application/json");
        byte[] properties = PropertiesOf(contentType, body, isText);
        return Of(body.Topic, payload, properties, body.Qos, body.Retain, body.ExpirySeconds);
    }

    /// <summary>Of a raw body.</summary>
    /// <exception cref="HttpProblem">It cannot be one.</exception>
    public Message Of(string topic, byte[] payload, string? contentType, int qos, bool retain, uint? expirySeconds) => Of(
        topic, payload, PropertiesOf(contentType, null, isText: false), qos, retain, expirySeconds);

    private Message Of(string topic, byte[] payload, byte[] properties, int qos, bool retain, uint? expirySeconds)
    {
        TopicText.Name(topic);
        if (qos is < 0 or > 2) throw HttpProblem.Parameter("qos", qos.ToString(System.Globalization.CultureInfo.InvariantCulture), "0, 1 or 2");
        var message = new Message
        {
            Topic = Encoding.UTF8.GetBytes(topic),
            Payload = payload,
            Properties = properties,
            QoS = (QoS)qos,
            Retain = retain,
            ExpiresAtMs = expirySeconds is { } seconds ? broker.Clock.NowMs + (seconds * 1_000L) : Message.Never,
        };
        // What is within this as a packet is within it for every receiver that takes such packets.
        return message.SizeBytes <= broker.Options.MaxPacketSizeBytes ? message
            : throw new HttpProblem(ProblemKind.TooLarge, $"a message has {broker.Options.MaxPacketSizeBytes} bytes at most (mqtt.max_packet_size)");
    }

    private static byte[] PropertiesOf(string? contentType, PublishBody? body, bool isText)
    {
        PropertyBuilder builder = PropertyBuilder.For(PacketType.Publish, stackalloc byte[256]);
        try
        {
            if (isText) builder.Add(PropertyId.PayloadFormatIndicator, 1);
            if (contentType is not null) builder.Add(PropertyId.ContentType, Text(contentType, "content_type"));
            if (body?.ResponseTopic is { } responseTopic) builder.Add(PropertyId.ResponseTopic, Text(TopicText.Name(responseTopic), "response_topic"));
            if (body?.CorrelationDataBase64 is { } correlation) builder.Add(PropertyId.CorrelationData, Short(Bytes(correlation, "correlation_data_base64")));
            if (body?.UserProperties is { } properties)
            {
                if (properties.Count > MostUserProperties) throw Invalid($"user_properties holds {MostUserProperties} pairs at most");
                foreach (IReadOnlyList<string> pair in properties)
                {
                    if (pair is not [{ } name, { } value]) throw Invalid("user_properties holds pairs: [[\"name\", \"value\"]]");
                    builder.AddUserProperty(Text(name, "user_properties"), Text(value, "user_properties"));
                }
            }

            return builder.Block.Bytes.ToArray();
        }
        finally
        {
            builder.Dispose();
        }
    }

    private static byte[] Text(string text, string member)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        return Utf8Text.IsValid(bytes) ? Short(bytes) : throw Invalid($"{member} holds no U+0000");
    }

    private static byte[] Short(byte[] bytes) => bytes.Length <= Utf8Text.MaxBytes ? bytes : throw Invalid("a property has 65,535 bytes at most");

    private static byte[] Bytes(string base64, string member)
    {
        try
        {
            return Convert.FromBase64String(base64);
        }
        catch (FormatException)
        {
            throw Invalid($"{member} is no base64");
        }
    }

    private static HttpProblem Invalid(string detail) => new(ProblemKind.InvalidBody, detail);
}
