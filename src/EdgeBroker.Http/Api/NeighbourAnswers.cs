namespace EdgeBroker.Http.Api;

/// <summary>A bridge, and how it is.</summary>
/// <param name="Name">Its name.</param>
/// <param name="State"><c>connected</c>, <c>connecting</c>, <c>refused</c> (the other side says no, and is asked again), <c>idle</c> or <c>paused</c>.</param>
/// <param name="Address">The server it is connected to, or tries.</param>
/// <param name="QueueMessages">Messages that wait to go out.</param>
/// <param name="QueueBytes">Their bytes.</param>
/// <param name="SentTotal">Messages sent since the start.</param>
/// <param name="AcknowledgedTotal">Messages the other side has acknowledged.</param>
/// <param name="ReceivedTotal">Messages received and published here.</param>
/// <param name="DroppedTotal">Messages lost: the queue was full, they were too old or too large.</param>
/// <param name="RefusedTotal">Messages that one of the two sides has refused for good.</param>
/// <param name="LoopsTotal">Messages that would have gone in a circle.</param>
/// <param name="ConnectionsTotal">Connections made.</param>
public sealed record BridgeAnswer(
    string Name, string State, string Address, long QueueMessages, long QueueBytes, long SentTotal, long AcknowledgedTotal, long ReceivedTotal,
    long DroppedTotal, long RefusedTotal, long LoopsTotal, long ConnectionsTotal)
{
    /// <summary>How long the oldest has waited; null: none waits.</summary>
    public long? OldestSeconds { get; init; }

    /// <summary>When the other side last acknowledged something: up to here your data is there; null: not since the start.</summary>
    public DateTimeOffset? AcknowledgedAt { get; init; }

    /// <summary>Since when it is in this state.</summary>
    public DateTimeOffset? SinceAt { get; init; }

    /// <summary>When it tries again to connect; null: it does not wait for that.</summary>
    public DateTimeOffset? NextTryAt { get; init; }

    /// <summary>How long the other side took last to be done with a message; null: not known since the start.</summary>
    public double? RoundTripMs { get; init; }

    /// <summary>What keeps it from being connected; null: nothing.</summary>
    public string? Cause { get; init; }

    /// <summary>When that was found.</summary>
    public DateTimeOffset? CauseAt { get; init; }

    /// <summary>What of the queue waits in each lane, in the order in which they go; empty: there is one queue only.</summary>
    public IReadOnlyList<BridgeLaneAnswer> Lanes { get; init; } = [];

    /// <summary>What it carries.</summary>
    public IReadOnlyList<BridgeRouteAnswer> Routes { get; init; } = [];
}

/// <summary>What waits in a lane of a bridge.</summary>
/// <param name="Name">Its name; empty: that of the routes that name none.</param>
/// <param name="QueueMessages">Messages that wait to go out.</param>
/// <param name="QueueBytes">Their bytes.</param>
/// <param name="OldestSeconds">How long the oldest has waited; null: none waits.</param>
public sealed record BridgeLaneAnswer(string Name, long QueueMessages, long QueueBytes, long? OldestSeconds);

/// <summary>What a bridge carries.</summary>
/// <param name="Direction"><c>out</c>, <c>in</c> or <c>both</c>.</param>
/// <param name="Filter">The filter, or template, here.</param>
/// <param name="Remote">That of the other side; null: the same.</param>
/// <param name="Qos">The highest QoS.</param>
/// <param name="Lane">The lane it goes by; null: none of its own.</param>
public sealed record BridgeRouteAnswer(string Direction, string Filter, string? Remote, int Qos, string? Lane);

/// <summary>How a trial of a bridge went.</summary>
/// <param name="Good">Whether every step did well.</param>
/// <param name="Steps">The steps.</param>
public sealed record BridgeTrialAnswer(bool Good, IReadOnlyList<BridgeTrialStep> Steps);

