using System.Text.Json.Serialization;
using EdgeBroker.Core.Management;
using EdgeBroker.Http.Health;

namespace EdgeBroker.Http.Api;

/// <summary>Which program answers.</summary>
/// <param name="Version">Its version.</param>
/// <param name="Commit">The commit it was built from; null: not known.</param>
/// <param name="ApiVersion">The version of what it answers.</param>
/// <param name="Node">The broker's name.</param>
/// <param name="Features">What this build has besides.</param>
public sealed record VersionAnswer(string Version, string? Commit, string ApiVersion, string Node, IReadOnlyList<string> Features);

/// <summary>The first page of a console: how the broker is, and what flows.</summary>
public sealed record OverviewAnswer
{
    /// <summary>Its name.</summary>
    public required string Node { get; init; }

    /// <summary>Its version.</summary>
    public required string Version { get; init; }

    /// <summary>When it started.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>How long it runs.</summary>
    public required long UptimeSeconds { get; init; }

    /// <summary>How its parts are.</summary>
    public required ReadinessAnswer Health { get; init; }

    /// <summary>Those that are not good, the worst first.</summary>
    public required IReadOnlyList<PartAnswer> Problems { get; init; }

    /// <summary>Clients with a connection.</summary>
    public required long ConnectedCount { get; init; }

    /// <summary>Sessions without one.</summary>
    public required long DisconnectedCount { get; init; }

    /// <summary>Subscriptions, shared ones included.</summary>
    public required long SubscriptionsCount { get; init; }

    /// <summary>Retained messages.</summary>
    public required long RetainedCount { get; init; }

    /// <summary>Bytes of them.</summary>
    public required long RetainedBytes { get; init; }

    /// <summary>PUBLISH packets received.</summary>
    public required long MessagesReceivedTotal { get; init; }

    /// <summary>PUBLISH packets sent.</summary>
    public required long MessagesSentTotal { get; init; }

    /// <summary>Messages that did not reach a session.</summary>
    public required long MessagesDroppedTotal { get; init; }

    /// <summary>Those by the cause; causes that never were are left out.</summary>
    public required IReadOnlyDictionary<string, long> DropsByCause { get; init; }

    /// <summary>PUBLISH packets received a second; null: not known yet.</summary>
    public double? InPerSecond { get; init; }

    /// <summary>PUBLISH packets sent a second; null: not known yet.</summary>
    public double? OutPerSecond { get; init; }

    /// <summary>Messages dropped a second; null: not known yet.</summary>
    public double? DroppedPerSecond { get; init; }

    /// <summary>Messages that wait in sessions, and retained ones.</summary>
    public required long StoredMessagesCount { get; init; }

    /// <summary>Bytes of the store's file; null: there is none.</summary>
    public long? StoreBytes { get; init; }

    /// <summary>Memory in use.</summary>
    public required long MemoryUsedBytes { get; init; }

    /// <summary>Memory it may use; null: not known.</summary>
    public long? MemoryLimitBytes { get; init; }

    /// <summary>Groups of recent refusals.</summary>
    public required int RefusalsCount { get; init; }

    /// <summary>The sessions with the longest queues.</summary>
    public required IReadOnlyList<SessionRow> LongestQueues { get; init; }

    /// <summary>The connected clients that have sent most messages, up to five seconds old.</summary>
    public required IReadOnlyList<SessionRow> TopSenders { get; init; }

    /// <summary>The certificates that end first.</summary>
    public required IReadOnlyList<CertificateAnswer> Certificates { get; init; }

    /// <summary>The last reload that changed something; null: none since the start.</summary>
    public ConfigurationChange? LastChange { get; init; }

    /// <summary>Where it listens.</summary>
    public required IReadOnlyList<ListenerAnswer> Listeners { get; init; }
}

/// <summary>A number that the broker tells of itself.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Unit">Its unit, in UCUM.</param>
/// <param name="Kind"><c>counter</c> or <c>gauge</c>.</param>
/// <param name="Help">What it is.</param>
/// <param name="Value">Its value.</param>
/// <param name="Tags">What tells it from others of its name.</param>
public sealed record MetricAnswer(string Name, string Unit, string Kind, string Help, long Value, IReadOnlyDictionary<string, string>? Tags);

/// <summary>All numbers and states.</summary>
/// <param name="Items">The numbers.</param>
/// <param name="States">What is told in words, by topics below <c>$SYS/broker/</c>.</param>
/// <param name="AsOfAt">When they were read.</param>
public sealed record MetricsAnswer(IReadOnlyList<MetricAnswer> Items, IReadOnlyDictionary<string, string> States, DateTimeOffset AsOfAt);

