using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using EdgeBroker.Core;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Retained;
using EdgeBroker.Http.Routing;
using EdgeBroker.Protocol;
using EdgeBroker.Transport.Listeners;
using Microsoft.AspNetCore.Http;

namespace EdgeBroker.Http.Publishing;

/// <summary>
/// Publishing over HTTP, and the values of topics. The same rights and limits as over MQTT hold; an answer to QoS 1 and 2 comes when the message is on disk
/// wherever somebody is owed it.
/// </summary>
internal sealed class PublishEndpoints(Broker broker, HttpClients clients, OnceOnly once, TimeProvider time)
{
    private const int MostAtOnce = 100;

    // A slow disk takes a second. One that is known to take nothing is not waited for much longer: who publishes over HTTP can ask again.
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan WaitForBadStore = TimeSpan.FromSeconds(2);

    private readonly MessageMaker _maker = new(broker);

    public IEnumerable<HttpEndpoint> Make()
    {
        yield return new HttpEndpoint(HttpSurfaces.Publish, "POST", "/publish", EndpointAccess.Rules, PublishAsync)
        {
            Summary = "Publish a message, or up to 100 of them in an array",
            Takes = HttpJson.Default.PublishBody,
            Answers = HttpJson.Default.PublishAnswer,
            MaxBodyBytes = MostBodyBytes,
            Action = "publish",
        };
        yield return new HttpEndpoint(HttpSurfaces.Publish, "POST", "/topics/{*topic}", EndpointAccess.Rules, PublishRawAsync)
        {
            Summary = "Publish the body as it is; an empty one with retain deletes the topic's value",
            Query = [new("qos", "0 to 2 (0)", "integer"), new("retain", "stays as the topic's value", "boolean"), new("expiry_seconds", "", "integer")],
            Answers = HttpJson.Default.PublishAnswer,
            MaxBodyBytes = () => broker.Options.MaxPacketSizeBytes,
            Action = "publish",
        };
        yield return new HttpEndpoint(HttpSurfaces.Publish, "GET", "/topics/{*topic}", EndpointAccess.Rules, ReadAsync)
        {
            Summary = "The retained value of a topic, as it was published",
            AnswersType = "application/octet-stream",
        };
    }

    /// <summary>Bytes of a message as JSON, at most: base64 takes a third more, and names and escapes take room.</summary>
    public int MostBodyBytes() => (int)Math.Min(int.MaxValue, (broker.Options.MaxPacketSizeBytes * 2L) + HttpEndpoint.UsualBodyBytes);

    /// <summary>Publishes in the name of whoever asks, and waits until it is acknowledged.</summary>
    /// <exception cref="HttpProblem">It is refused.</exception>
    public Task<PublishAnswer> PublishAsync(Exchange exchange, PublishBody body, CancellationToken cancel, RetainedCondition? condition = null) =>
        PublishAsync(exchange, _maker.Of(body), cancel, condition);

    /// <summary>A problem for MQTT's reason codes.</summary>
    public static HttpProblem ProblemOf(ReasonCode reason, string? cause)
    {
        (ProblemKind kind, string detail) = reason switch
        {
            ReasonCode.NotAuthorized => (ProblemKind.NotPermitted, cause ?? "not permitted"),
            ReasonCode.QuotaExceeded => (ProblemKind.Quota, cause ?? "a limit of the broker is reached"),
            ReasonCode.QoSNotSupported => (ProblemKind.InvalidParameter, "qos is above mqtt.max_qos"),
            ReasonCode.RetainNotSupported => (ProblemKind.InvalidParameter, "mqtt.retain is off"),
            ReasonCode.TopicNameInvalid => (ProblemKind.InvalidTopic, "the broker does not take this topic"),
            ReasonCode.TopicFilterInvalid => (ProblemKind.InvalidFilter, "the broker does not take this filter"),
            ReasonCode.PayloadFormatInvalid => (ProblemKind.InvalidBody, "the payload is not the UTF-8 that payload_format promises"),
            _ => (ProblemKind.StoreFailing, "the broker cannot take it now"),
        };
        return new HttpProblem(kind, detail)
        {
            ReasonCode = (int)reason,
            RetryAfterSeconds = kind == ProblemKind.Quota || kind == ProblemKind.StoreFailing ? 1 : null,
        };
    }

