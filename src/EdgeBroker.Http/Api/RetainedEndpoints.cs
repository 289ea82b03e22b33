using System.Text;
using System.Text.Unicode;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Management;
using EdgeBroker.Core.Retained;
using EdgeBroker.Http.Access;
using EdgeBroker.Http.Publishing;
using EdgeBroker.Http.Routing;
using EdgeBroker.Protocol;
using EdgeBroker.Transport.Listeners;

namespace EdgeBroker.Http.Api;

/// <summary>A retained message with its payload.</summary>
/// <param name="Topic">Its topic.</param>
/// <param name="Qos">Its QoS.</param>
/// <param name="PayloadBytes">Bytes of its payload.</param>
public sealed record RetainedAnswer(string Topic, int Qos, int PayloadBytes)
{
    /// <summary>In how many seconds it expires; null: never.</summary>
    public long? ExpiresInSeconds { get; init; }

    /// <summary>The payload, where it is text.</summary>
    public string? Payload { get; init; }

    /// <summary>The payload, where it is not.</summary>
    public string? PayloadBase64 { get; init; }

    /// <summary>Whether only its beginning is shown.</summary>
    public bool? PayloadTruncated { get; init; }

    /// <summary><c>utf-8</c> where its publisher says so.</summary>
    public string? PayloadFormat { get; init; }

    /// <summary>The content type.</summary>
    public string? ContentType { get; init; }

    /// <summary>Where an answer goes.</summary>
    public string? ResponseTopic { get; init; }

    /// <summary>What an answer is told by.</summary>
    public string? CorrelationDataBase64 { get; init; }

    /// <summary>User properties, as pairs.</summary>
    public IReadOnlyList<IReadOnlyList<string>>? UserProperties { get; init; }

    /// <summary>The same with the properties a message has.</summary>
    internal RetainedAnswer With(byte[] encoded)
    {
        if (!PropertyBlock.TryRead(encoded, out PropertyBlock properties) || properties.IsEmpty) return this;
        List<IReadOnlyList<string>>? pairs = null;
        foreach (Property property in properties)
        {
            if (property.Id == PropertyId.UserProperty) (pairs ??= []).Add([Encoding.UTF8.GetString(property.Name), Encoding.UTF8.GetString(property.Value)]);
        }

        return this with
        {
            PayloadFormat = properties.GetNumber(PropertyId.PayloadFormatIndicator, 0) == 1 ? "utf-8" : null,
            ContentType = properties.Has(PropertyId.ContentType) ? Encoding.UTF8.GetString(properties.GetValue(PropertyId.ContentType)) : null,
            ResponseTopic = properties.Has(PropertyId.ResponseTopic) ? Encoding.UTF8.GetString(properties.GetValue(PropertyId.ResponseTopic)) : null,
            CorrelationDataBase64 = properties.Has(PropertyId.CorrelationData)
                ? Convert.ToBase64String(properties.GetValue(PropertyId.CorrelationData)) : null,
            UserProperties = pairs,
        };
    }
}

/// <summary>A value to be set, as publishing has it but for what the request says already: topic and retain.</summary>
public sealed record RetainedPutBody
{
    /// <summary>The payload as text.</summary>
    public string? Payload { get; init; }

    /// <summary>The payload as bytes.</summary>
    public string? PayloadBase64 { get; init; }

    /// <summary>The QoS, 0 to 2.</summary>
    public int Qos { get; init; }

    /// <summary>The content type.</summary>
    public string? ContentType { get; init; }

    /// <summary>Where an answer goes.</summary>
    public string? ResponseTopic { get; init; }

    /// <summary>What an answer is told by.</summary>
    public string? CorrelationDataBase64 { get; init; }

    /// <summary>After how many seconds it is of no more use.</summary>
    public uint? ExpirySeconds { get; init; }

    /// <summary><c>utf-8</c>, or <c>bytes</c>.</summary>
    public string? PayloadFormat { get; init; }

    /// <summary>User properties, as pairs.</summary>
    public IReadOnlyList<IReadOnlyList<string>>? UserProperties { get; init; }

    internal PublishBody For(string topic) => new()
    {
        Topic = topic,
        Payload = Payload,
        PayloadBase64 = PayloadBase64,
        Qos = Qos,
        Retain = true,
        ContentType = ContentType,
        ResponseTopic = ResponseTopic,
        CorrelationDataBase64 = CorrelationDataBase64,
        ExpirySeconds = ExpirySeconds,
        PayloadFormat = PayloadFormat,
        UserProperties = UserProperties,
    };
}

/// <summary>Which retained messages are to be deleted.</summary>
/// <param name="Filter">The topic filter they match.</param>
/// <param name="ExpectCount">How many the caller has seen.</param>
public sealed record RetainedDeleteBody(string Filter, long ExpectCount);

