using System.Globalization;
using System.Net;
using System.Text;
using EdgeBroker.Core;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Management;
using EdgeBroker.Core.Metrics;
using EdgeBroker.Core.Security;
using EdgeBroker.Http.Health;
using EdgeBroker.Http.Routing;
using EdgeBroker.Protocol;
using EdgeBroker.Transport.Listeners;

namespace EdgeBroker.Http.Api;

/// <summary>What is to be seen of the broker as a whole.</summary>
internal sealed class BrokerEndpoints(
    Broker broker, BrokerView view, HistoryRing history, HttpSite site, IHealth health, IAdministration administration,
    INeighbours neighbours, ApiScans scans, MetricHistory course, TimeProvider time)
{
    private const HttpSurfaces Surfaces = HttpSurfaces.Api | HttpSurfaces.Console;
    private const string ApiVersion = "1.0";

    // Rows of the overview's small tables.
    private const int MostShown = 5;
    private static readonly TimeSpan SendersKept = TimeSpan.FromSeconds(5);

    private static readonly string[] Features = ["bridges", "cluster", "coap", "otlp", "webhooks", "websockets"];

    // Read when it is asked for, and kept from then on.
    private static readonly Lazy<byte[]> Document = new(ReadDocument);

    private readonly FindingTimes _since = new(time);
    private readonly TotalRates _rates = new(time);
    private readonly RowRates _senderRates = new(time);
    private readonly QueueGrowth _growth = new(time);
    private volatile RecentOverview? _recent;
    private volatile RecentSenders? _senders;

    public IEnumerable<HttpEndpoint> Make()
    {
        yield return Read("/version", "Which program answers", exchange => exchange.AnswerAsync(
            new VersionAnswer(administration.Version, administration.Commit, ApiVersion, site.Options.Current.NodeName, Features),
            ApiJson.Default.VersionAnswer)) with
        {
            Answers = ApiJson.Default.VersionAnswer,
        };
        yield return Read("/openapi.json", "This document", exchange => exchange.AnswerAsync(Document.Value, "application/json")) with
        {
            AnswersType = "application/json",
            IsList = true,
        };
        yield return Read("/overview", "How the broker is, and what flows", OverviewAsync) with { Answers = ApiJson.Default.OverviewAnswer };
        yield return Read("/metrics", "Every number the broker tells of itself", MetricsAsync) with
        {
            Query = [new("names", "only these, with commas between; a name may end in *")],
            Answers = ApiJson.Default.MetricsAnswer,
            IsList = true,
        };
        yield return Read("/metrics/history", "The course of some numbers, for charts", HistoryAsync) with
        {
            Query = [new("span", "5m (a point a second), 1h (ten seconds) or 24h (a minute)"), new("names", "only these series, with commas between")],
            Answers = ApiJson.Default.HistoryAnswer,
            IsList = true,
        };
        yield return Read("/memory", "What takes memory", MemoryAsync) with { Answers = ApiJson.Default.MemoryAnswer };
        yield return Read("/limits", "The limits, and how often they were reached", LimitsAsync) with { Answers = ApiJson.Default.LimitAnswerArray };
        yield return Read("/listeners", "Where the broker listens", exchange => exchange.AnswerAsync(
            [.. administration.Listeners], ApiJson.Default.ListenerAnswerArray)) with
        { Answers = ApiJson.Default.ListenerAnswerArray };
        yield return Read("/certificates", "The certificates listeners show, the first to end first", exchange => exchange.AnswerAsync(
            [.. administration.Certificates.OrderBy(one => one.EndsAt)], ApiJson.Default.CertificateAnswerArray)) with
        {
            Answers = ApiJson.Default.CertificateAnswerArray,
        };
        yield return Read("/queues", "The longest queues of sessions and bridges, and how they grow between two looks", QueuesAsync) with
        {
            Query = [new("limit", "rows, 1 to 1000 (50)", "integer")],
            Answers = ApiJson.Default.QueueAnswerArray,
            IsList = true,
        };
        yield return List("/refusals", "Recent refusals, alike ones counted together, the newest first", exchange => Lists.AnswerAsync(
            exchange, Lists.PageOf(exchange, Refusals(exchange), KeyOf), ApiJson.Default.ListAnswerRefusalView, time.GetUtcNow())) with
        {
            Query = [new("client_id", "exactly this client id"), new("what", "connect, publish, subscribe or limit"), new("q", "a part of it"),
                .. Lists.Parameters],
            Answers = ApiJson.Default.ListAnswerRefusalView,
        };
        yield return List("/events", "Comings and goings of clients, the newest first", exchange => Lists.AnswerAsync(
            exchange, Lists.PageOf(exchange, Events(exchange), one => one.Id.ToString(CultureInfo.InvariantCulture)),
            ApiJson.Default.ListAnswerHistoryEvent, time.GetUtcNow())) with
        {
            Query =
            [
                new("client_id", "exactly this client id"), new("address", "an address, or a network as 10.0.0.0/8"),
                new("kind", "connected, disconnected, refused or takeover"), .. Lists.Parameters,
            ],
            Answers = ApiJson.Default.ListAnswerHistoryEvent,
        };
        yield return List("/subscriptions", "Who gets the messages of a topic", SubscribersAsync) with
        {
            Query = [new("matches_topic", "the topic; needed"), .. Lists.Parameters],
            Answers = ApiJson.Default.ListAnswerSubscriberView,
        };
        yield return List("/shared-groups", "Groups that share a subscription", SharedAsync) with
        {
            Query = Lists.Parameters,
            Answers = ApiJson.Default.ListAnswerSharedGroupView,
        };
        yield return new HttpEndpoint(Surfaces, "POST", "/api/v1/acl/test", EndpointAccess.Operator, AclAsync)
        {
            Summary = "Whether the access rules permit something, and which one decides",
            Takes = ApiJson.Default.AclTestBody,
            Answers = ApiJson.Default.AclTestAnswer,
            Action = "acl.test",
        };
    }

    private static HttpEndpoint Read(string path, string summary, Func<Exchange, Task> handle) =>
        new(Surfaces, "GET", "/api/v1" + path, EndpointAccess.Viewer, handle) { Summary = summary };

    private static HttpEndpoint List(string path, string summary, Func<Exchange, Task> handle) => Read(path, summary, handle) with { IsList = true };

    private static byte[] ReadDocument()
    {
        using Stream stream = typeof(BrokerEndpoints).Assembly.GetManifestResourceStream("openapi.json")!;
        using var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        return bytes.ToArray();
    }

    private static string KeyOf(RefusalView one) => $"{one.What} {one.ClientId} {one.Address} {one.Cause}";

    private IEnumerable<RefusalView> Refusals(Exchange exchange)
    {
        string? clientId = exchange.Query("client_id"), what = exchange.QueryWord("what", "connect", "publish", "subscribe", "limit"),
            text = exchange.Query("q");
        return view.Refusals().Where(one => (clientId is null || one.ClientId == clientId) && (what is null || one.What == what)
            && (text is null || $"{one.ClientId} {one.User} {one.Address} {one.About} {one.Cause}".Contains(text, StringComparison.OrdinalIgnoreCase)));
    }

    private IEnumerable<HistoryEvent> Events(Exchange exchange)
    {
        string? kind = exchange.QueryWord("kind", "connected", "disconnected", "refused", "takeover");
        IReadOnlyList<HistoryEvent> all = exchange.Query("client_id") is { } clientId ? history.Of(clientId) : history.ToList();
        IPNetwork? network = exchange.QueryNetwork("address");
        return all.Where(one => (kind is null || one.Kind == kind)
            && (network is not { } wanted || (IPEndPoint.TryParse(one.Address ?? "", out IPEndPoint? at) && wanted.Contains(at.Address))));
    }

    private async Task OverviewAsync(Exchange exchange)
    {
        OverviewAnswer overview = await OverviewAsync(exchange.Gone).ConfigureAwait(false);
        await exchange.AnswerAsync(overview, ApiJson.Default.OverviewAnswer).ConfigureAwait(false);
    }

    /// <summary>How the broker is, as of less than a second ago: many who watch cost no more than one.</summary>
    public async ValueTask<OverviewAnswer> RecentOverviewAsync(CancellationToken gone)
    {
        if (_recent is { } recent && time.GetElapsedTime(recent.At) < TimeSpan.FromMilliseconds(500)) return recent.Answer;
        OverviewAnswer answer = await OverviewAsync(gone).ConfigureAwait(false);
        _recent = new RecentOverview(answer, time.GetTimestamp());
        return answer;
    }

    /// <summary>How the broker is now.</summary>
    private async ValueTask<OverviewAnswer> OverviewAsync(CancellationToken gone)
    {
        ReadinessAnswer state = HealthEndpoints.Check(health, _since);
        long received = Meter("mqtt.messages.received.total"), sent = Meter("mqtt.messages.sent.total"),
            dropped = Meter("mqtt.messages.dropped.total");
        (double? inRate, double? outRate, double? dropRate) = _rates.Look(received, sent, dropped);
        Page<SessionSummary> longest = await scans.RunAsync(
            () => view.TopSessions(new SessionFilter { QueueMessagesMin = 1 }, row => row.QueueMessages, MostShown), gone).ConfigureAwait(false);
        IReadOnlyList<SessionRow> senders = await SendersAsync(gone).ConfigureAwait(false);
        long uptime = broker.Clock.NowMs / 1000;
        return new OverviewAnswer
        {
            Node = site.Options.Current.NodeName,
            Version = administration.Version,
            StartedAt = time.GetUtcNow() - TimeSpan.FromSeconds(uptime),
            UptimeSeconds = uptime,
            Health = state,
            Problems = [.. (state.Parts ?? []).Where(part => part.Status != "good").OrderBy(part => part.Status == "failing" ? 0 : 1)],
            ConnectedCount = broker.ConnectedCount,
            DisconnectedCount = broker.DisconnectedCount,
            SubscriptionsCount = Meter("mqtt.subscriptions.active"),
            RetainedCount = Meter("mqtt.retained.messages"),
            RetainedBytes = Meter("mqtt.retained.bytes"),
            MessagesReceivedTotal = received,
            MessagesSentTotal = sent,
            MessagesDroppedTotal = dropped,
            DropsByCause = DropsByCause(),
            InPerSecond = inRate,
            OutPerSecond = outRate,
            DroppedPerSecond = dropRate,
            StoredMessagesCount = Meter("edgebroker.messages.stored"),
            StoreBytes = broker.Meters.Sum("edgebroker.store.bytes"),
            MemoryUsedBytes = broker.Limits.Memory.UsedBytes,
            MemoryLimitBytes = broker.Limits.Memory.LimitBytes is > 0 and { } limit ? limit : null,
            RefusalsCount = view.Refusals().Count,
            TopSenders = senders,
            Certificates = [.. administration.Certificates.OrderBy(one => one.EndsAt).Take(MostShown)],
            LastChange = administration.Reloads.Where(one => one.Result.Changed.Count > 0)
                .Select(one => new ConfigurationChange(one.At, one.By)).FirstOrDefault(),
            LongestQueues = [.. longest.Items.Select(row => new SessionRow(row))],
            Listeners = administration.Listeners,
        };
    }

    /// <summary>Who has sent most since it connected: one more pass over all sessions, so it is up to five seconds old.</summary>
    private async ValueTask<IReadOnlyList<SessionRow>> SendersAsync(CancellationToken gone)
    {
        if (_senders is { } known && time.GetElapsedTime(known.At) < SendersKept) return known.Rows;
        var filter = new SessionFilter { IsConnected = true };
        Page<SessionSummary> page = await scans.RunAsync(
            () => view.TopSessions(filter, row => row.Traffic?.MessagesReceived ?? 0, MostShown), gone).ConfigureAwait(false);
        SessionRow[] rows = [.. page.Items.Where(row => row.Traffic is { MessagesReceived: > 0 }).Select(row => _senderRates.With(new SessionRow(row)))];
        _senders = new RecentSenders(rows, time.GetTimestamp());
        return rows;
    }

    private SortedDictionary<string, long> DropsByCause()
    {
        var drops = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach (MeterEntry entry in broker.Meters.Entries)
        {
            if (entry.Name == "mqtt.messages.dropped.total" && entry.Read() is > 0 and long count) drops[entry.Tags[0].Value] = count;
        }

        return drops;
    }

    private long Meter(string name) => broker.Meters.Sum(name) ?? 0;

    private Task MetricsAsync(Exchange exchange)
    {
        string[]? names = exchange.Query("names")?.Split(',');
        MetricAnswer[] items =
        [
            .. broker.Meters.Entries.Where(entry => names is null || names.Any(name => Glob.Matches(name, entry.Name)))
                .Select(entry => entry.Read() is { } value ? Of(entry, value) : null).OfType<MetricAnswer>(),
        ];
        Dictionary<string, string> states = broker.Meters.States.Select(state => (state.SysTopic, Text: state.Read())).Where(state => state.Text is not null)
            .ToDictionary(state => state.SysTopic, state => state.Text!, StringComparer.Ordinal);
        return exchange.AnswerAsync(new MetricsAnswer(items, states, time.GetUtcNow()), ApiJson.Default.MetricsAnswer);
    }

    private Task HistoryAsync(Exchange exchange)
    {
        string[]? names = exchange.Query("names")?.Split(',');
        if (names?.FirstOrDefault(name => !MetricHistory.Names.Contains(name)) is { } unknown)
        {
            throw HttpProblem.Parameter("names", Exchange.Short(unknown), "of " + string.Join(", ", MetricHistory.Names));
        }

        return exchange.AnswerAsync(course.Of(exchange.QueryWord("span", "5m", "1h", "24h") ?? "5m", names), ApiJson.Default.HistoryAnswer);
    }

    private static MetricAnswer Of(MeterEntry entry, long value) => new(
        entry.Name, entry.Unit, entry.Kind == MeterKind.Counter ? "counter" : "gauge", entry.Help, value,
        entry.Tags.Count == 0 ? null : entry.Tags.ToDictionary(tag => tag.Key, tag => tag.Value, StringComparer.Ordinal));

    private Task MemoryAsync(Exchange exchange)
    {
        MemoryPressure memory = broker.Limits.Memory;
        Dictionary<string, long> ledger = Enum.GetValues<MemoryKind>().ToDictionary(
            kind => System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(kind.ToString()), broker.Limits.Ledger.Bytes, StringComparer.Ordinal);
        var answer = new MemoryAnswer(
            memory.UsedBytes, memory.LimitBytes > 0 ? memory.LimitBytes : null, memory.Stage.ToString().ToLowerInvariant(), ledger);
        return exchange.AnswerAsync(answer, ApiJson.Default.MemoryAnswer);
    }

    private Task LimitsAsync(Exchange exchange)
    {
        MeterEntry[] actions = [.. broker.Meters.Entries.Where(entry => entry.Name == "edgebroker.limits.reached")];
        LimitAnswer[] answer = [.. Enum.GetValues<LimitKind>().Select(kind => new LimitAnswer(
            BrokerLimits.KeyOf(kind), ValueOf(kind), Used(kind), Reached(actions, BrokerLimits.KeyOf(kind))))];
        return exchange.AnswerAsync(answer, ApiJson.Default.LimitAnswerArray);
    }

    private string? ValueOf(LimitKind kind) => kind == LimitKind.ConnectTimeout
        ? string.Create(CultureInfo.InvariantCulture, $"{broker.Options.ConnectTimeout.TotalSeconds:0.###} s") : broker.Limits.ValueOf(kind);

    private long? Used(LimitKind kind) => kind switch
    {
        LimitKind.MaxConnections => broker.Limits.Connections.OpenCount,
        LimitKind.MaxSessions => broker.SessionCount,
        LimitKind.MaxFilters => Meter("mqtt.subscriptions.active"),
        LimitKind.MaxRetained => Meter("mqtt.retained.messages"),
        LimitKind.MaxRetainedBytes => Meter("mqtt.retained.bytes"),
        LimitKind.MaxMemory => broker.Limits.Memory.UsedBytes,
        _ => null,
    };

    private static Dictionary<string, long> Reached(MeterEntry[] actions, string key) => actions
        .Where(entry => entry.Tags.Any(tag => tag.Value == key))
        .ToDictionary(entry => entry.Tags.First(tag => tag.Value != key).Value, entry => entry.Read() ?? 0, StringComparer.Ordinal);

    private async Task QueuesAsync(Exchange exchange)
    {
        int limit = Lists.LimitOf(exchange);
        Page<SessionSummary> page = await scans.RunAsync(
            () => view.TopSessions(new SessionFilter { QueueMessagesMin = 1 }, row => row.QueueMessages, limit), exchange.Gone).ConfigureAwait(false);
        IEnumerable<QueueAnswer> sessions = page.Items.Select(row => new QueueAnswer(
            "session", row.ClientId, row.QueueMessages, row.QueueBytes, row.QueueOldestSeconds, row.State, row.DroppedTotal)
        {
            Bounds = view.Session(row.ClientId)?.Queue,
        });
        IEnumerable<QueueAnswer> bridges = neighbours.Bridges.Where(one => one.QueueMessages > 0).Select(one => new QueueAnswer(
            "bridge", one.Name, one.QueueMessages, one.QueueBytes, one.OldestSeconds, one.State, one.DroppedTotal));
        QueueAnswer[] queues = [.. sessions.Concat(bridges).OrderByDescending(one => one.Messages).Take(limit).Select(_growth.With)];
        await exchange.AnswerAsync(queues, ApiJson.Default.QueueAnswerArray).ConfigureAwait(false);
    }

    private async Task SubscribersAsync(Exchange exchange)
    {
        string topic = TopicText.Name(exchange.Query("matches_topic") ?? throw HttpProblem.Parameter("matches_topic", null, "a topic"));
        string? after = Lists.AfterOf(exchange);
        int limit = Lists.LimitOf(exchange);
        Page<SubscriberView> page = await scans.RunAsync(() => view.Subscribers(topic, after, limit), exchange.Gone).ConfigureAwait(false);
        await Lists.AnswerAsync(exchange, page, ApiJson.Default.ListAnswerSubscriberView, time.GetUtcNow()).ConfigureAwait(false);
    }

    private async Task SharedAsync(Exchange exchange)
    {
        string? after = Lists.AfterOf(exchange);
        int limit = Lists.LimitOf(exchange);
        Page<SharedGroupView> page = await scans.RunAsync(() => view.SharedGroups(after, limit), exchange.Gone).ConfigureAwait(false);
        await Lists.AnswerAsync(exchange, page, ApiJson.Default.ListAnswerSharedGroupView, time.GetUtcNow()).ConfigureAwait(false);
    }

    private async Task AclAsync(Exchange exchange)
    {
        AclTestBody body = await exchange.ReadJsonAsync(ApiJson.Default.AclTestBody).ConfigureAwait(false);
        if (body.Action is not ("publish" or "subscribe")) throw new HttpProblem(ProblemKind.InvalidBody, "action is publish or subscribe");
        bool isPublish = body.Action == "publish";
        if (isPublish) TopicText.Name(body.Topic);
        else if (!TopicText.IsFilter(body.Topic)) throw new HttpProblem(ProblemKind.InvalidFilter, "topic is no topic filter");
        if (body.Qos is < 0 or > 2) throw new HttpProblem(ProblemKind.InvalidBody, "qos is 0, 1 or 2");
        AuthenticationMethod via = body.User is null ? AuthenticationMethod.Anonymous
            : AccountKinds.Find(body.Via ?? "password")
                ?? throw new HttpProblem(ProblemKind.InvalidBody, "via is " + string.Join(", ", AccountKinds.All.Select(kind => kind.Word)));
        byte[] topic = Encoding.UTF8.GetBytes(body.Topic);
        if (!isPublish && TopicFilter.TrySplitShared(topic, out _, out ReadOnlySpan<byte> shared)) topic = shared.ToArray();
        string listener = body.Listener ?? (administration.Listeners is [var first, ..] ? first.Address : "");
        Permissions permissions = site.Options.Current.Rules.PermissionsFor(new AclSubject(body.User, body.ClientId ?? "", listener, via));
        AccessVerdict verdict = isPublish ? permissions.JudgePublish(topic, (QoS)body.Qos, body.Retain) : permissions.JudgeSubscribe(topic);
        await exchange.AnswerAsync(new AclTestAnswer(verdict.IsAllowed, verdict.Cause, (int)verdict.MaximumQoS), ApiJson.Default.AclTestAnswer)
            .ConfigureAwait(false);
    }

    private sealed record RecentOverview(OverviewAnswer Answer, long At);

    private sealed record RecentSenders(IReadOnlyList<SessionRow> Rows, long At);
}