/// <summary>What takes memory.</summary>
/// <param name="UsedBytes">Memory in use.</param>
/// <param name="LimitBytes">Memory it may use; null: not known.</param>
/// <param name="Stage">What is done about it: <c>normal</c>, <c>refusing</c>, <c>pausing</c> or <c>dropping</c>.</param>
/// <param name="LedgerBytes">What clients have made grow, by kind.</param>
public sealed record MemoryAnswer(long UsedBytes, long? LimitBytes, string Stage, IReadOnlyDictionary<string, long> LedgerBytes);

/// <summary>A limit, and how often it was reached.</summary>
/// <param name="Key">Its key in <c>[limits]</c>.</param>
/// <param name="Value">What it is, in words; null: it is not set.</param>
/// <param name="Used">What there is of it now; null: that is not counted as a whole.</param>
/// <param name="ReachedTotal">How often it was reached, by what was done.</param>
public sealed record LimitAnswer(string Key, string? Value, long? Used, IReadOnlyDictionary<string, long> ReachedTotal);

/// <summary>A certificate that a listener shows.</summary>
/// <param name="Use">What for: <c>server</c>.</param>
/// <param name="Listener">The listener.</param>
/// <param name="File">Where it is from.</param>
/// <param name="Name">Its common name, or its subject.</param>
/// <param name="EndsAt">Its end.</param>
/// <param name="DaysLeft">Whole days until then; below 0: it has ended.</param>
public sealed record CertificateAnswer(string Use, string Listener, string File, string Name, DateTimeOffset EndsAt, int DaysLeft);

/// <summary>A change of the configuration, as far as viewers see it.</summary>
/// <param name="At">When.</param>
/// <param name="By">Who asked for it.</param>
public sealed record ConfigurationChange(DateTimeOffset At, string By);

/// <summary>A queue in which messages wait.</summary>
/// <param name="Kind">Of what: <c>session</c> or <c>bridge</c>.</param>
/// <param name="Name">Whose.</param>
/// <param name="Messages">How many wait.</param>
/// <param name="Bytes">Bytes of them.</param>
/// <param name="OldestSeconds">How long the oldest has waited.</param>
/// <param name="State">Whether its client is connected.</param>
/// <param name="DroppedTotal">Messages that did not reach it.</param>
public sealed record QueueAnswer(string Kind, string Name, long Messages, long Bytes, long? OldestSeconds, string State, long DroppedTotal)
{
    /// <summary>How many messages more, or less, there are in a minute, by the look before; null: not known yet.</summary>
    public double? GrowthPerMinute { get; init; }

    /// <summary>How full it is, of the messages or bytes it may hold, whichever is nearer; null: not known.</summary>
    public double? FullPercent { get; init; }

    /// <summary>When it is full if it goes on so; null: it does not grow, or is not bounded.</summary>
    public long? FullInSeconds { get; init; }

    /// <summary>What happens to a message that does not fit; null: not known.</summary>
    public string? OnFull { get; init; }

    /// <summary>How it is bounded; null: not known.</summary>
    [JsonIgnore]
    internal QueueView? Bounds { get; init; }
}

/// <summary>A question to the access rules.</summary>
public sealed record AclTestBody
{
    /// <summary>The user; null: an anonymous client.</summary>
    public string? User { get; init; }

    /// <summary>The client id.</summary>
    public string? ClientId { get; init; }

    /// <summary>The listener's address, as configured.</summary>
    public string? Listener { get; init; }

    /// <summary>What proves the user name: <c>password</c>, <c>token</c>, <c>certificate</c>, <c>peer</c> or <c>psk</c>; null: a password.</summary>
    public string? Via { get; init; }

    /// <summary><c>publish</c> or <c>subscribe</c>.</summary>
    public required string Action { get; init; }

    /// <summary>The topic, or filter.</summary>
    public required string Topic { get; init; }

    /// <summary>QoS of a publish.</summary>
    public int Qos { get; init; }

    /// <summary>Whether a publish is retained.</summary>
    public bool Retain { get; init; }
}

/// <summary>What the access rules say.</summary>
/// <param name="Allowed">Whether it is permitted.</param>
/// <param name="Why">The rule that decides, or that there is none.</param>
/// <param name="MaximumQos">The highest QoS that is left.</param>
public sealed record AclTestAnswer(bool Allowed, string Why, int MaximumQos);
