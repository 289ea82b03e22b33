using System.Text.Json.Serialization;

namespace EdgeBroker.Core.Management;

/// <summary>A retained message, without its payload.</summary>
public sealed record RetainedSummary(string Topic, int Qos, int PayloadBytes, long? ExpiresInSeconds);

/// <summary>A retained message.</summary>
public sealed record RetainedValue(string Topic, int Qos, byte[] Payload, long? ExpiresInSeconds)
{
    /// <summary>Its properties, as they go with it to receivers.</summary>
    [JsonIgnore]
    public byte[] Properties { get; init; } = [];
}

/// <summary>A message that waits for a client.</summary>
/// <param name="Position">Its place, the next to go being the first.</param>
/// <param name="Topic">Its topic; null: the message is on disk only.</param>
/// <param name="Qos">QoS of the delivery.</param>
/// <param name="Retain">RETAIN of the delivery.</param>
/// <param name="SizeBytes">What it counts in the queue's bounds: topic, payload and properties.</param>
/// <param name="QueuedAt">Since when it waits, to the second.</param>
public sealed record WaitingView(int Position, string? Topic, int Qos, bool Retain, int SizeBytes, DateTimeOffset QueuedAt)
{
    /// <summary>When it expires; null: never.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>Its payload; null: the message is on disk only.</summary>
    [JsonIgnore]
    public byte[]? Payload { get; init; }
}

/// <summary>Who gets the messages of a topic.</summary>
/// <param name="ClientId">The client.</param>
/// <param name="Subscriptions">Its subscriptions that match; of a shared one's messages it gets its part.</param>
public sealed record SubscriberView(string ClientId, IReadOnlyList<SubscriptionView> Subscriptions);

/// <summary>A group of shared subscriptions.</summary>
/// <param name="Filter">The filter, <c>$share/group/</c> included.</param>
/// <param name="Members">Members.</param>
/// <param name="ClientIds">The first of them by client id.</param>
public sealed record SharedGroupView(string Filter, int Members, IReadOnlyList<string> ClientIds);

/// <summary>What became of a wish to disconnect a client.</summary>
public enum KickOutcome
{
    /// <summary>There is no such session.</summary>
    NotFound,

    /// <summary>It has no connection, and stays.</summary>
    NotConnected,

    /// <summary>Its connection is closed; what is kept of it stays.</summary>
    Disconnected,

    /// <summary>It has another connection than the one that was meant, and keeps it.</summary>
    ChangedMeanwhile,

    /// <summary>It is gone, with its subscriptions and queue.</summary>
    Forgotten,
}
