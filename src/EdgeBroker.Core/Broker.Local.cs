using System.Collections.Concurrent;
using System.Text;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Topics;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core;

// Clients within the process.
public sealed partial class Broker
{
    private readonly ConcurrentDictionary<string, LocalClient> _localClients = new(StringComparer.Ordinal);

    // Contexts that no local client uses just now. There are as many as ever published at once.
    private readonly Stack<RoutingContext> _localContexts = new();

    /// <summary>Opens a client within the process. Its id is <c>$local/</c> and the name.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="options">What it may do, and what its queue holds.</param>
    /// <exception cref="InvalidOperationException">A local client of this name is open.</exception>
    public LocalClient OpenLocal(string name, LocalClientOptions options)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxQueuedMessages, 1);
        var client = new LocalClient(this, name, options);
        return _localClients.TryAdd(client.Id, client) ? client : throw new InvalidOperationException($"A local client {client.Id} is open already.");
    }

    internal PublishOutcome Publish(LocalClient client, Message message)
    {
        ReasonCode refusal = JudgePublish(client, message);
        if (refusal != ReasonCode.Success) return new PublishOutcome(refusal, null);
        RoutingContext context = TakeLocalContext();
        PublishOutcome outcome = Publish(Publication.Of(message, Clock.NowMs, client) with { IsBrokersOwn = false }, context);
        ReturnLocalContext(context);
        return outcome;
    }

    internal ReasonCode Subscribe(LocalClient client, string filter, SubscriptionOptions options, uint identifier)
    {
        byte[] text = Encoding.UTF8.GetBytes(filter);
        if (!Utf8Text.IsValid(text) || text.Length > ushort.MaxValue || !TopicFilter.IsValid(text)) return ReasonCode.TopicFilterInvalid;
        ReasonCode refusal = JudgeSubscribe(text, client.Options.Permissions, ref options, out ReadOnlySpan<byte> topicFilter);
        if (refusal != ReasonCode.Success)
        {
            if (refusal == ReasonCode.NotAuthorized) _events.SubscribeDenied(client.Id, text, client.Options.Permissions.JudgeSubscribe(topicFilter).Cause);
            return refusal;
        }

        var subscription = new Subscription(client, text, options, identifier);
        if (!client.TrySubscribe(subscription, Options.MaxSubscriptionsPerClient, out Subscription? existing)) return ReasonCode.QuotaExceeded;
        Align(client, text);
        if (WantsRetained(subscription, existing)) client.QueueRetained(Retained.Walk(topicFilter), subscription);
        return (ReasonCode)options.MaximumQoS;
    }

    internal ReasonCode Unsubscribe(LocalClient client, string filter)
    {
        if (client.TryUnsubscribe(Encoding.UTF8.GetBytes(filter)) is not { } removed) return ReasonCode.NoSubscriptionExisted;
        Align(client, removed.Filter);
        return ReasonCode.Success;
    }

    internal void CountExpired(LocalClient client, int count)
    {
        RoutingContext context = TakeLocalContext();
        CountDropped(client, count, DropReason.Expired, context);
        ReturnLocalContext(context);
    }

    /// <summary>Puts in order what a closed local client leaves.</summary>
    internal void Close(LocalClient client, Subscription[] subscriptions, List<LocalQueue.Entry> unread)
    {
        _localClients.TryRemove(new KeyValuePair<string, LocalClient>(client.Id, client));
        foreach (Subscription subscription in subscriptions) Align(client, subscription.Filter);
        RoutingContext context = TakeLocalContext();
        int dropped = 0;
        foreach (LocalQueue.Entry entry in unread)
        {
            if (entry.Delivery.QoS == QoS.AtMostOnce) continue;
            if (entry.SharedFilter is null) dropped++;
            else Reassign(new OrphanedMessage(entry.Delivery.Message, entry.SharedFilter, null), client, context);
        }

        CountDropped(client, dropped, DropReason.SessionEnded, context);
        ReturnLocalContext(context);
    }

    private ReasonCode JudgePublish(LocalClient client, Message message)
    {
        ReadOnlySpan<byte> topic = message.Topic;
        if (!TopicName.IsValid(topic) || topic.Length > ushort.MaxValue || !Utf8Text.IsValid(topic) || TopicName.CountLevels(topic) > Options.MaxTopicLevels)
        {
            return ReasonCode.TopicNameInvalid;
        }

        if (topic.StartsWith("$SYS/"u8))
        {
            _events.PublishRefused(client.Id, topic, ReasonCode.NotAuthorized, "only the broker publishes under $SYS");
            return ReasonCode.NotAuthorized;
        }

        if (client.Options.Permissions.MayPublish(topic, message.QoS, message.Retain)) return ReasonCode.Success;
        string cause = client.Options.Permissions.JudgePublish(topic, message.QoS, message.Retain).Cause;
        _events.PublishRefused(client.Id, topic, ReasonCode.NotAuthorized, cause);
        return ReasonCode.NotAuthorized;
    }

    private RoutingContext TakeLocalContext()
    {
        lock (_localContexts)
        {
            if (_localContexts.TryPop(out RoutingContext? context)) return context;
        }

        return CreateContext();
    }

    private void ReturnLocalContext(RoutingContext context)
    {
        lock (_localContexts) _localContexts.Push(context);
    }
}