/// <summary>What became of a deletion.</summary>
/// <param name="Deleted">Whether there was something to delete.</param>
/// <param name="Committed">Whether the disk has forgotten it, too.</param>
public sealed record DeleteResult(bool Deleted, bool Committed);

/// <summary>Retained messages: the list, one of them, and its deletion. Payloads are for operators, as far as rules let them read.</summary>
internal sealed class RetainedEndpoints(BrokerView view, PublishEndpoints publishing, ApiScans scans, TimeProvider time)
{
    private const HttpSurfaces Surfaces = HttpSurfaces.Api | HttpSurfaces.Console;
    private const string Path = "/api/v1/retained";
    private const int MostAtOnce = 1_000;
    private const int MostPayloadBytes = 1024 * 1024;

    public IEnumerable<HttpEndpoint> Make()
    {
        yield return new HttpEndpoint(Surfaces, "GET", Path, EndpointAccess.Viewer, exchange =>
            exchange.Query("topic") is { } topic ? ShowAsync(exchange, topic) : ListAsync(exchange))
        {
            Summary = "Retained messages, without payloads; with topic, that one",
            Query =
            [
                new("filter", "a topic filter, of which + is written %2B"), new("q", "a part of the topic"), new("topic", "exactly this topic"),
                new("payload_limit_bytes", "payload shown at most", "integer"), .. Lists.Parameters,
            ],
            Answers = ApiJson.Default.ListAnswerRetainedSummary,
            IsList = true,
        };
        yield return new HttpEndpoint(Surfaces, "DELETE", Path, EndpointAccess.Operator, exchange =>
            DeleteAsync(exchange, exchange.Query("topic") ?? throw HttpProblem.Parameter("topic", null, "the topic")))
        {
            Summary = "Delete the value of a topic that does not fit into a path",
            Query = [new("topic", "the topic")],
            Answers = ApiJson.Default.DeleteResult,
            Action = "retained.delete",
        };
        yield return new HttpEndpoint(Surfaces, "PUT", Path, EndpointAccess.Operator, exchange =>
            PutAsync(exchange, exchange.Query("topic") ?? throw HttpProblem.Parameter("topic", null, "the topic")))
        {
            Summary = "Set the value of a topic that does not fit into a path",
            Query = [new("topic", "the topic")],
            Takes = ApiJson.Default.RetainedPutBody,
            Answers = HttpJson.Default.PublishAnswer,
            MaxBodyBytes = publishing.MostBodyBytes,
            Action = "retained.set",
        };
        yield return new HttpEndpoint(Surfaces, "POST", Path + "/delete", EndpointAccess.Admin, DeleteManyAsync)
        {
            Summary = "Delete the values that match a filter, as many as were seen",
            Takes = ApiJson.Default.RetainedDeleteBody,
            Answers = ApiJson.Default.BulkResult,
            Action = "retained.delete-many",
        };
        yield return new HttpEndpoint(Surfaces, "GET", Path + "/{topic}", EndpointAccess.Viewer, exchange => ShowAsync(exchange, exchange.Argument("topic")))
        {
            Summary = "One retained message; its payload for operators",
            Query = [new("payload_limit_bytes", "payload shown at most, up to 1 MB", "integer")],
            Answers = ApiJson.Default.RetainedAnswer,
        };
        yield return new HttpEndpoint(Surfaces, "DELETE", Path + "/{topic}", EndpointAccess.Operator, exchange => DeleteAsync(exchange,
            exchange.Argument("topic")))
        {
            Summary = "Delete the value of a topic; subscribers get an empty message. If-Match hits only the value that was seen",
            Answers = ApiJson.Default.DeleteResult,
            Action = "retained.delete",
        };
        yield return new HttpEndpoint(Surfaces, "PUT", Path + "/{topic}", EndpointAccess.Operator, exchange => PutAsync(exchange, exchange.Argument("topic")))
        {
            Summary = "Set the value of a topic by a publish in the caller's name; with If-None-Match: *, only where there is none",
            Takes = ApiJson.Default.RetainedPutBody,
            Answers = HttpJson.Default.PublishAnswer,
            MaxBodyBytes = publishing.MostBodyBytes,
            Action = "retained.set",
        };
    }

    private async Task ListAsync(Exchange exchange)
    {
        string filter = exchange.QueryFilter("filter") ?? "#";
        string? text = exchange.Query("q");
        string? after = Lists.AfterOf(exchange);
        int limit = Lists.LimitOf(exchange);
        Page<RetainedSummary> page = await scans.RunAsync(() => view.Retained(filter, after, limit, text), exchange.Gone).ConfigureAwait(false);
        await Lists.AnswerAsync(exchange, page, ApiJson.Default.ListAnswerRetainedSummary, time.GetUtcNow()).ConfigureAwait(false);
    }

