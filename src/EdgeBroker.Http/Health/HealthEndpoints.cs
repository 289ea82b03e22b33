using EdgeBroker.Core.Hosting;
using EdgeBroker.Http.Routing;
using EdgeBroker.Transport.Listeners;
using Microsoft.AspNetCore.Http;

namespace EdgeBroker.Http.Health;

/// <summary>
/// <c>/live</c>, <c>/health</c>: the process answers. <c>/ready</c>: what the broker's parts find of themselves, 503 while one of them is failing. Read by
/// anyone who reaches the listener, and tell nothing of clients or messages.
/// </summary>
internal static class HealthEndpoints
{
    public static IEnumerable<HttpEndpoint> Make(IHealth health, TimeProvider time, Func<ClusterAnswer> cluster)
    {
        var since = new FindingTimes(time);
        yield return Open("/live", "The process answers", Alive);
        yield return Open("/health", "The process answers", Alive);
        yield return Open("/ready", "How the broker's parts are; 503 while one of them is failing", exchange => ReadyAsync(exchange, health, since));
        yield return new HttpEndpoint(HttpSurfaces.Health, "GET", "/cluster/status", EndpointAccess.Open, exchange =>
            exchange.AnswerAsync(cluster(), HttpJson.Default.ClusterAnswer))
        {
            Summary = "Whether the broker is one of several",
            Answers = HttpJson.Default.ClusterAnswer,
        };
    }

    /// <summary>The state in a word.</summary>
    public static string Word(HealthState state) => state switch
    {
        HealthState.Good => "good",
        HealthState.Warning => "warning",
        _ => "failing",
    };

    /// <summary>What is found of the broker's parts.</summary>
    public static ReadinessAnswer Check(IHealth health, FindingTimes since)
    {
        IReadOnlyList<HealthFinding> findings = health.Check();
        HealthState worst = findings.Count == 0 ? HealthState.Good : findings.Max(finding => finding.State);
        return new ReadinessAnswer(Word(worst))
        {
            Parts = findings.Count == 0 ? null
                : [.. findings.Select(one => new PartAnswer(one.Part, Word(one.State), one.Detail) { SinceAt = since.SinceOf(one) })],
        };
    }

    private static HttpEndpoint Open(string path, string summary, Func<Exchange, Task> handle) =>
        new(HttpSurfaces.Health, "GET", path, EndpointAccess.Open, handle) { Summary = summary, Answers = HttpJson.Default.ReadinessAnswer };

    private static Task Alive(Exchange exchange) => exchange.AnswerAsync(new ReadinessAnswer("good"), HttpJson.Default.ReadinessAnswer);

    private static Task ReadyAsync(Exchange exchange, IHealth health, FindingTimes since)
    {
        ReadinessAnswer answer = Check(health, since);
        int status = answer.Status == Word(HealthState.Failing) ? StatusCodes.Status503ServiceUnavailable : StatusCodes.Status200OK;
        return exchange.AnswerAsync(answer, HttpJson.Default.ReadinessAnswer, status);
    }
}

/// <summary>How the broker is.</summary>
/// <param name="Status">The worst of its parts: <c>good</c>, <c>warning</c> or <c>failing</c>.</param>
public sealed record ReadinessAnswer(string Status)
{
    /// <summary>What its parts find of themselves; null: there is nothing to tell.</summary>
    public IReadOnlyList<PartAnswer>? Parts { get; init; }
}

/// <summary>How one part is.</summary>
/// <param name="Part">Its name.</param>
/// <param name="Status">Its state in a word.</param>
/// <param name="Detail">One sentence.</param>
public sealed record PartAnswer(string Part, string Status, string Detail)
{
    /// <summary>Since when it is so, as far as somebody asked; null for what is good.</summary>
    public DateTimeOffset? SinceAt { get; init; }
}

/// <summary>Whether the broker is one of several.</summary>
/// <param name="Status"><c>standalone</c>: it is none of several; else <c>linked</c>, <c>partly linked</c> or <c>alone</c> among the others.</param>
/// <param name="Node">Its name.</param>
/// <param name="NodesCount">How many there are.</param>
public sealed record ClusterAnswer(string Status, string Node, int NodesCount)
{
    /// <summary>The other nodes; null: there are none.</summary>
    public IReadOnlyList<ClusterNodeAnswer>? Nodes { get; init; }

    /// <summary>What the voters agree on; null: nobody votes.</summary>
    public RaftAnswer? Raft { get; init; }
}

/// <summary>What the voters of a cluster agree on.</summary>
/// <param name="State"><c>forming</c>: there is no cluster yet; <c>leaderless</c>, <c>no-majority</c> or <c>ready</c>.</param>
/// <param name="Leader">The node that leads; null: nobody does.</param>
/// <param name="Term">Its term.</param>
/// <param name="Member">What they hold this node for: <c>Up</c>, <c>Down</c> or <c>Left</c>; null: they do not know it.</param>
public sealed record RaftAnswer(string State, int? Leader, long Term, string? Member);

/// <summary>Another node.</summary>
/// <param name="Node">Its number.</param>
/// <param name="Name">Its name; empty: it has not been heard of since the start.</param>
/// <param name="State"><c>linked</c>, <c>linking</c> or <c>away</c>.</param>
/// <param name="SinceSeconds">For how long.</param>
/// <param name="QueueMessages">Messages that wait for it.</param>
public sealed record ClusterNodeAnswer(int Node, string Name, string State, long SinceSeconds, int QueueMessages)
{
    /// <summary>What the voters hold it for: <c>Up</c>, <c>Down</c> or <c>Left</c>; null: they do not know it, or nobody votes.</summary>
    public string? Member { get; init; }
}

/// <summary>Remembers since when a part is not good, from the first time somebody asked.</summary>
/// <param name="time">The wall clock.</param>
internal sealed class FindingTimes(TimeProvider time)
{
    private const int Most = 64;

    private readonly Lock _lock = new();
    private readonly Dictionary<(string Part, HealthState State), DateTimeOffset> _since = [];

    /// <summary>Since when; null: it is good.</summary>
    public DateTimeOffset? SinceOf(HealthFinding finding)
    {
        lock (_lock)
        {
            if (finding.State == HealthState.Good)
            {
                _since.Remove((finding.Part, HealthState.Warning));
                _since.Remove((finding.Part, HealthState.Failing));
                return null;
            }

            if (_since.TryGetValue((finding.Part, finding.State), out DateTimeOffset since)) return since;
            if (_since.Count >= Most) _since.Clear();
            DateTimeOffset now = time.GetUtcNow();
            _since.Add((finding.Part, finding.State), now);
            return now;
        }
    }
}
