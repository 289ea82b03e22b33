using System.Security.Cryptography.X509Certificates;

namespace EdgeBroker.Webhooks;

/// <summary>How events are written.</summary>
public enum WebhookFormat
{
    /// <summary>The broker's own envelope.</summary>
    Envelope,

    /// <summary>CloudEvents 1.0, JSON.</summary>
    CloudEvents,
}

/// <summary>One <c>[[webhook]]</c>: who is told of which events, and how.</summary>
public sealed record WebhookOptions
{
    /// <summary>Events of one request, at most.</summary>
    public const int MostBatchEvents = 100;

    /// <summary>Bytes of one request's events, at most; one event alone may have more.</summary>
    public const int MostBatchBytes = 1024 * 1024;

    /// <summary>Names it among all.</summary>
    public required string Name { get; init; }

    /// <summary>Where events are posted to.</summary>
    public required Uri Url { get; init; }

    /// <summary>What is told; at least one.</summary>
    public required IReadOnlyList<WebhookEventType> Events { get; init; }

    /// <summary>Filters that topics and filters must meet; empty: all do. Clients and logins are told of in any case.</summary>
    public IReadOnlyList<byte[]> Topics { get; init; } = [];

    /// <summary>How events are written.</summary>
    public WebhookFormat Format { get; init; }

    /// <summary>Keys that requests are signed with: none, one, or two while the receiver changes from one to the other.</summary>
    public IReadOnlyList<byte[]> Secrets { get; init; } = [];

    /// <summary>Headers that go with each request, their secrets read.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];

    /// <summary>Authorities that the receiver's certificate is checked against, in place of the system's; null: the system's.</summary>
    public X509Certificate2Collection? Authorities { get; init; }

    /// <summary>Whether messages are told with their payload.</summary>
    public bool IncludePayload { get; init; }

    /// <summary>Bytes of a payload that are told.</summary>
    public int MaxPayloadBytes { get; init; } = 64 * 1024;

    /// <summary>How long a request may take, its answer included.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Events of one request; 1: each goes alone.</summary>
    public int BatchEvents { get; init; } = 1;

    /// <summary>How long an event waits for others.</summary>
    public TimeSpan BatchDelay { get; init; }

    /// <summary>Events that may wait.</summary>
    public int QueueEvents { get; init; } = 10_000;

    /// <summary>Bytes that may wait.</summary>
    public long QueueBytes { get; init; } = 8 * 1024 * 1024;

    /// <summary>How old an event may be; older ones are dropped.</summary>
    public TimeSpan MaxAge { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>Where it goes, as far as it may be shown: what stands behind the path or before the host may be a secret.</summary>
    public string ShownUrl => Url.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped);

    /// <summary>Whether both say the same.</summary>
    public bool IsSameAs(WebhookOptions other) =>
        this with { Events = [], Topics = [], Secrets = [], Headers = [], Authorities = null }
            == other with { Events = [], Topics = [], Secrets = [], Headers = [], Authorities = null }
        && Events.SequenceEqual(other.Events)
        && AreSame(Topics, other.Topics)
        && AreSame(Secrets, other.Secrets)
        && Headers.SequenceEqual(other.Headers)
        && AreSame([.. Authorities?.Select(one => one.RawData) ?? []], [.. other.Authorities?.Select(one => one.RawData) ?? []]);

    private static bool AreSame(IReadOnlyList<byte[]> one, IReadOnlyList<byte[]> other) =>
        one.Count == other.Count && one.Zip(other).All(pair => pair.First.AsSpan().SequenceEqual(pair.Second));
}
