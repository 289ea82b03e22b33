using System.Text;
using EdgeBroker.Core.Management;
using EdgeBroker.Http.Routing;
using EdgeBroker.Protocol;
using EdgeBroker.Transport.Listeners;

namespace EdgeBroker.Http.Api;

/// <summary>A level of the tree of topics, or a topic.</summary>
/// <param name="Name">The level; of a flat list the topic.</param>
/// <param name="Topic">The topic up to here.</param>
/// <param name="TopicsCount">Topics from here on.</param>
public sealed record TopicRow(string Name, string Topic, int TopicsCount)
{
    /// <summary>Messages a second; null: not known yet.</summary>
    public double? InPerSecond { get; init; }

    /// <summary>Retained values from here on; null: there are too many to count along.</summary>
    public int? RetainedCount { get; init; }

    /// <summary>When the last message came; null: none while somebody looked.</summary>
    public DateTimeOffset? LastAt { get; init; }
}

/// <summary>Topics, as far as they are known.</summary>
/// <param name="Items">The rows.</param>
/// <param name="Page">Which part they are.</param>
/// <param name="TrackedCount">Topics in which something came while somebody looked.</param>
/// <param name="EvictedTotal">Topics that made room for others.</param>
/// <param name="SinceAt">Since when it is counted.</param>
public sealed record TopicsAnswer(IReadOnlyList<TopicRow> Items, PageAnswer Page, int TrackedCount, long EvictedTotal, DateTimeOffset? SinceAt);

/// <summary>What came in a topic.</summary>
/// <param name="Topic">The topic.</param>
/// <param name="SubscribersCount">Clients that get its messages.</param>
/// <param name="Retained">Whether it has a value.</param>
public sealed record TopicStatsAnswer(string Topic, int SubscribersCount, bool Retained)
{
    /// <summary>Messages since <see cref="SinceAt"/>.</summary>
    public long? PublishedTotal { get; init; }

    /// <summary>Messages a second; null: not known yet.</summary>
    public double? InPerSecond { get; init; }

    /// <summary>Bytes of their payloads.</summary>
    public long? BytesTotal { get; init; }

    /// <summary>When the last came.</summary>
    public DateTimeOffset? LastAt { get; init; }

    /// <summary>Its QoS.</summary>
    public int? LastQos { get; init; }

    /// <summary>Who published it.</summary>
    public string? LastPublisher { get; init; }

    /// <summary>Since when it is counted.</summary>
    public DateTimeOffset? SinceAt { get; init; }
}

/// <summary>Topics, with what flows in them: counted while somebody asks, so the first answer knows little.</summary>
internal sealed class TopicEndpoints(BrokerView view, TopicRegister register, ApiScans scans, TimeProvider time)
{
    private const HttpSurfaces Surfaces = HttpSurfaces.Api | HttpSurfaces.Console;
    private const string Path = "/api/v1/topics";

    public IEnumerable<HttpEndpoint> Make()
    {
        yield return new HttpEndpoint(Surfaces, "GET", Path, EndpointAccess.Viewer, ListAsync)
        {
            Summary = "The tree of topics, one level at a time, with rates; counted from the first question on, while there are questions",
            Query =
            [
                new("prefix", "the topic above; none: the first level"), new("depth", "1", "integer"), new("q", "a part of the topic"),
                new("filter", "a topic filter, of which + is written %2B"), new("flat", "topics instead of a tree", "boolean"),
                new("limit", "rows, 1 to 1000 (50)", "integer"),
            ],
            Answers = ApiJson.Default.TopicsAnswer,
            IsList = true,
        };
        yield return new HttpEndpoint(Surfaces, "GET", Path + "/{topic}/stats", EndpointAccess.Viewer, ShowAsync)
        {
            Summary = "What came in a topic, counted from the first question on, and who gets it",
            Answers = ApiJson.Default.TopicStatsAnswer,
        };
    }

