using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using EdgeBroker.Core.Events;
using EdgeBroker.Protocol;

namespace EdgeBroker.Webhooks.Events;

/// <summary>A message and whom it reached.</summary>
internal sealed record DeliveryCopy(MessageCopy Message, string ReceiverId, QoS QoS, double? DelayMs, bool HasWaited);

/// <summary>A subscription that came or went.</summary>
internal sealed record SubscriptionCopy(string ClientId, string? UserName, byte[] Filter, QoS Granted, bool Replaced, SubscriptionEnd Cause);

/// <summary>What was refused to whom, and why.</summary>
internal sealed record RefusalCopy(string ClientId, string? UserName, byte[] Topic, QoS QoS, bool Retain, ReasonCode Reason, string? Cause);

/// <summary>Writes what is told of messages, subscriptions and refusals.</summary>
internal static class MessageWriters
{
    private const string RuleMark = "the rule at ";

    public static void Published(Utf8JsonWriter json, MessageCopy what, WebhookOptions options)
    {
        json.WriteString("client_id", what.PublisherId);
        json.WriteString("user", what.PublisherUser);
        json.WriteString("topic", what.Topic);
        json.WriteNumber("qos", (byte)what.QoS);
        json.WriteBoolean("retain", what.Retain);
        json.WriteNumber("payload_bytes", what.PayloadBytes);
        if (options.IncludePayload) WritePayload(json, what, options.MaxPayloadBytes);
        WriteProperties(json, what.Properties);
    }

    public static void Delivered(Utf8JsonWriter json, DeliveryCopy what, WebhookOptions options)
    {
        json.WriteString("client_id", what.ReceiverId);
        json.WriteString("topic", what.Message.Topic);
        json.WriteNumber("qos", (byte)what.QoS);
        // One that was on disk meanwhile does not say any more who brought it.
        if (what.Message.PublisherId is { } publisher) json.WriteString("publisher", publisher);
        json.WriteNumber("payload_bytes", what.Message.PayloadBytes);
        if (what.DelayMs is { } delayMs) json.WriteNumber("delay_ms", Math.Round(delayMs, 3));
        json.WriteBoolean("from_queue", what.HasWaited);
    }

    public static void Retained(Utf8JsonWriter json, (MessageCopy Message, RetainedChange Change) what, WebhookOptions options)
    {
        json.WriteString("topic", what.Message.Topic);
        json.WriteString("change", what.Change.ToString().ToLowerInvariant());
        if (what.Message.PublisherId is { } publisher) json.WriteString("publisher", publisher);
        json.WriteNumber("payload_bytes", what.Message.PayloadBytes);
        json.WriteNumber("qos", (byte)what.Message.QoS);
    }

    public static void Subscribed(Utf8JsonWriter json, SubscriptionCopy what, WebhookOptions options)
    {
        json.WriteString("client_id", what.ClientId);
        json.WriteString("user", what.UserName);
        bool isShared = TopicFilter.TrySplitShared(what.Filter, out ReadOnlySpan<byte> group, out ReadOnlySpan<byte> filter);
        json.WriteString("filter", isShared ? filter : what.Filter);
        json.WriteNumber("qos_granted", (byte)what.Granted);
        json.WriteString("share", isShared ? Encoding.UTF8.GetString(group) : null);
        json.WriteBoolean("replaced", what.Replaced);
    }

    public static void Unsubscribed(Utf8JsonWriter json, SubscriptionCopy what, WebhookOptions options)
    {
        json.WriteString("client_id", what.ClientId);
        bool isShared = TopicFilter.TrySplitShared(what.Filter, out ReadOnlySpan<byte> group, out ReadOnlySpan<byte> filter);
        json.WriteString("filter", isShared ? filter : what.Filter);
        if (isShared) json.WriteString("share", group);
        json.WriteString("cause", what.Cause switch
        {
            SubscriptionEnd.Unsubscribed => "unsubscribe",
            SubscriptionEnd.Administration => "admin",
            _ => "session-ended",
        });
    }

    public static void PublishRefused(Utf8JsonWriter json, RefusalCopy what, WebhookOptions options)
    {
        json.WriteString("client_id", what.ClientId);
        json.WriteString("user", what.UserName);
        json.WriteString("topic", what.Topic);
        json.WriteNumber("qos", (byte)what.QoS);
        json.WriteBoolean("retain", what.Retain);
        WriteCause(json, what);
    }

    public static void SubscribeRefused(Utf8JsonWriter json, RefusalCopy what, WebhookOptions options)
    {
        json.WriteString("client_id", what.ClientId);
        json.WriteString("user", what.UserName);
        json.WriteString("filter", what.Topic);
        WriteCause(json, what);
    }

    private static void WriteCause(Utf8JsonWriter json, RefusalCopy what)
    {
        string cause = what.Cause ?? ReasonText.For(what.Reason);
        if (TryFindRule(cause, out ReadOnlySpan<char> file, out int line))
        {
            json.WriteStartObject("rule");
            json.WriteString("file", file);
            json.WriteNumber("line", line);
            json.WriteEndObject();
        }

        json.WriteString("cause", cause);
        json.WriteNumber("reason_code", (byte)what.Reason);
    }

    private static void WritePayload(Utf8JsonWriter json, MessageCopy what, int mostBytes)
    {
        ReadOnlySpan<byte> payload = what.Payload.AsSpan(0, Math.Min(what.Payload.Length, mostBytes));
        bool isCut = payload.Length < what.PayloadBytes;
        ReadOnlySpan<byte> text = isCut ? WithoutBrokenEnd(payload) : payload;
        if (Utf8.IsValid(text)) json.WriteString("payload", text);
        else json.WriteBase64String("payload_base64", payload);
        if (isCut) json.WriteBoolean("payload_truncated", true);
    }

    // A text may have been cut within a character, which has four bytes at most.
    private static ReadOnlySpan<byte> WithoutBrokenEnd(ReadOnlySpan<byte> text)
    {
        for (int back = 1; back <= Math.Min(3, text.Length); back++)
        {
            byte lead = text[^back];
            if ((lead & 0xC0) == 0x80) continue;
            int length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
            return length > back ? text[..^back] : text;
        }

        return text;
    }

    private static void WriteProperties(Utf8JsonWriter json, byte[] encoded)
    {
        if (!PropertyBlock.TryRead(encoded, out PropertyBlock properties)) properties = default;
        if (properties.Has(PropertyId.ContentType)) json.WriteString("content_type", properties.GetValue(PropertyId.ContentType));
        else json.WriteNull("content_type");
        json.WriteStartArray("user_properties");
        foreach (Property property in properties)
        {
            if (property.Id != PropertyId.UserProperty) continue;
            json.WriteStartArray();
            json.WriteStringValue(property.Name);
            json.WriteStringValue(property.Value);
            json.WriteEndArray();
        }

        json.WriteEndArray();
    }

    // A cause that is a rule ends with its place: "denied by the rule at broker.toml:61".
    private static bool TryFindRule(string cause, out ReadOnlySpan<char> file, out int line)
    {
        file = default;
        line = 0;
        int at = cause.IndexOf(RuleMark, StringComparison.Ordinal);
        int colon = cause.LastIndexOf(':');
        if (at < 0 || colon < at + RuleMark.Length) return false;
        file = cause.AsSpan(at + RuleMark.Length, colon - at - RuleMark.Length);
        return int.TryParse(cause.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out line);
    }
}
