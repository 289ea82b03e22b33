using EdgeBroker.Core.Management;
using EdgeBroker.Http.Access;
using EdgeBroker.Http.Routing;
using EdgeBroker.Transport.Listeners;

namespace EdgeBroker.Http.Api;

/// <summary>Sessions: the list, one of them, and its end.</summary>
internal sealed class SessionEndpoints(BrokerView view, HistoryRing history, ApiScans scans, TimeProvider time)
{
    private const string Path = "/api/v1/sessions";
    private const int MostAtOnce = 1_000;

    private static readonly QueryParameter[] Filters =
    [
        new("q", "a part of client id, user or address"), new("client_id", "exactly this client id; up to 100 of them"),
        new("client", "client ids, with * and ?"), new("user", "with * and ?"),
        new("address", "an address, or a network as 10.0.0.0/8"), new("listener", "as configured"), new("state", "connected or disconnected"),
        new("protocol", "3.1.1, 5.0, coap or coaps"), new("transport", "tcp, tls, ws, wss or unix; udp or dtls"),
        new("topic", "who gets messages of this topic"),
        new("filter", "who has subscribed to exactly this filter, of which + is written %2B"),
        new("queue_messages_min", "messages that wait at least", "integer"), new("dropped_min", "messages dropped at least", "integer"),
        new("connected_after", "a time"),
        new("sort", "client_id, -client_id; or a top list: -connected_at, -queue_messages, -queue_bytes, -dropped_total, "
            + "-messages_received, -messages_sent, -in_per_second, "
            + "-out_per_second"),
    ];

    private readonly RowRates _rates = new(time);
    private readonly SessionRates _allRates = new(time);

    public IEnumerable<HttpEndpoint> Make()
    {
        yield return new HttpEndpoint(HttpSurfaces.Api | HttpSurfaces.Console, "GET", Path, EndpointAccess.Viewer, ListAsync)
        {
            Summary = "Sessions",
            Query = [.. Filters, .. Lists.Parameters],
            Answers = ApiJson.Default.ListAnswerSessionRow,
            IsList = true,
        };
        yield return new HttpEndpoint(HttpSurfaces.Api | HttpSurfaces.Console, "DELETE", Path, EndpointAccess.Operator, exchange =>
            Delete(exchange, exchange.Query("client_id") ?? throw HttpProblem.Parameter("client_id", null, "the client id")))
        {
            Summary = "Disconnect a client whose id does not fit into a path",
            Query = [new("client_id", "the client id"), .. DeleteParameters],
            Answers = ApiJson.Default.KickResult,
            Action = "session.kick",
        };
        yield return new HttpEndpoint(HttpSurfaces.Api | HttpSurfaces.Console, "POST", Path + "/delete", EndpointAccess.Admin, DeleteManyAsync)
        {
            Summary = "Disconnect or forget many sessions, as many as were seen",
            Takes = ApiJson.Default.BulkDeleteBody,
            Answers = ApiJson.Default.BulkResult,
            Action = "session.delete-many",
        };
        yield return new HttpEndpoint(HttpSurfaces.Api | HttpSurfaces.Console, "GET", Path + "/{client_id}", EndpointAccess.Viewer, exchange =>
            ShowAsync(exchange, exchange.Argument("client_id")))
        {
            Summary = "One session with all it holds; the ETag names its connection",
            Answers = ApiJson.Default.SessionAnswer,
        };
        yield return new HttpEndpoint(HttpSurfaces.Api | HttpSurfaces.Console, "DELETE", Path + "/{client_id}", EndpointAccess.Operator, exchange =>
            Delete(exchange, exchange.Argument("client_id")))
        {
            Summary = "Disconnect a client (0x98); with forget, end its session, too. If-Match hits only the connection that was seen",
            Query = DeleteParameters,
            Answers = ApiJson.Default.KickResult,
            Action = "session.kick",
        };
        yield return new HttpEndpoint(HttpSurfaces.Api | HttpSurfaces.Console, "GET", Path + "/{client_id}/subscriptions", EndpointAccess.Viewer,
            SubscriptionsAsync)
        {
            Summary = "The subscriptions of a session",
            Query = Lists.Parameters,
            Answers = ApiJson.Default.ListAnswerSubscriptionView,
            IsList = true,
        };
    }

    private static QueryParameter[] DeleteParameters =>
    [
        new("forget", "end the session, too (admin)", "boolean"), new("will", "publish: with forget, its will is published"),
        new("missing_ok", "one that is not there is no problem", "boolean"),
    ];

