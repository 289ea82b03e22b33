using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using EdgeBroker.Webhooks.Events;

namespace EdgeBroker.Webhooks.Delivery;

/// <summary>Which broker tells.</summary>
/// <param name="Node">Its name.</param>
/// <param name="Version">Its version.</param>
/// <param name="Ids">Makes ids.</param>
/// <param name="BootId">Names this run of it.</param>
internal sealed record WebhookSource(string Node, string Version, EventIds Ids, string BootId);

/// <summary>One request, written once: each retry sends the same bytes under the same id.</summary>
internal sealed class WebhookRequest
{
    // It is no page: quotes and letters beyond ASCII need not be escaped as if it were.
    private static readonly JsonWriterOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private WebhookRequest(string id, string contentType, byte[] body, long droppedBefore)
    {
        Id = id;
        ContentType = contentType;
        Body = body;
        DroppedBefore = droppedBefore;
    }

    /// <summary>The header <c>webhook-id</c>.</summary>
    public string Id { get; }

    public string ContentType { get; }

    public byte[] Body { get; }

    /// <summary>Events that were dropped and not told of before.</summary>
    public long DroppedBefore { get; }

    /// <summary>Writes a request.</summary>
    public static WebhookRequest Of(IReadOnlyList<QueuedEvent> events, long droppedBefore, WebhookOptions options, WebhookSource source, DateTimeOffset now)
    {
        var buffer = new ArrayBufferWriter<byte>();
        bool isBatch = options.BatchEvents > 1;
        bool isCloud = options.Format == WebhookFormat.CloudEvents;
        using (var json = new Utf8JsonWriter(buffer, Json))
        {
            if (isBatch && !isCloud) json.WriteStartObject();
            if (isBatch && isCloud) json.WriteStartArray();
            else if (isBatch) json.WriteStartArray("events");
            foreach (QueuedEvent one in events)
            {
                if (isCloud) WriteCloudEvent(json, one, options, source);
                else WriteEnvelope(json, one, options, source);
            }

            if (isBatch) json.WriteEndArray();
            if (isBatch && !isCloud)
            {
                json.WriteNumber("dropped_before_count", droppedBefore);
                json.WriteEndObject();
            }
        }

        string id = isBatch ? "bat_" + source.Ids.Of(now, source.Ids.Next()) : IdOf(events[0], source);
        string type = (isCloud, isBatch) switch
        {
            (false, _) => "application/json",
            (true, false) => "application/cloudevents+json",
            (true, true) => "application/cloudevents-batch+json",
        };
        return new WebhookRequest(id, type, buffer.WrittenSpan.ToArray(), droppedBefore);
    }

    private static void WriteEnvelope(Utf8JsonWriter json, in QueuedEvent one, WebhookOptions options, WebhookSource source)
    {
        json.WriteStartObject();
        json.WriteString("event_type", WebhookEventTypes.NameOf(one.What.Type));
        json.WriteString("event_id", IdOf(one, source));
        json.WriteString("timestamp", TimeOf(one.What.At));
        json.WriteString("broker_id", source.Node);
        json.WriteString("boot_id", source.BootId);
        json.WriteNumber("sequence", one.Sequence);
        json.WritePropertyName("data");
        one.What.WriteData(json, options);
        json.WriteEndObject();
    }

    private static void WriteCloudEvent(Utf8JsonWriter json, in QueuedEvent one, WebhookOptions options, WebhookSource source)
    {
        json.WriteStartObject();
        json.WriteString("specversion", "1.0");
        json.WriteString("id", IdOf(one, source));
        json.WriteString("source", "urn:edgebroker:" + Uri.EscapeDataString(source.Node));
        json.WriteString("type", "io.edgebroker." + WebhookEventTypes.NameOf(one.What.Type));
        // CloudEvents knows no empty subject.
        if (one.What.Subject.Length > 0) json.WriteString("subject", one.What.Subject);
        json.WriteString("time", TimeOf(one.What.At));
        json.WriteString("datacontenttype", "application/json");
        json.WriteString("sequence", one.Sequence.ToString("D12", CultureInfo.InvariantCulture));
        json.WriteString("bootid", source.BootId);
        json.WritePropertyName("data");
        one.What.WriteData(json, options);
        json.WriteEndObject();
    }

    private static string IdOf(in QueuedEvent one, WebhookSource source) => source.Ids.Of(one.What.At, one.What.Number);

    private static string TimeOf(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}