    private async Task ListAsync(Exchange exchange)
    {
        register.Look();
        string prefix = exchange.Query("prefix") ?? "";
        if (prefix.Length > 0) prefix = TopicText.Name(prefix) + "/";
        exchange.QueryNumber("depth", 1, 1, 1);
        byte[]? filter = exchange.QueryFilter("filter") is { } text ? Encoding.UTF8.GetBytes(text) : null;
        string? part = exchange.Query("q");
        int limit = Lists.LimitOf(exchange);
        List<TopicFigures> all = register.ToList();
        IEnumerable<TopicFigures> counted = all.Where(one => IsMeant(one.Topic, prefix, filter, part));
        Page<RetainedSummary> retained = await scans.RunAsync(
            () => view.Retained(prefix + "#", null, Lists.MostRows, part), exchange.Gone).ConfigureAwait(false);
        IEnumerable<string> values = retained.Items.Select(one => one.Topic).Where(topic => IsMeant(topic, prefix, filter, part));
        bool areAll = retained.Total <= retained.Items.Count;
        TopicRow[] rows = exchange.QueryFlag("flat") ? Flat(counted, values) : Tree(counted, values, prefix.Length, areAll);
        var page = new PageAnswer(limit, null, rows.Length, time.GetUtcNow());
        var answer = new TopicsAnswer([.. rows.Take(limit)], page, all.Count, register.Evicted, register.Since);
        await exchange.AnswerAsync(answer, ApiJson.Default.TopicsAnswer).ConfigureAwait(false);
    }

    private static bool IsMeant(string topic, string prefix, byte[]? filter, string? part) =>
        topic.StartsWith(prefix, StringComparison.Ordinal)
        && (part is null || topic.Contains(part, StringComparison.OrdinalIgnoreCase))
        && (filter is null || TopicFilter.Matches(filter, Encoding.UTF8.GetBytes(topic)));

    private static TopicRow[] Flat(IEnumerable<TopicFigures> counted, IEnumerable<string> values)
    {
        var kept = values.ToHashSet(StringComparer.Ordinal);
        Dictionary<string, TopicRow> rows = counted.ToDictionary(
            one => one.Topic,
            one => new TopicRow(one.Topic, one.Topic, 1)
            {
                InPerSecond = one.PerSecond,
                LastAt = one.LastAt,
                RetainedCount = kept.Contains(one.Topic) ? 1 : 0,
            },
            StringComparer.Ordinal);
        foreach (string topic in kept) rows.TryAdd(topic, new TopicRow(topic, topic, 1) { RetainedCount = 1 });
        return [.. rows.Values.OrderByDescending(row => row.InPerSecond ?? 0).ThenBy(row => row.Topic, StringComparer.Ordinal)];
    }

    private static TopicRow[] Tree(IEnumerable<TopicFigures> counted, IEnumerable<string> values, int begin, bool areAll)
    {
        var kept = values.ToHashSet(StringComparer.Ordinal);
        ILookup<string, TopicFigures> byName = counted.ToLookup(one => NameOf(one.Topic), StringComparer.Ordinal);
        ILookup<string, string> keptByName = kept.ToLookup(NameOf, StringComparer.Ordinal);
        IEnumerable<string> names = byName.Select(one => one.Key).Union(keptByName.Select(one => one.Key), StringComparer.Ordinal);
        return [.. names.Order(StringComparer.Ordinal).Select(Row)];

        string NameOf(string topic)
        {
            int slash = topic.IndexOf('/', begin);
            return topic[begin..(slash < 0 ? topic.Length : slash)];
        }

        TopicRow Row(string name)
        {
            TopicFigures[] own = [.. byName[name]];
            string first = own.Length > 0 ? own[0].Topic : keptByName[name].First();
            double[] rates = [.. own.Select(one => one.PerSecond).OfType<double>()];
            return new TopicRow(name, first[..begin] + name, own.Select(one => one.Topic).Union(keptByName[name], StringComparer.Ordinal).Count())
            {
                InPerSecond = rates.Length > 0 ? Math.Round(rates.Sum(), 1) : null,
                RetainedCount = areAll ? keptByName[name].Count() : null,
                LastAt = own.Length > 0 ? own.Max(one => one.LastAt) : null,
            };
        }
    }

    private async Task ShowAsync(Exchange exchange)
    {
        register.Look();
        string topic = TopicText.Name(exchange.Argument("topic"));
        Page<SubscriberView> subscribers = await scans.RunAsync(() => view.Subscribers(topic, null, 1), exchange.Gone).ConfigureAwait(false);
        TopicFigures? figures = register.Find(topic);
        await exchange.AnswerAsync(
            new TopicStatsAnswer(topic, (int)subscribers.Total, view.RetainedValueOf(topic) is not null)
            {
                PublishedTotal = figures?.Published,
                InPerSecond = figures?.PerSecond,
                BytesTotal = figures?.Bytes,
                LastAt = figures?.LastAt,
                LastQos = figures?.LastQoS,
                LastPublisher = figures?.LastPublisher,
                SinceAt = register.Since,
            },
            ApiJson.Default.TopicStatsAnswer).ConfigureAwait(false);
    }
}