    private async Task ListAsync(Exchange exchange)
    {
        IReadOnlyList<string> ids = exchange.QueryAll("client_id");
        if (ids.Count > 100) throw HttpProblem.Parameter("client_id", null, "given at most 100 times");
        string? sort = exchange.QueryWord(
            "sort", "client_id", "-client_id", "-connected_at", "-queue_messages", "-queue_bytes", "-dropped_total", "-messages_received", "-messages_sent",
            "-in_per_second", "-out_per_second");
        SessionFilter filter = FilterOf(exchange);
        int limit = Lists.LimitOf(exchange);
        string? after = Lists.AfterOf(exchange);
        SessionRates.Pass? pass = sort is "-in_per_second" or "-out_per_second" ? _allRates.Begin() : null;
        Func<SessionSummary, double>? measure = pass is null ? MeasureOf(sort)
            : sort == "-in_per_second" ? row => pass.In(row) ?? 0 : row => pass.Out(row) ?? 0;
        if (measure is not null && after is not null) throw HttpProblem.Parameter("after", after, "left out: a top list has no further pages");
        Page<SessionSummary> page;
        if (ids.Count > 0 || exchange.Query("topic") is not null)
        {
            IEnumerable<string> wanted = ids.Count > 0 ? ids : SubscribersOf(exchange.Query("topic")!);
            SessionSummary[] found = [.. wanted.Distinct().Order(StringComparer.Ordinal).Select(id => view.SessionRow(id, filter)).OfType<SessionSummary>()];
            if (measure is not null) found = [.. found.OrderByDescending(measure)];
            page = Lists.PageOf(exchange, found, row => row.ClientId);
        }
        else
        {
            page = await scans.RunAsync(
                () => measure is not null ? view.TopSessions(filter, measure, limit)
                    : sort == "-client_id" ? view.SessionsDescending(filter, after, limit) : view.Sessions(filter, after, limit),
                exchange.Gone).ConfigureAwait(false);
        }

        Func<SessionSummary, SessionRow> show = pass is null ? row => _rates.With(new SessionRow(row))
            : row => new SessionRow(row) { InPerSecond = pass.In(row), OutPerSecond = pass.Out(row) };
        var rows = new Page<SessionRow>([.. page.Items.Select(show)], page.Next, page.Total);
        if (pass is not null) _allRates.Keep(pass);
        await Lists.AnswerAsync(exchange, rows, ApiJson.Default.ListAnswerSessionRow, time.GetUtcNow(), measure is not null).ConfigureAwait(false);
    }

    private IEnumerable<string> SubscribersOf(string topic) =>
        view.Subscribers(TopicText.Name(topic), null, Lists.MostRows).Items.Select(one => one.ClientId);

    private static Func<SessionSummary, double>? MeasureOf(string? sort) => sort switch
    {
        "-connected_at" => row => row.ConnectedAt?.ToUnixTimeMilliseconds() ?? 0,
        "-queue_messages" => row => row.QueueMessages,
        "-queue_bytes" => row => row.QueueBytes,
        "-dropped_total" => row => row.DroppedTotal,
        "-messages_received" => row => row.Traffic?.MessagesReceived ?? 0,
        "-messages_sent" => row => row.Traffic?.MessagesSent ?? 0,
        _ => null,
    };

    private static SessionFilter FilterOf(Exchange exchange) => new()
    {
        Text = exchange.Query("q") is { Length: > 0 } text ? text : null,
        ClientId = exchange.Query("client"),
        User = exchange.Query("user"),
        Address = exchange.QueryNetwork("address"),
        Listener = exchange.Query("listener"),
        Protocol = exchange.QueryWord("protocol", "3.1.1", "5.0", "coap", "coaps"),
        Transport = exchange.QueryWord("transport", "tcp", "tls", "ws", "wss", "unix", "udp", "dtls"),
        IsConnected = exchange.QueryWord("state", SessionSummary.Connected, SessionSummary.Disconnected) switch
        {
            null => null,
            { } state => state == SessionSummary.Connected,
        },
        QueueMessagesMin = exchange.QueryNumber("queue_messages_min", 0, 0, long.MaxValue),
        DroppedMin = exchange.QueryNumber("dropped_min", 0, 0, long.MaxValue),
        ConnectedAfter = exchange.QueryTime("connected_after"),
        Subscription = exchange.QueryFilter("filter"),
    };

