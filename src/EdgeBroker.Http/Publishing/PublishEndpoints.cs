using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using EdgeBroker.Core;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Retained;
using EdgeBroker.Http.Access;
using EdgeBroker.Http.Routing;
using EdgeBroker.Protocol;
using EdgeBroker.Transport.Listeners;
using Microsoft.AspNetCore.Http;

namespace EdgeBroker.Http.Publishing;

/// <summary>
/// Publishing over HTTP, and the values of topics. The same rights and limits as over MQTT hold; an answer to QoS 1 and 2 comes when the message is on disk
/// wherever somebody is owed it.
/// </summary>
internal sealed class PublishEndpoints(Broker broker, HttpClients clients, OnceOnly once, StoreWait wait)
{
    private const int MostAtOnce = 100;

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

    /// <summary>Publishes in the name of whoever asks, and waits until it is acknowledged, for as long as a request waits for the store.</summary>
    /// <exception cref="HttpProblem">It is refused, or not acknowledged in time.</exception>
    public Task<PublishAnswer> PublishAsync(Exchange exchange, PublishBody body, RetainedCondition condition) =>
        wait.WithinAsync(exchange, cancel => PublishAsync(exchange.Caller, clients.Of(exchange), _maker.Of(body), cancel, condition));

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
            await AnswerAsync(exchange, body, _maker.Of(one)).ConfigureAwait(false);
            return;
        }

        PublishBody[] several = Parse(body, HttpJson.Default.PublishBodyArray);
        (Caller caller, LocalClient client) = (exchange.Caller, clients.Of(exchange));
        await once.AnswerAsync(exchange, body, async cancel => JsonSerializer.SerializeToUtf8Bytes(
            await PublishAsync(caller, client, several, cancel).ConfigureAwait(false), HttpJson.Default.PublishOutcomeAnswerArray)).ConfigureAwait(false);
    }

    private Task AnswerAsync(Exchange exchange, byte[] body, Message message)
    {
        // Found out now: the request may have ended before the message is published.
        (Caller caller, LocalClient client) = (exchange.Caller, clients.Of(exchange));
        return once.AnswerAsync(exchange, body, async cancel => JsonSerializer.SerializeToUtf8Bytes(
            await PublishAsync(caller, client, message, cancel).ConfigureAwait(false), HttpJson.Default.PublishAnswer));
    }

    private async Task<PublishOutcomeAnswer[]> PublishAsync(Caller caller, LocalClient client, PublishBody[] several, CancellationToken cancel)
    {
        var outcomes = new PublishOutcomeAnswer[several.Length];
        for (int i = 0; i < several.Length; i++)
        {
            // In order: the next begins when the one before is done with. Once the time is up none begins: what is said to be refused must not be there.
            try
            {
                if (cancel.IsCancellationRequested) throw wait.Problem(StoreWait.NotTried);
                if (several[i] is null) throw new HttpProblem(ProblemKind.InvalidBody, "a message is null");
                PublishAnswer done = await PublishAsync(caller, client, _maker.Of(several[i]), cancel).ConfigureAwait(false);
                outcomes[i] = new PublishOutcomeAnswer { Outcome = done.Outcome, ReasonCode = done.ReasonCode, Committed = done.Committed };
            }
            catch (HttpProblem problem)
            {
                outcomes[i] = OutcomeOf("refused", problem);
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                outcomes[i] = OutcomeOf("unknown", wait.Problem(StoreWait.MayBeThere));
            }
        }

        return outcomes;
    }

    private static PublishOutcomeAnswer OutcomeOf(string outcome, HttpProblem problem) => new()
    {
        Outcome = outcome,
        ReasonCode = problem.ReasonCode,
        Type = problem.Kind.Type,
        Status = problem.Kind.Status,
        Detail = problem.Message,
    };

    private async Task PublishRawAsync(Exchange exchange)
    {
        int qos = (int)exchange.QueryNumber("qos", 0, 0, 2);
        bool retain = exchange.QueryFlag("retain");
        uint? expiry = exchange.HasQuery("expiry_seconds") ? (uint)exchange.QueryNumber("expiry_seconds", 0, 1, uint.MaxValue) : null;
        string topic = exchange.Argument("topic");
        TopicText.Name(topic);
        byte[] body = await exchange.ReadBodyAsync().ConfigureAwait(false);
        Message message = _maker.Of(topic, body, exchange.Context.Request.ContentType, qos, retain, expiry);
        await AnswerAsync(exchange, body, message).ConfigureAwait(false);
    }

    private async Task<PublishAnswer> PublishAsync(
        Caller caller, LocalClient client, Message message, CancellationToken cancel, RetainedCondition? condition = null)
    {
        ReasonCode reason = await client.PublishAsync(message, condition, cancel).ConfigureAwait(false);
        if (condition is { HasFailed: true }) throw Exchange.Changed();
        if (!reason.IsError()) return new PublishAnswer("accepted", (int)reason, message.QoS != QoS.AtMostOnce);
        if (reason == ReasonCode.QuotaExceeded && wait.IsStoreBad) throw wait.Problem(StoreWait.Refused, reason);
        throw ProblemOf(reason, reason == ReasonCode.NotAuthorized ? WhyNot(caller, message) : null);
    }

    private static string WhyNot(Caller caller, Message message)
    {
        string who = caller.Name.Length == 0 ? "an anonymous client" : caller.Name;
        string topic = Exchange.Short(Encoding.UTF8.GetString(message.Topic));
        return message.Topic is [(byte)'$', ..] ? $"{topic} is the broker's own"
            : $"{who} may not publish to {topic}: {caller.Identity.Permissions.JudgePublish(message.Topic, message.QoS, message.Retain).Cause}";
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