    private Task ShowAsync(Exchange exchange, string topic)
    {
        RetainedValue value = Find(topic);
        byte[] payload = value.Payload;
        exchange.SetETag(Exchange.TagOf(payload));
        var answer = new RetainedAnswer(topic, value.Qos, payload.Length) { ExpiresInSeconds = value.ExpiresInSeconds };
        bool maySee = exchange.Caller.Role == HttpRole.Admin
            || (exchange.Caller.Role == HttpRole.Operator && exchange.Caller.Identity.Permissions.MaySubscribe(Encoding.UTF8.GetBytes(topic)));
        if (maySee)
        {
            int most = (int)exchange.QueryNumber("payload_limit_bytes", 1024, 0, MostPayloadBytes);
            ReadOnlySpan<byte> shown = payload.AsSpan(0, Math.Min(most, payload.Length));
            bool isText = Utf8.IsValid(payload);
            if (isText) shown = Protocol.Utf8Text.Cut(payload, most);
            answer = answer with
            {
                Payload = isText ? Encoding.UTF8.GetString(shown) : null,
                PayloadBase64 = isText ? null : Convert.ToBase64String(shown),
                PayloadTruncated = shown.Length < payload.Length ? true : null,
            };
            answer = answer.With(value.Properties);
        }

        return exchange.AnswerAsync(answer, ApiJson.Default.RetainedAnswer);
    }

    private async Task DeleteAsync(Exchange exchange, string topic)
    {
        exchange.AuditTarget = topic;
        TopicText.Name(topic);
        // In the moment of the deletion: a value that comes just before it is not the one that was seen.
        var condition = new RetainedCondition(present => present is not null && exchange.Matches(Exchange.TagOf(present.Payload)));
        if (!view.DeleteRetained(topic, condition, out Completion? completion)) throw condition.HasFailed ? Exchange.Changed() : NoValue(topic);
        bool isCommitted = await SessionContentEndpoints.IsDoneSoonAsync(completion, time).ConfigureAwait(false);
        await exchange.AnswerAsync(new DeleteResult(true, isCommitted), ApiJson.Default.DeleteResult).ConfigureAwait(false);
    }

    private async Task PutAsync(Exchange exchange, string topic)
    {
        TopicText.Name(topic);
        exchange.AuditTarget = topic;
        RetainedPutBody body = await exchange.ReadJsonAsync(ApiJson.Default.RetainedPutBody).ConfigureAwait(false);
        PublishBody value = body.For(topic);
        bool isEmpty = value is { Payload: null or "", PayloadBase64: null or "" };
        if (isEmpty) throw new HttpProblem(ProblemKind.InvalidBody, "a value has a payload; DELETE takes one away");
        bool onlyIfNone = exchange.Context.Request.Headers.IfNoneMatch.Count > 0;
        // In the moment in which it becomes the value, so that of two who put at once only one has seen none.
        var condition = new RetainedCondition(present =>
            (!onlyIfNone || present is null) && exchange.Matches(present is null ? "none" : Exchange.TagOf(present.Payload)));
        PublishAnswer answer = await publishing.PublishAsync(exchange, value, condition).ConfigureAwait(false);
        await exchange.AnswerAsync(answer, HttpJson.Default.PublishAnswer).ConfigureAwait(false);
    }

    private async Task DeleteManyAsync(Exchange exchange)
    {
        RetainedDeleteBody body = await exchange.ReadJsonAsync(ApiJson.Default.RetainedDeleteBody).ConfigureAwait(false);
        if (!TopicText.IsFilter(body.Filter)) throw new HttpProblem(ProblemKind.InvalidFilter, "filter is no topic filter");
        exchange.AuditTarget = body.Filter;
        Page<RetainedSummary> page = await scans.RunAsync(() => view.Retained(body.Filter, null, MostAtOnce), exchange.Gone).ConfigureAwait(false);
        if (page.Total != body.ExpectCount)
        {
            throw new HttpProblem(ProblemKind.CountDiffers, $"there are {page.Total} such values now") { Count = page.Total };
        }

        long deleted = page.Items.Count(one => view.DeleteRetained(one.Topic, out _));
        await exchange.AnswerAsync(new BulkResult(deleted), ApiJson.Default.BulkResult).ConfigureAwait(false);
    }

    private RetainedValue Find(string topic) => view.RetainedValueOf(TopicText.Name(topic)) ?? throw NoValue(topic);

    private static HttpProblem NoValue(string topic) => new(ProblemKind.NoRetainedValue, $"{Exchange.Short(topic)} has no retained value");
}
