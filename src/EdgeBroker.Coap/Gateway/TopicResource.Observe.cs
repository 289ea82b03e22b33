using EdgeBroker.Coap.Codec;
using EdgeBroker.Coap.Messages;
using EdgeBroker.Coap.Resources;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Routing;
using EdgeBroker.Protocol;

namespace EdgeBroker.Coap.Gateway;

// Observers come, and come back.
internal sealed partial class TopicResource
{
    // Made when the first one wants it: it counts for ever.
    private RoutingContext? _context;

    /// <summary>Goes on with what a client observed before, over an association that is gone or with a broker that has ended since.</summary>
    public void Resume(CoapClient client)
    {
        foreach (string id in durables.Of(client.Subject.ClientId))
        {
            // One that has its observer stays with it; who comes now may be another device of the same name.
            if (broker.FindSession(id) is { } session && (session.IsConnected || session.UserName != client.Subject.UserName)) continue;
            if (durables.TryRead(id, out string filter, out byte[] token, out bool isQueue)) Resume(client, filter, token, isQueue);
            else durables.Drop(client.Subject.ClientId, id);
        }
    }

    private void Resume(CoapClient client, string filter, byte[] token, bool isQueue)
    {
        bool isFilter = filter.AsSpan().ContainsAny('+', '#');
        TopicObserved? observed = OpenDurable(client, filter, isFilter, token, isQueue, isFilter && !isQueue, out _, out _);
        if (observed is null) return;
        if (!isFilter && !isQueue)
        {
            ReasonCode reason = client.Publisher.TryReadRetained(Bytes(filter), out Message? message, client.Server.Layer.Limits.MaxBodyBytes);
            if (message is not null) observed.Told(message);
            if (reason == ReasonCode.PacketTooLarge) observed.TellFirst(CoapResponse.Because(CoapCode.RequestEntityTooLarge, TopicObserved.TooLong));
            else observed.TellFirst(message is null ? new CoapResponse(CoapCode.Content) : MessageContent.ToResponse(message, broker.Clock.NowMs));
        }

        string key = KeyOf(client, filter);
        Observers observers = client.Server.Observers;
        if (observers.TryAdd(client.Peer, token, observed, key, block: null, transfer: null, out Observation observation)) observed.Begin(observation);
        else observed.Dispose();
    }

    private static string KeyOf(CoapClient client, string filter) => $"{client.StableName}\u0001{filter}";

    private void Observe(PendingRequest pending, CoapClient client, string topic, bool isFilter, TopicQuery query)
    {
        // What is proved is found again by its next handshake; what waits, by who says the same name.
        bool isDurable = client.ProvedName is not null || (query.IsQueue && client.IsNamed);
        if (!isDurable)
        {
            Register(pending, client, topic, isFilter, ObserveHere(pending, client, topic, isFilter, query));
            return;
        }

        // Looked at first: what is stored already, with what waits in it, must not end because there is no room for who comes back.
        bool hasRoom = client.Server.Observers.HasRoom(client.Peer, pending.Token, KeyOf(client, topic));
        Completion? stored = null;
        ReasonCode reason = ReasonCode.QuotaExceeded;
        TopicObserved? observed = !hasRoom ? null : OpenDurable(
            client, topic, isFilter, pending.Token, query.IsQueue, isFilter, out stored, out reason);
        if (observed is null)
        {
            // There are as many as it may have: it hears what there is, without being registered.
            if (reason == ReasonCode.QuotaExceeded && !isFilter && TryFind(pending, client, topic, out Message? message)) RespondWith(pending, message, topic);
            else if (!pending.IsAnswered) Refuse(pending, reason);
        }
        else if (stored is null or { IsDone: true })
        {
            Register(pending, client, topic, isFilter, observed);
        }
        else
        {
            stored.WhenDone(() => ThreadPool.UnsafeQueueUserWorkItem(
                _ => executor.Run(() => Register(pending, client, topic, isFilter, observed)), state: null));
        }
    }

