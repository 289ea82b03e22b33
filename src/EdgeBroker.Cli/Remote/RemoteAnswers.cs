using System.Text.Json.Serialization;
using EdgeBroker.Core.Management;

namespace EdgeBroker.Cli.Remote;

/// <summary>A part of a list, as the API answers it.</summary>
internal sealed record RemoteList<T>(IReadOnlyList<T> Items, RemotePage Page)
{
    /// <summary>The list as the control socket answers it.</summary>
    public Page<T> ToPage() => new(Items, Page.Next, Page.TotalCount);
}

/// <summary>Which part of a list it is.</summary>
internal sealed record RemotePage(string? Next, long TotalCount);

/// <summary>What the API says no with.</summary>
internal sealed record RemoteProblem(string? Detail, string? Title, IReadOnlyList<RemoteError>? Errors);

/// <summary>One thing that is wrong.</summary>
internal sealed record RemoteError(string? File, int? Line, int? Column, string? Message);

/// <summary>How a broker's parts are.</summary>
internal sealed record RemoteHealth(string Status, IReadOnlyList<RemotePart>? Parts);

/// <summary>How one part is.</summary>
internal sealed record RemotePart(string Part, string Status, string Detail);

/// <summary>Where a broker listens.</summary>
internal sealed record RemoteListener(string EndPoint);

/// <summary>The first page of the API.</summary>
internal sealed record RemoteOverview(string Node, string Version, long UptimeSeconds, RemoteHealth Health, IReadOnlyList<RemoteListener> Listeners);

/// <summary>A broker's numbers and states.</summary>
internal sealed record RemoteMetrics(IReadOnlyList<Control.MeterAnswer> Items, IReadOnlyDictionary<string, string> States);

/// <summary>What became of a kick.</summary>
internal sealed record RemoteKick(bool Kicked, bool Forgotten);

/// <summary>What became of a deletion.</summary>
internal sealed record RemoteDelete(bool Deleted, bool Committed);

/// <summary>What became of a reload.</summary>
internal sealed record RemoteReload(
    string Summary, IReadOnlyList<string> Errors, IReadOnlyList<string> Changed, IReadOnlyList<string> RestartNeeded, IReadOnlyList<string> Warnings);

/// <summary>A retained message with its payload.</summary>
internal sealed record RemoteValue(string Topic, int Qos, int PayloadBytes, long? ExpiresInSeconds, string? Payload, string? PayloadBase64,
    bool? PayloadTruncated);

/// <summary>A session, as the API shows it: the row, and what it holds.</summary>
internal sealed record RemoteSession(
    IReadOnlyList<SubscriptionView> Subscriptions, IReadOnlyList<InflightView> Inflight, int OpenReceivesCount, WillView? Will, QueueView QueueLimits);

/// <summary>How the API's answers are read: generated, so that nothing reflects. What this version does not know is left out.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(RemoteList<SessionSummary>))]
[JsonSerializable(typeof(RemoteList<RetainedSummary>))]
[JsonSerializable(typeof(RemoteList<SubscriberView>))]
[JsonSerializable(typeof(RemoteList<SharedGroupView>))]
[JsonSerializable(typeof(RemoteList<RefusalView>))]
[JsonSerializable(typeof(RemoteProblem))]
[JsonSerializable(typeof(RemoteHealth))]
[JsonSerializable(typeof(RemoteOverview))]
[JsonSerializable(typeof(RemoteMetrics))]
[JsonSerializable(typeof(RemoteKick))]
[JsonSerializable(typeof(RemoteDelete))]
[JsonSerializable(typeof(RemoteReload))]
[JsonSerializable(typeof(RemoteValue))]
[JsonSerializable(typeof(RemoteSession))]
[JsonSerializable(typeof(SessionSummary))]
internal sealed partial class RemoteJson : JsonSerializerContext;