    private async Task PublishAsync(Exchange exchange)
    {
        string media = (exchange.Context.Request.ContentType ?? "").Split(';')[0].Trim();
        if (!media.Equals("application/json", StringComparison.OrdinalIgnoreCase))
        {
            throw new HttpProblem(ProblemKind.WrongType, "the body is application/json here; POST /topics/TOPIC takes any");
        }

        byte[] body = await exchange.ReadBodyAsync().ConfigureAwait(false);
        if (!IsArray(body))
        {
            PublishBody one = Parse(body, HttpJson.Default.PublishBody);
            exchange.AuditTarget = one.Topic;
            Message message = _maker.Of(one);
            await once.AnswerAsync(exchange, body, async cancel => JsonSerializer.SerializeToUtf8Bytes(
                await PublishAsync(exchange, message, cancel).ConfigureAwait(false), HttpJson.Default.PublishAnswer)).ConfigureAwait(false);
            return;
        }

        PublishBody[] several = Parse(body, HttpJson.Default.PublishBodyArray);
        await once.AnswerAsync(exchange, body, async cancel => JsonSerializer.SerializeToUtf8Bytes(
            await PublishAsync(exchange, several, cancel).ConfigureAwait(false), HttpJson.Default.PublishOutcomeAnswerArray)).ConfigureAwait(false);
    }

    private async Task<PublishOutcomeAnswer[]> PublishAsync(Exchange exchange, PublishBody[] several, CancellationToken cancel)
    {
        var outcomes = new PublishOutcomeAnswer[several.Length];
        for (int i = 0; i < several.Length; i++)
        {
            // In order: the next begins when the one before is done with.
            try
            {
                if (several[i] is null) throw new HttpProblem(ProblemKind.InvalidBody, "a message is null");
                PublishAnswer done = await PublishAsync(exchange, _maker.Of(several[i]), cancel).ConfigureAwait(false);
                outcomes[i] = new PublishOutcomeAnswer { Outcome = done.Outcome, ReasonCode = done.ReasonCode, Committed = done.Committed };
            }
            catch (HttpProblem problem)
            {
                outcomes[i] = new PublishOutcomeAnswer
                {
                    Outcome = "refused",
                    ReasonCode = problem.ReasonCode,
                    Type = problem.Kind.Type,
                    Status = problem.Kind.Status,
                    Detail = problem.Message,
                };
            }
        }

        return outcomes;
    }

    private async Task PublishRawAsync(Exchange exchange)
    {
        int qos = (int)exchange.QueryNumber("qos", 0, 0, 2);
        bool retain = exchange.QueryFlag("retain");
        uint? expiry = exchange.HasQuery("expiry_seconds") ? (uint)exchange.QueryNumber("expiry_seconds", 0, 1, uint.MaxValue) : null;
        string topic = exchange.Argument("topic");
        TopicText.Name(topic);
        byte[] body = await exchange.ReadBodyAsync().ConfigureAwait(false);
        Message message = _maker.Of(topic, body, exchange.Context.Request.ContentType, qos, retain, expiry);
        await once.AnswerAsync(exchange, body, async cancel => JsonSerializer.SerializeToUtf8Bytes(
            await PublishAsync(exchange, message, cancel).ConfigureAwait(false), HttpJson.Default.PublishAnswer)).ConfigureAwait(false);
    }