    private TopicObserved? ObserveHere(PendingRequest pending, CoapClient client, string topic, bool isFilter, TopicQuery query)
    {
        QoS qos = query.QoS ?? (pending.IsConfirmable ? QoS.AtLeastOnce : QoS.AtMostOnce);
        LocalClient subscriber = broker.OpenLocal($"coap/{client.Subject.ClientId}/{Interlocked.Increment(ref _observers)}/observe", new LocalClientOptions
        {
            Identity = client.Identity,
            Network = client.Publisher.Options.Network,
            Content = query.IsQueue ? LocalQueueContent.EveryMessage : LocalQueueContent.LatestOfEachTopic,
            MaxQueuedMessages = query.IsQueue ? QueuedMessages : LatestTopics,
            MaxQueuedBytes = QueuedBytes,
        });
        var observed = new TopicObserved(
            new LocalFeed(subscriber), topic, qos, isFilter, client.Server.Layer.Limits.MaxBodyBytes, executor, () => broker.Clock.NowMs);
        RetainHandling retained = isFilter ? RetainHandling.SendOnSubscribe : RetainHandling.DoNotSend;
        ReasonCode granted = subscriber.Subscribe(topic, new SubscriptionOptions(qos, retainAsPublished: true, retainHandling: retained));
        if (!granted.IsError()) return observed;
        observed.Dispose();
        Refuse(pending, granted);
        return null;
    }

    private TopicObserved? OpenDurable(
        CoapClient client, string filter, bool isFilter, byte[] token, bool isQueue, bool isOwedRetained, out Completion? stored, out ReasonCode reason)
    {
        _context ??= broker.CreateContext();
        RetainHandling retained = isOwedRetained ? RetainHandling.SendOnSubscribe : RetainHandling.DoNotSend;
        reason = durables.TryOpen(client, filter, token, isQueue, retained, _context, out DurableFeed? feed, out stored);
        if (feed is null) return null;
        QoS qos = isQueue ? QoS.AtLeastOnce : QoS.AtMostOnce;
        var observed = new TopicObserved(feed, filter, qos, isFilter, client.Server.Layer.Limits.MaxBodyBytes, executor, () => broker.Clock.NowMs);
        string sessionId = feed.Lease.Session.Id;
        feed.Lost = why =>
        {
            // Another registration of its own goes on with it; else somebody has ended it.
            if (why == ReasonCode.SessionTakenOver)
            {
                observed.End();
                return;
            }

            durables.Drop(client.Subject.ClientId, sessionId);
            observed.EndWith(CoapResponse.Because(CoapCode.ServiceUnavailable, "the observation was ended"));
        };
        return observed;
    }

    private void Register(PendingRequest pending, CoapClient client, string topic, bool isFilter, TopicObserved? observed)
    {
        if (observed is null) return;
        if (pending.Peer.IsForgotten)
        {
            observed.Dispose();
            return;
        }

        // The value after the subscription: what changes in between is told as well.
        CoapResponse? first = isFilter ? First(observed) : State(pending, client, topic, observed);
        string? name = observed.IsDurable ? KeyOf(client, topic) : client.StableName;
        if (first is null)
        {
            observed.Cancel();
        }
        else if (pending.TryObserve(observed, name, observed.IsDurable, first, out Observation observation))
        {
            if (!observation.HasEnded) observed.Begin(observation);
        }
        else
        {
            observed.Cancel();
            pending.Respond(first);
        }
    }

    private static CoapResponse First(TopicObserved observed)
    {
        observed.TryTakeFirst(out CoapResponse envelope);
        return envelope;
    }

    /// <summary>What an observer of a topic is told at first; null: the request was refused.</summary>
    private CoapResponse? State(PendingRequest pending, CoapClient client, string topic, TopicObserved observed)
    {
        if (!TryFind(pending, client, topic, out Message? message)) return null;
        if (message is null) return new CoapResponse(CoapCode.Content);
        CoapResponse state = MessageContent.ToResponse(message, broker.Clock.NowMs);
        if (!Accepts(pending.Request, state))
        {
            pending.Refuse(CoapCode.NotAcceptable, NotThatFormat(state));
            return null;
        }

        observed.Told(message);
        return IsKnown(pending.Request, state) ? new CoapResponse(CoapCode.Valid) { ETag = state.ETag, MaxAge = state.MaxAge } : state;
    }
}