    private Task ShowAsync(Exchange exchange, string clientId)
    {
        SessionDetail detail = view.Session(clientId) ?? throw NoSession(clientId);
        SessionAnswer answer = new(detail) { History = history.Of(clientId) };
        SessionRow rates = _rates.With(new SessionRow(detail.Summary));
        exchange.SetETag(detail.Summary.Connection!);
        return exchange.AnswerAsync(
            answer with { InPerSecond = rates.InPerSecond, OutPerSecond = rates.OutPerSecond }, ApiJson.Default.SessionAnswer);
    }

    private Task Delete(Exchange exchange, string clientId)
    {
        bool isForgotten = exchange.QueryFlag("forget");
        bool publishesWill = exchange.QueryWord("will", "publish") is not null;
        exchange.AuditTarget = clientId;
        exchange.AuditDetail = isForgotten ? "forget" : null;
        if (isForgotten && exchange.Caller.Role < HttpRole.Admin)
        {
            throw new HttpProblem(ProblemKind.RoleNeeded, "to forget a session needs the role admin") { Needs = "admin" };
        }

        string? condition = exchange.Context.Request.Headers.IfMatch;
        string? connection = string.IsNullOrEmpty(condition) || condition == "*" ? null : condition.Trim().Trim('"');
        KickOutcome outcome = view.Kick(clientId, isForgotten, publishesWill, connection);
        switch (outcome)
        {
            case KickOutcome.ChangedMeanwhile:
                throw new HttpProblem(ProblemKind.ChangedMeanwhile, "the client has another connection than the one that was seen");
            case KickOutcome.NotFound or KickOutcome.NotConnected when !exchange.QueryFlag("missing_ok"):
                throw outcome == KickOutcome.NotFound ? NoSession(clientId)
                    : new HttpProblem(ProblemKind.NoSuchSession, $"{Exchange.Short(clientId)} is not connected; forget=true ends its session");
            default:
                return exchange.AnswerAsync(
                    new KickResult(outcome is KickOutcome.Disconnected or KickOutcome.Forgotten, outcome == KickOutcome.Forgotten), ApiJson.Default.KickResult);
        }
    }

    private async Task DeleteManyAsync(Exchange exchange)
    {
        BulkDeleteBody body = await exchange.ReadJsonAsync(ApiJson.Default.BulkDeleteBody).ConfigureAwait(false);
        if (body.Filter is not ({ State: not null } or { ClientId: not null } or { User: not null }))
        {
            throw new HttpProblem(ProblemKind.InvalidBody, "the filter says nothing; { \"client_id\": \"*\" } means all sessions");
        }

        if (body.Filter.State is not (null or SessionSummary.Connected or SessionSummary.Disconnected))
        {
            throw new HttpProblem(ProblemKind.InvalidBody, "state is connected or disconnected");
        }

        var filter = new SessionFilter
        {
            ClientId = body.Filter.ClientId,
            User = body.Filter.User,
            IsConnected = body.Filter.State is null ? null : body.Filter.State == SessionSummary.Connected,
        };
        exchange.AuditDetail = $"client_id {body.Filter.ClientId ?? "*"}, user {body.Filter.User ?? "*"}, {body.Filter.State ?? "all"}, forget {body.Forget}";
        Page<SessionSummary> page = await scans.RunAsync(() => view.Sessions(filter, null, MostAtOnce), exchange.Gone).ConfigureAwait(false);
        if (page.Total != body.ExpectCount)
        {
            throw new HttpProblem(ProblemKind.CountDiffers, $"there are {page.Total} such sessions now") { Count = page.Total };
        }

        long deleted = page.Items.Count(row => view.Kick(row.ClientId, body.Forget, connection: row.Connection)
            is KickOutcome.Disconnected or KickOutcome.Forgotten);
        await exchange.AnswerAsync(new BulkResult(deleted), ApiJson.Default.BulkResult).ConfigureAwait(false);
    }

    private Task SubscriptionsAsync(Exchange exchange)
    {
        string clientId = exchange.Argument("client_id");
        SessionDetail detail = view.Session(clientId) ?? throw NoSession(clientId);
        return Lists.AnswerAsync(
            exchange, Lists.PageOf(exchange, detail.Subscriptions, one => one.Filter), ApiJson.Default.ListAnswerSubscriptionView, time.GetUtcNow());
    }

    private static HttpProblem NoSession(string clientId) => new(ProblemKind.NoSuchSession, $"there is no session of {Exchange.Short(clientId)}");
}
