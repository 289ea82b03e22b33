using System.Text;
using System.Text.Json;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Messages;
using EdgeBroker.Protocol;
using EdgeBroker.Webhooks.Delivery;

namespace EdgeBroker.Webhooks.Events;

/// <summary>
/// Copies what happens into the queues of those who want to know. It runs on the threads that serve clients: no JSON is written here, nothing waits, and what
/// nobody wants is not copied.
/// </summary>
/// <param name="endpoints">Who is told.</param>
/// <param name="node">The broker's name.</param>
/// <param name="ids">Numbers of events.</param>
/// <param name="time">The clock.</param>
internal sealed class WebhookSink(IReadOnlyList<WebhookEndpoint> endpoints, string node, EventIds ids, TimeProvider time) : BrokerEventSink
{
    // An occurrence with its place in a queue, and the objects it consists of.
    private const int OverheadBytes = 400;

    private volatile WebhookEndpoint[] _endpoints = [.. endpoints];

    /// <inheritdoc/>
    public override EventKinds Wanted { get; } =
        endpoints.SelectMany(one => one.Options.Events).Aggregate(EventKinds.None, (kinds, type) => kinds | WebhookEventTypes.KindOf(type));

    /// <summary>Tells nobody any more.</summary>
    public void Close() => _endpoints = [];

    /// <inheritdoc/>
    public override void ClientConnected(in ConnectedEvent what) =>
        Tell(WebhookEventType.ClientConnected, what.Client.ClientId, SizeOf(what.Client), what, ClientWriters.Connected);

    /// <inheritdoc/>
    public override void ClientDisconnected(in DisconnectedEvent what) => Tell(
        WebhookEventType.ClientDisconnected,
        what.Client.ClientId,
        SizeOf(what.Client) + (2 * what.Explanation.Length),
        what,
        ClientWriters.Disconnected);

    /// <inheritdoc/>
    public override void SessionTakenOver(in TakenOverEvent what) =>
        Tell(WebhookEventType.ClientSessionTakeover, what.Client.ClientId, SizeOf(what.Client), (what, node), ClientWriters.TakenOver);

    /// <inheritdoc/>
    public override void AuthenticationSucceeded(in AuthenticationSucceededEvent what) =>
        Tell(WebhookEventType.AuthSuccess, what.Client.ClientId, SizeOf(what.Client), what, ClientWriters.Authenticated);

    /// <inheritdoc/>
    public override void AuthenticationFailed(in AuthenticationFailedEvent what) => Tell(
        WebhookEventType.AuthFailure, what.Client.ClientId, SizeOf(what.Client) + (2 * (what.Cause?.Length ?? 0)), what, ClientWriters.NotAuthenticated);

    /// <inheritdoc/>
    public override void SubscriptionCreated(in SubscriptionCreatedEvent what)
    {
        const WebhookEventType type = WebhookEventType.SubscriptionCreated;
        if (!IsWanted(type, what.Filter, isFilter: true)) return;
        var copy = new SubscriptionCopy(what.ClientId, what.UserName, what.Filter.ToArray(), what.Granted, what.Replaced, default);
        Tell(type, what.ClientId, 2 * copy.Filter.Length, copy, MessageWriters.Subscribed, what.Filter, isFilter: true);
    }

    /// <inheritdoc/>
    public override void SubscriptionRemoved(in SubscriptionRemovedEvent what)
    {
        const WebhookEventType type = WebhookEventType.SubscriptionRemoved;
        if (!IsWanted(type, what.Filter, isFilter: true)) return;
        var copy = new SubscriptionCopy(what.ClientId, null, what.Filter.ToArray(), default, false, what.Cause);
        Tell(type, what.ClientId, 2 * copy.Filter.Length, copy, MessageWriters.Unsubscribed, what.Filter, isFilter: true);
    }

    /// <inheritdoc/>
    public override void PublishRefused(in RefusedEvent what) =>
        TellRefused(WebhookEventType.AuthzPublishDenied, what, MessageWriters.PublishRefused, isFilter: false);

    /// <inheritdoc/>
    public override void SubscribeRefused(in RefusedEvent what) =>
        TellRefused(WebhookEventType.AuthzSubscribeDenied, what, MessageWriters.SubscribeRefused, isFilter: true);

    /// <inheritdoc/>
    public override void MessagePublished(in Publication message)
    {
        const WebhookEventType type = WebhookEventType.MessagePublished;
        if (!IsWanted(type, message.Topic, isFilter: false)) return;
        var copy = MessageCopy.Of(message, PayloadWanted(message.Topic));
        Tell(type, TopicOf(message.Topic), copy.SizeBytes, copy, MessageWriters.Published, message.Topic, isFilter: false);
    }

