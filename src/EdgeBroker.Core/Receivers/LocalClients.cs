using System.Collections.Concurrent;
using System.Text;
using EdgeBroker.Core.Ingress;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Retained;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Topics;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Receivers;

/// <summary>The clients within the process, and what they ask of the broker. Any thread may call.</summary>
/// <param name="broker">The broker.</param>
internal sealed class LocalClients(Broker broker)
{
    private readonly ConcurrentDictionary<string, LocalClient> _open = new(StringComparer.Ordinal);

    /// <summary>Opens one.</summary>
    /// <exception cref="InvalidOperationException">One of this name is open.</exception>
    public LocalClient Open(string name, LocalClientOptions options)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxQueuedMessages, 1);
        var client = new LocalClient(broker, this, name, options);
        if (_open.TryAdd(client.Id, client)) return client;
        client.Dispose();
        throw new InvalidOperationException($"A local client {client.Id} is open already.");
    }

    /// <summary>Judges a message of a client, and routes it.</summary>
    public PublishVerdict Publish(LocalClient client, Message message, RetainedCondition? condition)
    {
        ReadOnlySpan<byte> topic = message.Topic;
        if (!TopicName.IsValid(topic) || topic.Length > ushort.MaxValue || !Utf8Text.IsValid(topic))
        {
            return new PublishVerdict(PublishDecision.Refused, ReasonCode.TopicNameInvalid);
        }

        if (client.Options.ObeysRates && broker.Limits.Active is { } active
            && client.TakeFromRates(active, message) is { Decision: not LimitDecision.Pass } beyond)
        {
            broker.Limits.Report(beyond.Limit, LimitAction.Dropped, client.Id);
            return new PublishVerdict(PublishDecision.Refused, ReasonCode.QuotaExceeded, Cause: broker.Limits.Describe(beyond.Limit));
        }

        using Broker.OwnCall call = broker.BeginOwnCall();
        Publication publication = Publication.Of(message, broker.Clock.NowMs, client) with { IsBrokersOwn = false, Condition = condition };
        return broker.Ingress.Publish(publication, client.Principal, call.Context);
    }

    /// <summary>Judges a filter of a client, and subscribes it.</summary>
    public ReasonCode Subscribe(LocalClient client, string filter, SubscriptionOptions options, uint identifier)
    {
        byte[] text = Encoding.UTF8.GetBytes(filter);
        if (!Utf8Text.IsValid(text) || text.Length > ushort.MaxValue || !TopicFilter.IsValid(text)) return ReasonCode.TopicFilterInvalid;
        return broker.Ingress.Subscribe(text, options, identifier, client.Principal, broker.Clock.NowMs).Reason;
    }

    /// <summary>Ends a subscription of a client.</summary>
    public ReasonCode Unsubscribe(LocalClient client, string filter) => broker.Unsubscribe(client, default, Encoding.UTF8.GetBytes(filter), out _);

    /// <summary>Counts messages that have expired in a client's queue.</summary>
    public void CountExpired(LocalClient client, int count)
    {
        using Broker.OwnCall call = broker.BeginOwnCall();
        broker.CountDropped(client, count, DropReason.Expired, call.Context);
    }

    /// <summary>Puts in order what a closed local client leaves.</summary>
    public void Close(LocalClient client, Subscription[] subscriptions, List<LocalQueue.Entry> unread)
    {
        _open.TryRemove(new KeyValuePair<string, LocalClient>(client.Id, client));
        foreach (Subscription subscription in subscriptions) broker.SyncTree(client, subscription.Filter);
        using Broker.OwnCall call = broker.BeginOwnCall();
        int dropped = 0;
        foreach (LocalQueue.Entry entry in unread)
        {
            if (entry.Delivery.QoS == QoS.AtMostOnce) continue;
            if (entry.SharedFilter is null) dropped++;
            else broker.Reassign(new OrphanedMessage(entry.Delivery.Message, entry.SharedFilter, null), client, call.Context);
        }

        broker.CountDropped(client, dropped, DropReason.SessionEnded, call.Context);
    }
}
