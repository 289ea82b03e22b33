using System.Collections.Concurrent;
using System.Text;
using EdgeBroker.Core.Ingress;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Retained;
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
    private readonly Lock _localLock = new();

    /// <summary>Opens a client within the process. Its id is <c>$local/</c> and the name.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="options">What it may do, and what its queue holds.</param>
    /// <exception cref="InvalidOperationException">A local client of this name is open.</exception>
    public LocalClient OpenLocal(string name, LocalClientOptions options)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxQueuedMessages, 1);
        var client = new LocalClient(this, name, options);
        if (_localClients.TryAdd(client.Id, client)) return client;
        client.Dispose();
        throw new InvalidOperationException($"A local client {client.Id} is open already.");
    }

    /// <summary>The retained message of a topic, whoever may read it; null: none, or one that has expired.</summary>
    public Message? FindRetained(ReadOnlySpan<byte> topic) =>
        Retained.Get(topic) is { } message && !message.IsExpired(Clock.NowMs) ? message : null;

    internal PublishVerdict Publish(LocalClient client, Message message, RetainedCondition? condition)
    {
        ReadOnlySpan<byte> topic = message.Topic;
        if (!TopicName.IsValid(topic) || topic.Length > ushort.MaxValue || !Utf8Text.IsValid(topic))
        {
            return new PublishVerdict(PublishDecision.Refused, ReasonCode.TopicNameInvalid);
        }

        if (client.Options.ObeysRates && Limits.Active is { } active && client.TakeFromRates(active, message) is { Decision: not LimitDecision.Pass } beyond)
        {
            Limits.Report(beyond.Limit, LimitAction.Dropped, client.Id);
            return new PublishVerdict(PublishDecision.Refused, ReasonCode.QuotaExceeded, Cause: Limits.Describe(beyond.Limit));
        }

        using LocalCall call = BeginLocalCall();
        Publication publication = Publication.Of(message, Clock.NowMs, client) with { IsBrokersOwn = false, Condition = condition };
        return Ingress.Publish(publication, client.Principal, call.Context);
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
        using LocalCall call = BeginLocalCall();
        CountDropped(client, count, DropReason.Expired, call.Context);
    }

    /// <summary>Puts in order what a closed local client leaves.</summary>
    internal void Close(LocalClient client, Subscription[] subscriptions, List<LocalQueue.Entry> unread)
    {
        _localClients.TryRemove(new KeyValuePair<string, LocalClient>(client.Id, client));
        foreach (Subscription subscription in subscriptions) SyncTree(client, subscription.Filter);
        using LocalCall call = BeginLocalCall();
        int dropped = 0;
        foreach (LocalQueue.Entry entry in unread)
        {
            if (entry.Delivery.QoS == QoS.AtMostOnce) continue;
            if (entry.SharedFilter is null) dropped++;
            else Reassign(new OrphanedMessage(entry.Delivery.Message, entry.SharedFilter, null), client, call.Context);
        }

        CountDropped(client, dropped, DropReason.SessionEnded, call.Context);
    }

    /// <summary>Begins what a thread that serves no connection does to sessions and their links; it ends when the returned value is disposed.</summary>
    private LocalCall BeginLocalCall()
    {
        Loops.Begin();
        RoutingContext? context;
        lock (_localLock.Alone()) _localContexts.TryPop(out context);
        return new LocalCall(this, context ?? CreateContext());
    }

    private readonly ref struct LocalCall(Broker broker, RoutingContext context)
    {
        public RoutingContext Context => context;

        public void Dispose()
        {
            lock (broker._localLock.Alone()) broker._localContexts.Push(context);
            broker.Loops.End();
        }
    }
}
