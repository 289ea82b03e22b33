namespace EdgeBroker.Webhooks;

/// <summary>Whether a receiver is tried.</summary>
public enum CircuitState
{
    /// <summary>It is.</summary>
    Closed,

    /// <summary>It failed too often: for a while it is not.</summary>
    Open,

    /// <summary>That while is over; one request finds out.</summary>
    HalfOpen,

    /// <summary>It answered 410: not before the configuration is read again.</summary>
    Off,
}

/// <summary>Why an event was dropped.</summary>
public enum WebhookDropCause
{
    /// <summary>The queue was full.</summary>
    Full,

    /// <summary>It was older than <c>max_age</c>.</summary>
    Age,

    /// <summary>The receiver refused it.</summary>
    Rejected,

    /// <summary>The broker's memory is short.</summary>
    Memory,

    /// <summary>More messages were told of than HTTP is for.</summary>
    Rate,
}

/// <summary>How one webhook is doing, for those who look after it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Url">Where it goes, without what may be a secret.</param>
/// <param name="Events">What it is told, by name.</param>
/// <param name="Circuit">Whether the receiver is tried.</param>
/// <param name="FailuresInARow">Requests that have failed since the last that did not.</param>
/// <param name="LastFailure">What was wrong with the last that did; null: none has.</param>
/// <param name="LastFailureAt">When that was.</param>
/// <param name="FailingSince">When the first of them was; null: the last request did not fail.</param>
/// <param name="LastSuccessAt">When events last arrived; null: none have.</param>
/// <param name="NextTryAt">When the next try is; null: there is no wait.</param>
/// <param name="QueuedEvents">Events that wait.</param>
/// <param name="QueuedBytes">Their bytes.</param>
/// <param name="OldestAt">When the oldest of them happened; null: none waits.</param>
/// <param name="Sent">Events that arrived.</param>
/// <param name="Failed">Requests that failed.</param>
/// <param name="Dropped">Events that were dropped, by cause.</param>
public sealed record WebhookState(
    string Name,
    string Url,
    IReadOnlyList<string> Events,
    CircuitState Circuit,
    int FailuresInARow,
    string? LastFailure,
    DateTimeOffset? LastFailureAt,
    DateTimeOffset? FailingSince,
    DateTimeOffset? LastSuccessAt,
    DateTimeOffset? NextTryAt,
    int QueuedEvents,
    long QueuedBytes,
    DateTimeOffset? OldestAt,
    long Sent,
    long Failed,
    IReadOnlyDictionary<WebhookDropCause, long> Dropped);
