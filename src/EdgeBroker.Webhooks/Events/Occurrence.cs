using System.Text.Json;

namespace EdgeBroker.Webhooks.Events;

/// <summary>
/// Something that happened, copied from the broker's own event and shared by all who are told of it. It is written as JSON by whoever sends it.
/// </summary>
/// <param name="type">What it is.</param>
/// <param name="subject">The client or topic it is about.</param>
/// <param name="sizeBytes">What it is reckoned to take in memory.</param>
internal abstract class Occurrence(WebhookEventType type, string subject, int sizeBytes)
{
    public WebhookEventType Type { get; } = type;

    public string Subject { get; } = subject;

    public int SizeBytes { get; } = sizeBytes;

    /// <summary>When it happened.</summary>
    public DateTimeOffset At { get; init; }

    /// <summary>The number of its id.</summary>
    public long Number { get; init; }

    /// <summary>Writes the object <c>data</c>.</summary>
    public abstract void WriteData(Utf8JsonWriter json, WebhookOptions options);
}

/// <summary>One with what there is to tell of it.</summary>
internal sealed class Occurrence<T>(WebhookEventType type, string subject, int sizeBytes, T what, Action<Utf8JsonWriter, T, WebhookOptions> write)
    : Occurrence(type, subject, sizeBytes)
{
    public override void WriteData(Utf8JsonWriter json, WebhookOptions options)
    {
        json.WriteStartObject();
        write(json, what, options);
        json.WriteEndObject();
    }
}