    private async Task<PublishAnswer> PublishAsync(Exchange exchange, Message message, CancellationToken cancel, RetainedCondition? condition = null)
    {
        LocalClient client = clients.Of(exchange);
        using var late = new CancellationTokenSource(IsStoreBad ? WaitForBadStore : LongestWait, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, late.Token);
        ReasonCode reason;
        try
        {
            reason = await client.PublishAsync(message, condition, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested)
        {
            throw StoreProblem();
        }

        if (condition is { HasFailed: true }) throw Exchange.Changed();
        if (!reason.IsError()) return new PublishAnswer("accepted", (int)reason, message.QoS != QoS.AtMostOnce);
        throw ProblemOf(reason, reason == ReasonCode.NotAuthorized ? WhyNot(exchange, message) : null);
    }

    private bool IsStoreBad => broker.Journal.Condition is JournalCondition.Full or JournalCondition.Failing;

    /// <summary>Why the store has not taken a message in time.</summary>
    private HttpProblem StoreProblem()
    {
        (ProblemKind kind, string why) = broker.Journal.Condition switch
        {
            JournalCondition.Full => (ProblemKind.StoreFull, broker.Journal.IsDiskFull ? Broker.DiskIsFull : Broker.StoreIsFull),
            JournalCondition.Failing => (ProblemKind.StoreFailing, Broker.StoreCannotBeWritten),
            _ => (ProblemKind.StoreFailing, "the store is behind with writing"),
        };
        return new HttpProblem(kind, why + "; the message may be there all the same once it can") { RetryAfterSeconds = 5 };
    }

    private static string WhyNot(Exchange exchange, Message message)
    {
        string who = exchange.Caller.Name.Length == 0 ? "an anonymous client" : exchange.Caller.Name;
        string topic = Exchange.Short(Encoding.UTF8.GetString(message.Topic));
        return message.Topic is [(byte)'$', ..] ? $"{topic} is the broker's own"
            : $"{who} may not publish to {topic}: {exchange.Caller.Identity.Permissions.JudgePublish(message.Topic, message.QoS, message.Retain).Cause}";
    }

    private Task ReadAsync(Exchange exchange)
    {
        string topic = TopicText.Name(exchange.Argument("topic"));
        byte[] bytes = Encoding.UTF8.GetBytes(topic);
        ReasonCode reason = clients.Of(exchange).TryReadRetained(bytes, out Message? message);
        if (reason.IsError())
        {
            throw ProblemOf(reason, $"{exchange.Caller.Name} may not read it: {exchange.Caller.Identity.Permissions.JudgeSubscribe(bytes).Cause}");
        }

        if (message is null) throw new HttpProblem(ProblemKind.NoRetainedValue, $"{Exchange.Short(topic)} has no retained value");
        IHeaderDictionary headers = exchange.Context.Response.Headers;
        headers["X-QoS"] = ((int)message.QoS).ToString(CultureInfo.InvariantCulture);
        // Whoever published it says what it is; it is not to act in the name of this site.
        headers.ContentSecurityPolicy = "default-src 'none'; sandbox";
        exchange.SetETag(Exchange.TagOf(message.Payload));
        return exchange.AnswerAsync(message.Payload, ContentTypeOf(message));
    }

    private static string ContentTypeOf(Message message)
    {
        const string Unknown = "application/octet-stream";
        if (!PropertyBlock.TryRead(message.Properties, out PropertyBlock properties)) return Unknown;
        string stated = Encoding.UTF8.GetString(properties.GetValue(PropertyId.ContentType));
        return stated.Length is > 0 and <= 200 && stated.All(c => c is >= ' ' and <= '~') && MediaTypeHeaderValue.TryParse(stated, out _) ? stated : Unknown;
    }

    private static bool IsArray(byte[] body)
    {
        try
        {
            return BodyBounds.IsArray(body, MostAtOnce);
        }
        catch (JsonException)
        {
            throw new HttpProblem(ProblemKind.InvalidBody, "the body is no message as JSON");
        }
    }

    private static T Parse<T>(byte[] body, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
    {
        try
        {
            return JsonSerializer.Deserialize(body, type) ?? throw new HttpProblem(ProblemKind.InvalidBody, "the body is null");
        }
        catch (JsonException exception)
        {
            throw new HttpProblem(ProblemKind.InvalidBody, "the body is no message as JSON" + (exception.Path is { Length: > 0 } path ? $" at {path}" : ""));
        }
    }
}
