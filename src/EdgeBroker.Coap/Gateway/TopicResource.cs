using System.Text;
using System.Text.Unicode;
using EdgeBroker.Coap.Codec;
using EdgeBroker.Coap.Messages;
using EdgeBroker.Coap.Resources;
using EdgeBroker.Core;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Retained;
using EdgeBroker.Protocol;

namespace EdgeBroker.Coap.Gateway;

/// <summary>
/// <c>/ps/...</c>: topics of the broker. PUT publishes and retains, POST publishes, GET reads what is retained or observes, DELETE clears; FETCH reads several.
/// </summary>
/// <param name="broker">The broker.</param>
/// <param name="door">Lets peers in.</param>
/// <param name="executor">Where what is answered later is answered.</param>
/// <param name="durables">The observations that outlive their observer's association.</param>
internal sealed partial class TopicResource(Broker broker, CoapDoor door, ISerialExecutor executor, DurableObservations durables) : IResource
{
    /// <summary>Messages that wait for an observer who gets every one.</summary>
    internal const int QueuedMessages = 100;

    /// <summary>Their bytes.</summary>
    internal const long QueuedBytes = 256 * 1024;

    private const int LatestTopics = 1_000;

    /// <summary>What discovery says of it.</summary>
    public static readonly Link Link = new() { Attributes = [("rt", "core.ps.data"), ("title", "topics: /ps/LEVEL/LEVEL"), ("obs", null)] };

    private long _observers;

    /// <inheritdoc/>
    public void Handle(PendingRequest pending)
    {
        CoapRequest request = pending.Request;
        if (request.Path.Count == 1)
        {
            HandleRoot(pending);
            return;
        }

        if (!TopicPath.TryRead(request.Path, out string topic, out bool isFilter, out string why)
            || !TopicQuery.TryRead(request.Query, out TopicQuery query, out why))
        {
            pending.Refuse(CoapCode.BadRequest, why);
            return;
        }

        Action<PendingRequest, CoapClient>? act = null;
        if (request.Method == CoapCode.Get) act = (one, client) => Read(one, client, topic, isFilter, query);
        else if (request.Method == CoapCode.Put) act = (one, client) => Put(one, client, topic, query);
        else if (request.Method == CoapCode.Post) act = (one, client) => Publish(one, client, topic, query, query.Retain ?? false);
        else if (request.Method == CoapCode.Delete) act = (one, client) => Delete(one, client, topic, query);
        if (act is null) pending.Refuse(CoapCode.MethodNotAllowed, "topics take GET, PUT, POST and DELETE; /ps takes FETCH");
        else if (isFilter && !pending.WantsToObserve) pending.Refuse(CoapCode.BadRequest, "only an observer may name several topics");
        else door.Enter(pending, query, act);
    }

    private static byte[] Bytes(string topic) => Encoding.UTF8.GetBytes(topic);

    private void Read(PendingRequest pending, CoapClient client, string topic, bool isFilter, TopicQuery query)
    {
        if (isFilter)
        {
            if (pending.Request.Accept != ContentFormats.Cbor) pending.Refuse(CoapCode.NotAcceptable, "several topics come as CBOR: Accept 60");
            else Observe(pending, client, topic, isFilter, query);
        }
        else if (pending.WantsToObserve)
        {
            Observe(pending, client, topic, isFilter, query);
        }
        else if (TryFind(pending, client, topic, out Message? message))
        {
            RespondWith(pending, message, topic);
        }
    }

    /// <summary>Looks for the retained message; false: the request was refused.</summary>
    private static bool TryFind(PendingRequest pending, CoapClient client, string topic, out Message? message)
    {
        // A longer one would be copied, and its ETag computed, for each of its blocks.
        ReasonCode reason = client.Publisher.TryReadRetained(Bytes(topic), out message, client.Server.Layer.Limits.MaxBodyBytes);
        if (reason == ReasonCode.Success) return true;
        if (reason == ReasonCode.PacketTooLarge) pending.Refuse(CoapCode.RequestEntityTooLarge, TopicObserved.TooLong);
        else pending.Refuse(CoapCode.Forbidden, "not permitted to read this topic");
        return false;
    }

    private void RespondWith(PendingRequest pending, Message? message, string topic)
    {
        if (message is null)
        {
            pending.Refuse(CoapCode.NotFound, "no value of " + topic);
            return;
        }

        CoapResponse state = MessageContent.ToResponse(message, broker.Clock.NowMs);
        if (!Accepts(pending.Request, state)) pending.Refuse(CoapCode.NotAcceptable, NotThatFormat(state));
        else if (IsKnown(pending.Request, state)) pending.Respond(new CoapResponse(CoapCode.Valid) { ETag = state.ETag, MaxAge = state.MaxAge });
        else pending.Respond(state);
    }

