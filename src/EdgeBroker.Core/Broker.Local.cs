using System.Collections.Concurrent;
using System.Text;
using EdgeBroker.Core.Ingress;
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

    internal PublishVerdict Publish(LocalClient client, Message message)
    {
        ReadOnlySpan<byte> topic = message.Topic;
        if (!TopicName.IsValid(topic) || topic.Length > ushort.MaxValue || !Utf8Text.IsValid(topic))
        {
            return new PublishVerdict(PublishDecision.Refused, ReasonCode.TopicNameInvalid);
        }

        RoutingContext context = TakeLocalContext();
        PublishVerdict verdict = Ingress.Publish(Publication.Of(message, Clock.NowMs, client) with { IsBrokersOwn = false }, client.Principal, context);
        ReturnLocalContext(context);
        return verdict;
    }

    internal ReasonCode Subscribe(LocalClient client, string filter, SubscriptionOptions options, uint identifier)
    {
        byte[] text = Encoding.UTF8.GetBytes(filter);
        if (!Utf8Text.IsValid(text) || text.Length > ushort.MaxValue || !TopicFilter.IsValid(text)) return ReasonCode.TopicFilterInvalid;
        return Ingress.Subscribe(text, options, identifier, client.Principal, Clock.NowMs).Reason;
    }

    internal ReasonCode Unsubscribe(LocalClient client, string filter) => Unsubscribe(client, default, Encoding.UTF8.GetBytes(filter), out _);

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
