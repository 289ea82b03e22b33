using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;
using EdgeBroker.Core.Management;

namespace EdgeBroker.Http.Api;

/// <summary>One session in a list, with what flows.</summary>
public record SessionRow : SessionSummary
{
    /// <summary>Reads an answer.</summary>
    [JsonConstructor]
    public SessionRow()
    {
    }

    /// <param name="summary">What the broker says of it.</param>
    [SetsRequiredMembers]
    public SessionRow(SessionSummary summary)
        : base(summary)
    {
    }

    /// <summary>PUBLISH packets a second from the client; null: not known yet.</summary>
    public double? InPerSecond { get; init; }

    /// <summary>PUBLISH packets a second to the client; null: not known yet.</summary>
    public double? OutPerSecond { get; init; }
}

/// <summary>One session, with all it holds.</summary>
public sealed record SessionAnswer : SessionRow
{
    /// <summary>Reads an answer.</summary>
    [JsonConstructor]
    public SessionAnswer()
    {
    }

    /// <param name="detail">What the broker says of it.</param>
    [SetsRequiredMembers]
    public SessionAnswer(SessionDetail detail)
        : base(detail.Summary)
    {
        Subscriptions = [.. detail.Subscriptions.Take(MostSubscriptions)];
        Inflight = detail.Inflight;
        OpenReceivesCount = detail.OpenReceives;
        Will = detail.Will;
        QueueLimits = detail.Queue;
    }

    /// <summary>Subscriptions it shows; the rest is asked for in pages.</summary>
    public const int MostSubscriptions = 100;

    /// <summary>The first of its subscriptions.</summary>
    public IReadOnlyList<SubscriptionView> Subscriptions { get; init; } = [];

    /// <summary>The oldest of its messages that are sent and not acknowledged.</summary>
    public IReadOnlyList<InflightView> Inflight { get; init; } = [];

    /// <summary>Open QoS 2 exchanges in which the client publishes.</summary>
    public int OpenReceivesCount { get; init; }

    /// <summary>Its will; null: none.</summary>
    public WillView? Will { get; init; }

    /// <summary>How its queue behaves.</summary>
    public QueueView? QueueLimits { get; init; }

    /// <summary>Its last comings and goings, the newest first.</summary>
    public IReadOnlyList<HistoryEvent> History { get; init; } = [];
}

/// <summary>What became of a kick.</summary>
/// <param name="Kicked">Whether a connection was closed.</param>
/// <param name="Forgotten">Whether the session is gone.</param>
public sealed record KickResult(bool Kicked, bool Forgotten);

/// <summary>Which sessions are to be disconnected or forgotten.</summary>
public sealed record BulkDeleteBody
{
    /// <summary>Which.</summary>
    public required BulkFilter Filter { get; init; }

    /// <summary>Whether the sessions end, too.</summary>
    public bool Forget { get; init; }

    /// <summary>How many the caller has seen.</summary>
    public required long ExpectCount { get; init; }
}

/// <summary>Which sessions are meant; at least one member is set.</summary>
public sealed record BulkFilter
{
    /// <summary><c>connected</c> or <c>disconnected</c>.</summary>
    public string? State { get; init; }

    /// <summary>The client id, with <c>*</c> and <c>?</c>.</summary>
    public string? ClientId { get; init; }

    /// <summary>The user, with <c>*</c> and <c>?</c>.</summary>
    public string? User { get; init; }
}

/// <summary>How many were deleted.</summary>
/// <param name="DeletedCount">Sessions or values that are gone, or clients disconnected.</param>
public sealed record BulkResult(long DeletedCount);