    private static bool Accepts(CoapRequest request, CoapResponse state) =>
        request.Accept is not { } accept || accept == (state.ContentFormat ?? ContentFormats.OctetStream);

    private static string NotThatFormat(CoapResponse state) => $"the value has Content-Format {state.ContentFormat ?? ContentFormats.OctetStream}";

    private static bool IsKnown(CoapRequest request, CoapResponse state) => request.ETags.Any(known => known.AsSpan().SequenceEqual(state.ETag));

    private void Put(PendingRequest pending, CoapClient client, string topic, TopicQuery query)
    {
        if (query.Retain == false)
        {
            Publish(pending, client, topic, query, retain: false);
        }
        else if (pending.Request.Payload.Length == 0)
        {
            pending.Refuse(CoapCode.BadRequest, "an empty value is none: DELETE clears one");
        }
        else
        {
            Message? former = null;
            var condition = new RetainedCondition(present => Holds(pending.Request, former = present));
            Publish(pending, client, topic, query, retain: true, () => former is null ? CoapCode.Created : CoapCode.Changed, condition, () =>
                pending.Refuse(CoapCode.PreconditionFailed, former is null ? "there is no value" : "there is another value"));
        }
    }

    private static bool Holds(CoapRequest request, Message? present)
    {
        if (request.IfNoneMatch && present is not null) return false;
        if (request.IfMatch.Count == 0) return true;
        if (present is null) return false;
        byte[] etag = MessageContent.ETagOf(present);
        return request.IfMatch.Any(wanted => wanted.Length == 0 || wanted.AsSpan().SequenceEqual(etag));
    }

    private void Delete(PendingRequest pending, CoapClient client, string topic, TopicQuery query)
    {
        Message? former = null;
        pending.Request.Payload = [];
        var condition = new RetainedCondition(present => (former = present) is not null && Holds(pending.Request, present));
        Publish(pending, client, topic, query, retain: true, static () => CoapCode.Deleted, condition, () =>
        {
            if (former is null) pending.Refuse(CoapCode.NotFound, "no value of " + topic);
            else pending.Refuse(CoapCode.PreconditionFailed, "there is another value");
        });
    }

    private void Publish(PendingRequest pending, CoapClient client, string topic, TopicQuery query, bool retain) =>
        Publish(pending, client, topic, query, retain, static () => CoapCode.Changed, condition: null, failed: null);

    private void Publish(
        PendingRequest pending, CoapClient client, string topic, TopicQuery query, bool retain, Func<CoapCode> success, RetainedCondition? condition,
        Action? failed)
    {
        CoapRequest request = pending.Request;
        if (request.ContentFormat is { } format && ContentFormats.IsText(format) && !Utf8.IsValid(request.Payload))
        {
            pending.Refuse(CoapCode.BadRequest, "the payload is not the text that its Content-Format promises");
            return;
        }

        var message = new Message
        {
            Topic = Bytes(topic),
            Payload = request.Payload,
            Properties = MessageContent.PropertiesOf(request.ContentFormat),
            QoS = query.QoS ?? (pending.IsConfirmable ? QoS.AtLeastOnce : QoS.AtMostOnce),
            Retain = retain,
            ExpiresAtMs = query.ExpirySeconds is { } seconds ? broker.Clock.NowMs + (seconds * 1_000L) : Message.Never,
        };
        client.Published++;
        ValueTask<ReasonCode> done = client.Publisher.PublishAsync(message, condition);
        if (done.IsCompleted) Conclude(done.GetAwaiter().GetResult());
        else _ = ConcludeAsync();

        async Task ConcludeAsync()
        {
            ReasonCode reason = await done.ConfigureAwait(false);
            executor.Run(() => Conclude(reason));
        }

        void Conclude(ReasonCode reason)
        {
            if (condition is { HasFailed: true }) failed!();
            else if (reason.IsError()) Refuse(pending, reason);
            else pending.Respond(new CoapResponse(success()));
        }
    }

    private static void Refuse(PendingRequest pending, ReasonCode reason)
    {
        switch (reason)
        {
            case ReasonCode.NotAuthorized:
                pending.Refuse(CoapCode.Forbidden, "not permitted for this topic");
                break;
            case ReasonCode.QuotaExceeded:
                pending.Respond(CoapResponse.Because(CoapCode.ServiceUnavailable, "the broker cannot take it now") with { MaxAge = 30 });
                break;
            case ReasonCode.QoSNotSupported or ReasonCode.RetainNotSupported:
                pending.Refuse(CoapCode.BadRequest, "mqtt.max_qos or mqtt.retain of the broker forbid it");
                break;
            default:
                pending.Refuse(CoapCode.BadRequest, "the broker does not take this topic or payload");
                break;
        }
    }
}
