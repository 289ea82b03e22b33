using EdgeBroker.Configuration.Toml;
using EdgeBroker.Protocol;
using EdgeBroker.Webhooks;

namespace EdgeBroker.Configuration.Schema;

/// <summary>The key <c>batch</c> as read.</summary>
internal sealed record BatchDraft
{
    public int Events { get; init; } = 1;

    public TimeSpan Delay { get; init; }
}

/// <summary>The key <c>queue</c> as read.</summary>
internal sealed record EventQueueDraft
{
    public int Events { get; init; } = 10_000;

    public long Bytes { get; init; } = 8 * SizeKind.MB;
}

/// <summary>One <c>[[webhook]]</c> as read.</summary>
internal sealed record WebhookDraft(TomlTable Table)
{
    public Located<string>? Name { get; init; }

    public Located<string>? Url { get; init; }

    public IReadOnlyList<string> Events { get; init; } = [];

    public IReadOnlyList<string> Topics { get; init; } = [];

    public WebhookFormat Format { get; init; }

    public SecretSource? Secret { get; init; }

    public SecretSource? OldSecret { get; init; }

    /// <summary>Null: none.</summary>
    public IReadOnlyList<HeaderDraft>? Headers { get; init; }

    public Located<string>? Ca { get; init; }

    public bool IncludePayload { get; init; }

    public long MaxPayload { get; init; } = 64 * SizeKind.KB;

    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(5);

    public BatchDraft Batch { get; init; } = new();

    public EventQueueDraft Queue { get; init; } = new();

    public TimeSpan MaxAge { get; init; } = TimeSpan.FromMinutes(15);
}

/// <summary>The keys of <c>[[webhook]]</c>.</summary>
internal static class WebhookTable
{
    private static readonly ChoiceKind<WebhookFormat> Format = Kinds.Choice(
        ("envelope", WebhookFormat.Envelope, ""), ("cloudevents", WebhookFormat.CloudEvents, "CloudEvents 1.0 in JSON"));

    private static readonly TextListKind Events = Kinds.List(
        "events, as in \"client.connected\"",
        text => WebhookEventTypes.TryFind(text, out _),
        suggest: text => NearestName.Of(text, WebhookEventTypes.Names) is { } nearest ? $"\"{nearest}\"" : null);

    private static readonly TextListKind Topics = Kinds.List(
        "topic filters, as in \"plant/#\"",
        text => System.Text.Encoding.UTF8.GetBytes(text) is var bytes && Utf8Text.IsValid(bytes) && TopicFilter.IsValid(bytes) && !TopicFilter.IsShared(bytes),
        mayBeEmpty: true);

    private static readonly InlineTableKind<BatchDraft> Batch = new(
        new TableSchema<BatchDraft>("[webhook.batch]")
            .Key("events", Kinds.Integer(1, WebhookOptions.MostBatchEvents), o => o.Events, (o, v) => o with { Events = v }, Applies.AtOnce, "of one request")
            .Key("delay", Kinds.Milliseconds(0, 5_000), o => o.Delay, (o, v) => o with { Delay = v }, Applies.AtOnce, "for which an event waits for others"),
        new BatchDraft());

    private static readonly InlineTableKind<EventQueueDraft> Queue = new(
        new TableSchema<EventQueueDraft>("[webhook.queue]")
            .Key("events", Kinds.Integer(1, 1_000_000), o => o.Events, (o, v) => o with { Events = v }, Applies.AtOnce, "that may wait")
            .Key("bytes", Kinds.Size(64 * SizeKind.KB, SizeKind.GB), o => o.Bytes, (o, v) => o with { Bytes = v }, Applies.AtOnce, "of memory for them"),
        new EventQueueDraft());

    public static readonly TableSchema<WebhookDraft> Schema = new TableSchema<WebhookDraft>("[[webhook]]")
    {
        IsExample = true,
        Introduction = "Receivers of events, told by HTTP POST: one request at a time, tried again while the receiver is away. What waits is in memory only. "
            + "This is no path for messages, of which a receiver gets 1,000 a second at most.",
    }
        .Key(
            "name",
            Kinds.Located(Kinds.Text("a name of letters, digits, \"-\", \"_\" and \".\"", IsName)),
            o => o.Name,
            (o, v) => o with { Name = v },
            Applies.AtOnce,
            "for log, metrics and /ready; default: the URL's host",
            example: "\"plant\"")
        .Key(
            "url",
            Kinds.Located(Kinds.Name("the http or https URL of the receiver")),
            o => o.Url,
            (o, v) => o with { Url = v },
            Applies.AtOnce,
            "a redirection is not followed",
            required: true,
            example: "\"http://127.0.0.1:9000/events\"")
        .Key(
            "events",
            Events,
            o => o.Events,
            (o, v) => o with { Events = v },
            Applies.AtOnce,
            string.Join(" | ", WebhookEventTypes.Names),
            required: true,
            example: "[\"client.connected\", \"client.disconnected\"]")
        .Key(
            "topics", Topics, o => o.Topics, (o, v) => o with { Topics = v }, Applies.AtOnce,
            "filters for message.*, subscription.* and authz.*; empty: all topics")
        .Key("format", Format, o => o.Format, (o, v) => o with { Format = v }, Applies.AtOnce, "")
        .Key(
            "secret",
            Kinds.Secret,
            o => o.Secret,
            (o, v) => o with { Secret = v },
            Applies.AtOnce,
            "or { env = \"NAME\" }: \"whsec_\" and base 64 of 24 to 64 bytes; signs each request as Standard Webhooks has it",
            example: "{ file = \"hook.secret\" }")
        .Key(
            "old_secret",
            Kinds.Secret,
            o => o.OldSecret,
            (o, v) => o with { OldSecret = v },
            Applies.AtOnce,
            "signs as well, while the receiver changes to the other",
            example: "{ file = \"hook.old.secret\" }")
        .Key(
            "headers",
            new HeadersKind(),
            o => o.Headers,
            (o, v) => o with { Headers = v },
            Applies.AtOnce,
            "go with each request",
            example: "{ Authorization = { env = \"HOOK_TOKEN\" } }")
        .Key(
            "ca",
            Kinds.Located(Kinds.File),
            o => o.Ca,
            (o, v) => o with { Ca = v },
            Applies.AtOnce,
            "PEM: the authority of an https receiver; default: those of the system",
            example: "\"certs/ca.crt\"")
        .Key(
            "include_payload", Kinds.Boolean, o => o.IncludePayload, (o, v) => o with { IncludePayload = v }, Applies.AtOnce,
            "whether message.published tells the payload")
        .Key("max_payload", Kinds.Size(1, SizeKind.MB), o => o.MaxPayload, (o, v) => o with { MaxPayload = v }, Applies.AtOnce, "of it; the rest is cut off")
        .Key("timeout", Kinds.Milliseconds(100, 60_000), o => o.Timeout, (o, v) => o with { Timeout = v }, Applies.AtOnce, "of a request")
        .Key("batch", Batch, o => o.Batch, (o, v) => o with { Batch = v }, Applies.AtOnce, "events that go together, 100 and 1MB at most")
        .Key(
            "queue", Queue, o => o.Queue, (o, v) => o with { Queue = v }, Applies.AtOnce,
            "beyond it the oldest message.* are dropped first, then subscription.*, authz.*, and client.* and auth.* last")
        .Key("max_age", Kinds.Seconds(1, 86_400), o => o.MaxAge, (o, v) => o with { MaxAge = v }, Applies.AtOnce, "an event that is older is dropped");

    private static bool IsName(string text) =>
        text.Length is > 0 and <= 64 && text.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.');
}