/// <summary>One step of a trial.</summary>
/// <param name="Step"><c>name</c>, <c>network</c>, <c>proxy</c>, <c>tls</c>, <c>login</c>, <c>subscribe</c> or <c>message</c>.</param>
/// <param name="Good">Whether it went well.</param>
/// <param name="Text">What was found, or what is wrong and what to do.</param>
public sealed record BridgeTrialStep(string Step, bool Good, string Text);

/// <summary>What a bridge can be told over HTTP.</summary>
public enum BridgeWish
{
    /// <summary>Leave, and do not come back until told.</summary>
    Pause,

    /// <summary>Connect, and stay so.</summary>
    Resume,

    /// <summary>Leave and connect anew.</summary>
    Reconnect,

    /// <summary>Send what waits, and then do as before.</summary>
    Drain,

    /// <summary>Drop what waits.</summary>
    Purge,
}

/// <summary>A webhook, and how it is.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Url">Where it goes, without what may be a secret.</param>
/// <param name="State"><c>closed</c> (it is tried), <c>open</c> (it failed too often, and rests), <c>half-open</c> or <c>off</c> (it answered 410).</param>
/// <param name="Events">What it is told.</param>
/// <param name="QueueEvents">Events that wait.</param>
/// <param name="QueueBytes">Their bytes.</param>
/// <param name="SentTotal">Events that arrived.</param>
/// <param name="FailedTotal">Requests that failed.</param>
/// <param name="Dropped">Events that were dropped, by cause.</param>
public sealed record WebhookAnswer(
    string Name, string Url, string State, IReadOnlyList<string> Events, long QueueEvents, long QueueBytes, long SentTotal, long FailedTotal,
    IReadOnlyDictionary<string, long> Dropped)
{
    /// <summary>Requests that have failed since the last that did not.</summary>
    public int FailuresCount { get; init; }

    /// <summary>What was wrong with the last that failed.</summary>
    public string? LastFailure { get; init; }

    /// <summary>When that was.</summary>
    public DateTimeOffset? LastFailureAt { get; init; }

    /// <summary>Since when it fails; null: it does not.</summary>
    public DateTimeOffset? FailingSinceAt { get; init; }

    /// <summary>When events last arrived.</summary>
    public DateTimeOffset? LastSuccessAt { get; init; }

    /// <summary>When it is tried again; null: nothing waits for that.</summary>
    public DateTimeOffset? NextTryAt { get; init; }

    /// <summary>When the oldest that waits happened.</summary>
    public DateTimeOffset? OldestAt { get; init; }
}

/// <summary>A local sensor. This build has none.</summary>
/// <param name="Name">Its name.</param>
/// <param name="State">How it is.</param>
public sealed record SensorAnswer(string Name, string State);

/// <summary>That something was done.</summary>
/// <param name="Done">True.</param>
public sealed record DoneAnswer(bool Done);

/// <summary>What the API asks of those the broker talks to. It knows none of them itself: the executable stands between.</summary>
public interface INeighbours
{
    /// <summary>The bridges, by name.</summary>
    IReadOnlyList<BridgeAnswer> Bridges { get; }

    /// <summary>The webhooks, in the order of the configuration.</summary>
    IReadOnlyList<WebhookAnswer> Webhooks { get; }

    /// <summary>Tells a bridge to do something; false: there is none of this name.</summary>
    Task<bool> TellBridgeAsync(string name, BridgeWish wish);

    /// <summary>Tries a bridge from the bottom up, which may take a minute; null: there is none of this name.</summary>
    Task<BridgeTrialAnswer?> TryBridgeAsync(string name, CancellationToken cancel);

    /// <summary>Sends a webhook an event <c>webhook.test</c>; false: there is none of this name.</summary>
    /// <param name="name">The webhook.</param>
    /// <param name="actor">Who asks for it.</param>
    bool TestWebhook(string name, string actor);
}
