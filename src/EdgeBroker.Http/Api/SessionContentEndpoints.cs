using System.Text;
using System.Text.Unicode;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Management;
using EdgeBroker.Http.Access;
using EdgeBroker.Http.Routing;
using EdgeBroker.Transport.Listeners;

namespace EdgeBroker.Http.Api;

/// <summary>A message that waits for a client.</summary>
/// <param name="Position">Its place, the next to go being the first.</param>
/// <param name="Topic">Its topic; null: the message is on disk, and not in memory.</param>
/// <param name="Qos">QoS of the delivery.</param>
/// <param name="Retain">RETAIN of the delivery.</param>
/// <param name="SizeBytes">What it counts in the queue's bounds.</param>
/// <param name="QueuedAt">Since when it waits.</param>
public sealed record WaitingAnswer(int Position, string? Topic, int Qos, bool Retain, int SizeBytes, DateTimeOffset QueuedAt)
{
    /// <summary>When it expires; null: never.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>Bytes of its payload; null: it is not in memory.</summary>
    public int? PayloadBytes { get; init; }

    /// <summary>The payload, where it is text and may be seen.</summary>
    public string? Payload { get; init; }

    /// <summary>The payload, where it is not text and may be seen.</summary>
    public string? PayloadBase64 { get; init; }

    /// <summary>Whether only the payload's beginning is shown.</summary>
    public bool? PayloadTruncated { get; init; }
}

/// <summary>How many were dropped.</summary>
/// <param name="PurgedCount">Messages.</param>
public sealed record PurgeResult(int PurgedCount);

/// <summary>Whether something was taken away.</summary>
/// <param name="Removed">True.</param>
/// <param name="Committed">Whether the disk knows of it, too.</param>
public sealed record RemovalResult(bool Removed, bool Committed);

/// <summary>What a session holds, and how it is taken away from it: its queue, its subscriptions.</summary>
internal sealed class SessionContentEndpoints(BrokerView view, TimeProvider time)
{
    private const HttpSurfaces Surfaces = HttpSurfaces.Api | HttpSurfaces.Console;
    private const string Session = "/api/v1/sessions/{client_id}";
    private const int MostPayloadBytes = 1024 * 1024;

    // Of all rows together: an answer is made in memory.
    private const int MostShownBytes = 4 * 1024 * 1024;

    public IEnumerable<HttpEndpoint> Make()
    {
        yield return new HttpEndpoint(Surfaces, "GET", Session + "/queue", EndpointAccess.Operator, ListAsync)
        {
            Summary = "The messages that wait for a client, the next to go first; payloads as far as the caller may read them",
            Query =
            [
                new("limit", "rows, 1 to 1000 (50)", "integer"), new("fields", "members of a row, with commas between"),
                new("payload_limit_bytes", "payload shown at most, up to 1 MB (0: none)", "integer"),
            ],
            Answers = ApiJson.Default.ListAnswerWaitingAnswer,
            IsList = true,
        };
        yield return new HttpEndpoint(Surfaces, "DELETE", Session + "/queue", EndpointAccess.Admin, PurgeAsync)
        {
            Summary = "Throw away what waits for a client; what is sent and not acknowledged stays",
            Query = [new("expect_count", "messages that were seen; with another number nothing is done", "integer")],
            Answers = ApiJson.Default.PurgeResult,
            Action = "session.purge",
        };
        yield return new HttpEndpoint(Surfaces, "DELETE", Session + "/subscriptions", EndpointAccess.Operator, RemoveAsync)
        {
            Summary = "Take a subscription away from a client, who is not told",
            Query = [new("filter", "the filter, $share/group/ included, of which + is written %2B")],
            Answers = ApiJson.Default.RemovalResult,
            Action = "subscription.remove",
        };
    }