    /// <inheritdoc/>
    public override MessagePassage? Follow(in Publication message, MessagePassage? passage) =>
        passage ?? (IsWanted(WebhookEventType.MessageDelivered, message.Topic, isFilter: false) ? MessagePassage.Of(message) : null);

    /// <inheritdoc/>
    public override void MessageDelivered(in DeliveredEvent what)
    {
        const WebhookEventType type = WebhookEventType.MessageDelivered;
        ReadOnlySpan<byte> topic = what.Message.Topic;
        if (!IsWanted(type, topic, isFilter: false)) return;
        var copy = new DeliveryCopy(MessageCopy.Of(what.Message, 0), what.To.Id, what.QoS, what.DelayMs, what.HasWaited);
        Tell(type, TopicOf(topic), copy.Message.SizeBytes, copy, MessageWriters.Delivered, topic, isFilter: false);
    }

    /// <inheritdoc/>
    public override void MessageRetained(in RetainedEvent what)
    {
        const WebhookEventType type = WebhookEventType.MessageRetained;
        ReadOnlySpan<byte> topic = what.Message.Topic;
        if (!IsWanted(type, topic, isFilter: false)) return;
        var copy = MessageCopy.Of(what.Message, 0);
        Tell(type, TopicOf(topic), copy.SizeBytes, (copy, what.Change), MessageWriters.Retained, topic, isFilter: false);
    }

    /// <summary>Something that happens to nobody in the broker, for one endpoint.</summary>
    public static Occurrence Test(string actor, EventIds ids, TimeProvider time) =>
        new Occurrence<string>(WebhookEventType.Test, actor, OverheadBytes, actor, ClientWriters.Test) { At = time.GetUtcNow(), Number = ids.Next() };

    private void TellRefused(WebhookEventType type, in RefusedEvent what, Action<Utf8JsonWriter, RefusalCopy, WebhookOptions> write, bool isFilter)
    {
        // Quotas and malformed payloads are no matter of rights.
        if (what.Reason != ReasonCode.NotAuthorized || !IsWanted(type, what.Topic, isFilter)) return;
        var copy = new RefusalCopy(what.ClientId, what.UserName, what.Topic.ToArray(), what.QoS, what.Retain, what.Reason, what.Cause);
        Tell(type, what.ClientId, copy.Topic.Length, copy, write, what.Topic, isFilter);
    }

    private void Tell<T>(WebhookEventType type, string subject, int sizeBytes, T what, Action<Utf8JsonWriter, T, WebhookOptions> write) =>
        Tell(type, subject, sizeBytes, what, write, default, isFilter: false);

    private void Tell<T>(
        WebhookEventType type,
        string subject,
        int sizeBytes,
        T what,
        Action<Utf8JsonWriter, T, WebhookOptions> write,
        ReadOnlySpan<byte> topic,
        bool isFilter)
    {
        Occurrence? occurrence = null;
        foreach (WebhookEndpoint endpoint in _endpoints)
        {
            if (!endpoint.Wants(type, topic, isFilter)) continue;
            occurrence ??= new Occurrence<T>(type, subject, OverheadBytes + sizeBytes + (2 * subject.Length), what, write)
            {
                At = time.GetUtcNow(),
                Number = ids.Next(),
            };
            endpoint.Offer(occurrence);
        }
    }

    private bool IsWanted(WebhookEventType type, ReadOnlySpan<byte> topic, bool isFilter)
    {
        foreach (WebhookEndpoint endpoint in _endpoints)
        {
            if (endpoint.Wants(type, topic, isFilter)) return true;
        }

        return false;
    }

    private int PayloadWanted(ReadOnlySpan<byte> topic)
    {
        int most = 0;
        foreach (WebhookEndpoint endpoint in _endpoints)
        {
            WebhookOptions options = endpoint.Options;
            if (!options.IncludePayload || !endpoint.Wants(WebhookEventType.MessagePublished, topic, isFilter: false)) continue;
            most = Math.Max(most, options.MaxPayloadBytes);
        }

        return most;
    }

    private static string TopicOf(ReadOnlySpan<byte> topic) => Encoding.UTF8.GetString(topic);

    private static int SizeOf(in ClientDescription client) =>
        2 * (client.ClientId.Length + (client.UserName?.Length ?? 0) + client.RemoteEndPoint.Length + client.Listener.Length);
}