    /// <summary>Waits until the disk knows of it, but not for ever.</summary>
    public static async ValueTask<bool> IsDoneSoonAsync(Completion? completion, TimeProvider time)
    {
        if (completion is null or { IsDone: true }) return true;
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        completion.WhenDone(() => done.TrySetResult());
        try
        {
            // A slow disk takes a second.
            await done.Task.WaitAsync(TimeSpan.FromSeconds(5), time).ConfigureAwait(false);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private Task ListAsync(Exchange exchange)
    {
        string clientId = exchange.Argument("client_id");
        int most = (int)exchange.QueryNumber("payload_limit_bytes", 0, 0, MostPayloadBytes);
        Page<WaitingView> queue = view.Queue(clientId, Lists.LimitOf(exchange)) ?? throw NoSession(clientId);
        int rest = MostShownBytes;
        var rows = new List<WaitingAnswer>(queue.Items.Count);
        foreach (WaitingView one in queue.Items) rows.Add(Show(one, exchange.Caller, most, ref rest));
        return Lists.AnswerAsync(
            exchange, new Page<WaitingAnswer>(rows, null, queue.Total), ApiJson.Default.ListAnswerWaitingAnswer, time.GetUtcNow(), isTop: true);
    }

    private static WaitingAnswer Show(WaitingView one, Caller caller, int most, ref int rest)
    {
        var row = new WaitingAnswer(one.Position, one.Topic, one.Qos, one.Retain, one.SizeBytes, one.QueuedAt)
        {
            ExpiresAt = one.ExpiresAt,
            PayloadBytes = one.Payload?.Length,
        };
        if (most == 0 || one is not { Payload: { } payload, Topic: { } topic }) return row;
        if (caller.Role < HttpRole.Admin && !caller.Identity.Permissions.MaySubscribe(Encoding.UTF8.GetBytes(topic))) return row;
        bool isText = Utf8.IsValid(payload);
        most = Math.Min(most, rest);
        ReadOnlySpan<byte> shown = isText ? Protocol.Utf8Text.Cut(payload, most) : payload.AsSpan(0, Math.Min(most, payload.Length));
        rest -= shown.Length;
        return row with
        {
            Payload = isText ? Encoding.UTF8.GetString(shown) : null,
            PayloadBase64 = isText ? null : Convert.ToBase64String(shown),
            PayloadTruncated = shown.Length < payload.Length ? true : null,
        };
    }

    private Task PurgeAsync(Exchange exchange)
    {
        string clientId = exchange.Argument("client_id");
        if (exchange.HasQuery("expect_count"))
        {
            long waiting = (view.Queue(clientId, 0) ?? throw NoSession(clientId)).Total;
            if (waiting != exchange.QueryNumber("expect_count", 0, 0, int.MaxValue))
            {
                throw new HttpProblem(ProblemKind.CountDiffers, $"there are {waiting} messages now") { Count = waiting };
            }
        }

        int purged = view.PurgeQueue(clientId) ?? throw NoSession(clientId);
        exchange.AuditDetail = $"{purged} messages";
        return exchange.AnswerAsync(new PurgeResult(purged), ApiJson.Default.PurgeResult);
    }

    private async Task RemoveAsync(Exchange exchange)
    {
        string clientId = exchange.Argument("client_id");
        string filter = exchange.QueryFilter("filter") ?? throw HttpProblem.Parameter("filter", null, "the filter");
        exchange.AuditDetail = filter;
        switch (view.RemoveSubscription(clientId, filter, out Completion? completion))
        {
            case null: throw NoSession(clientId);
            case false: throw new HttpProblem(ProblemKind.NoSuchSubscription, $"{Exchange.Short(clientId)} has no subscription {Exchange.Short(filter)}");
        }

        bool isCommitted = await IsDoneSoonAsync(completion, time).ConfigureAwait(false);
        await exchange.AnswerAsync(new RemovalResult(true, isCommitted), ApiJson.Default.RemovalResult).ConfigureAwait(false);
    }

    private static HttpProblem NoSession(string clientId) => new(ProblemKind.NoSuchSession, $"there is no session of {Exchange.Short(clientId)}");
}
