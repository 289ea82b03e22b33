using EdgeBroker.Core.Events;
using EdgeBroker.Core.Ingress;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Retained;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Security;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Topics;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Receivers;

/// <summary>
/// A client within the process: publishes, subscribes, and reads what it gets from a bounded queue in memory. It starts no thread: its owner reads, one thread
/// at a time; all else may be called from any thread.
/// </summary>
public sealed class LocalClient : Receiver, IDisposable
{
    private readonly Broker _broker;
    private readonly LocalClients _clients;
    private readonly Lock _lock = new();
    private readonly LocalQueue _queue;
    private readonly Holder? _holder;
    private SubscriptionSet _subscriptions;
    private RetainedFeed _retained;
    private TaskCompletionSource<bool>? _reader;
    private long _dropped;
    private bool _isClosed;
    private Principal _principal;

    internal LocalClient(Broker broker, LocalClients clients, string name, LocalClientOptions options)
        : base(ReservedIds.Local + name)
    {
        _broker = broker;
        _clients = clients;
        _queue = new LocalQueue(options, broker.Limits.Ledger);
        Options = options;
        // What the broker does by itself is on nobody's account.
        _holder = options.Identity is { } identity ? broker.Limits.Holders.Use(identity.UserName, options.Network) : null;
        _principal = new Principal
        {
            Receiver = this,
            Identity = options.Identity ?? AuthenticationResult.Admitted(null, options.Permissions),
            Grants = broker.Options,
            HearsRefusals = true,
            WaitsForStore = options.WaitsForStore,
        };
    }

    /// <summary>What it may do, and what its queue holds.</summary>
    public LocalClientOptions Options { get; }

    /// <summary>Under whose rights it acts.</summary>
    internal Principal Principal
    {
        get => Volatile.Read(ref _principal);
        private set => Volatile.Write(ref _principal, value);
    }

    /// <summary>Messages that wait to be read, retained ones that are still to be looked for not included.</summary>
    public int QueuedMessages => _queue.Count;

    /// <summary>Bytes of the messages that wait to be read.</summary>
    public long QueuedBytes
    {
        get
        {
            lock (_lock.Alone()) return _queue.SizeBytes;
        }
    }

    /// <summary>Messages dropped because the queue was full, or expired in it.</summary>
    public long Dropped => Volatile.Read(ref _dropped);

    /// <inheritdoc/>
    internal override Holder? Holder => _holder;

    /// <inheritdoc/>
    public override ReceiverReadiness Readiness =>
        Volatile.Read(ref _isClosed) ? ReceiverReadiness.Gone : _queue.HasRoom ? ReceiverReadiness.Ready : ReceiverReadiness.Busy;

    /// <summary>
    /// Publishes a message. Completes when the message is acknowledged: it is on disk where a durable receiver gets it. While the store cannot write it waits
    /// and tries again.
    /// </summary>
    /// <param name="message">The message; its arrays are kept and must not change.</param>
    /// <param name="cancel">Ends the wait; the message may arrive all the same.</param>
    /// <returns>Success, 0x10 when nobody subscribes, or why it was refused.</returns>
    public ValueTask<ReasonCode> PublishAsync(Message message, CancellationToken cancel = default) => PublishAsync(message, condition: null, cancel);

    /// <summary>The same on a condition: <see cref="RetainedCondition.HasFailed"/> says afterwards whether it held.</summary>
    /// <param name="message">A retained message.</param>
    /// <param name="condition">What must hold of the topic's value; null: nothing.</param>
    /// <param name="cancel">Ends the wait.</param>
    public ValueTask<ReasonCode> PublishAsync(Message message, RetainedCondition? condition, CancellationToken cancel = default)
    {
        PublishVerdict verdict = _clients.Publish(this, message, condition);
        return verdict.Decision == PublishDecision.Retry || verdict.Completion is { IsDone: false }
            ? WaitAsync(verdict, message, condition, cancel)
            : ValueTask.FromResult(verdict.Reason);
    }

    /// <summary>Goes on under other rights of the same user; what it has used of its rates stays used.</summary>
    public void ActAs(AuthenticationResult identity)
    {
        lock (_lock.Alone())
        {
            if (!ReferenceEquals(_principal.Identity, identity)) Principal = _principal.With(identity);
        }
    }

    /// <summary>Subscribes to a filter, shared or not.</summary>
    /// <param name="filter">The filter.</param>
    /// <param name="options">The options asked for.</param>
    /// <param name="identifier">Comes with the messages it causes; 0: none.</param>
    /// <returns>The granted QoS, or why not.</returns>
    public ReasonCode Subscribe(string filter, SubscriptionOptions options, uint identifier = 0) => _clients.Subscribe(this, filter, options, identifier);

    /// <summary>Ends a subscription. What waits to be read already stays.</summary>
    /// <returns>Success, or 0x11 when there was none.</returns>
    public ReasonCode Unsubscribe(string filter) => _clients.Unsubscribe(this, filter);

    /// <summary>Reads the retained message of a topic, without a subscription.</summary>
    /// <param name="topic">The topic, a valid name.</param>
    /// <param name="message">The message; null: there is none, or it may not be read.</param>
    /// <param name="maxBytes">Its payload at most; one that is longer is not copied.</param>
    /// <returns>Success, that it may not be read, or <see cref="ReasonCode.PacketTooLarge"/>.</returns>
    public ReasonCode TryReadRetained(ReadOnlySpan<byte> topic, out Message? message, int maxBytes = int.MaxValue)
    {
        ReasonCode reason = _broker.Ingress.Read(topic, Principal);
        if (!reason.IsError() && maxBytes < int.MaxValue && _broker.Retained.LengthOf(topic) > maxBytes) reason = ReasonCode.PacketTooLarge;
        message = reason.IsError() ? null : _broker.FindRetained(topic);
        return reason;
    }

    /// <summary>
    /// Takes the next message; false when none is at hand. Also false when a large part of the retained messages was searched without a find:
    /// <see cref="WaitToReadAsync"/> says then that there is more to try.
    /// </summary>
    public bool TryRead(out LocalDelivery delivery)
    {
        // Retained messages first: they are older than all that came after the subscription.
        while (TakeRetained() is { } retained)
        {
            bool isFound = TryTake(retained, out delivery);
            bool isDone = retained.Walk.IsDone;
            lock (_lock.Alone()) _retained.PutBack(retained, isDone || _isClosed);
            if (isFound) TellRead(delivery);
            if (isFound || !isDone) return isFound;
        }

        if (!TryDequeue(out delivery)) return false;
        TellRead(delivery);
        return true;
    }

    /// <summary>Waits until <see cref="TryRead"/> has something to try; false when the client is closed.</summary>
    public ValueTask<bool> WaitToReadAsync(CancellationToken cancel = default)
    {
        if (cancel.IsCancellationRequested) return ValueTask.FromCanceled<bool>(cancel);
        Task<bool> arrival;
        lock (_lock.Alone())
        {
            if (_isClosed) return ValueTask.FromResult(false);
            if (_queue.Count > 0 || _retained.HasMore) return ValueTask.FromResult(true);
            _reader ??= new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
            arrival = _reader.Task;
        }

        return new ValueTask<bool>(cancel.CanBeCanceled ? arrival.WaitAsync(cancel) : arrival);
    }

    /// <summary>
    /// Closes the client: its subscriptions end, and what waits to be read is dropped, but for messages of shared subscriptions above QoS 0, which another
    /// member gets.
    /// </summary>
    public void Dispose()
    {
        Subscription[] subscriptions;
        var unread = new List<LocalQueue.Entry>();
        TaskCompletionSource<bool>? reader;
        lock (_lock.Alone())
        {
            if (_isClosed) return;
            Volatile.Write(ref _isClosed, true);
            subscriptions = _subscriptions.TakeAll();
            _holder?.CountFilters(-subscriptions.Length);
            while (_queue.TryDequeue(out LocalQueue.Entry? entry)) unread.Add(entry);
            _retained.End();
            reader = TakeReader();
        }

        reader?.TrySetResult(false);
        _clients.Close(this, subscriptions, unread);
        _holder?.Release();
    }

    /// <inheritdoc/>
    public override Subscription? FindSubscription(ReadOnlySpan<byte> filter)
    {
        lock (_lock.Alone()) return _subscriptions.Find(filter);
    }

    /// <inheritdoc/>
    public override DeliveryOutcome Deliver(in Publication message, Subscription subscription, RoutingContext context)
    {
        // Copied outside the lock: a payload may be large.
        Message owned = context.Own(message, message.ExpirySeconds is null ? 0 : context.NowMs(_broker.Clock));
        QoS qos = message.QoS < subscription.Options.MaximumQoS ? message.QoS : subscription.Options.MaximumQoS;
        var delivery = new LocalDelivery(owned, qos, message.Retain && subscription.Options.RetainAsPublished, subscription.Identifiers);
        DeliveryOutcome outcome;
        TaskCompletionSource<bool>? reader;
        lock (_lock.Alone())
        {
            if (_isClosed) return DeliveryOutcome.Ignored;
            outcome = _queue.Enqueue(delivery, subscription.IsShared ? subscription.Filter : null);
            _dropped += outcome.Dropped;
            reader = TakeReader();
        }

        reader?.TrySetResult(true);
        return outcome;
    }

    /// <inheritdoc/>
    internal override bool TrySubscribe(ConnectionLease lease, Subscription subscription, out Subscription? existing, out Completion? completion)
    {
        completion = null;
        lock (_lock.Alone())
        {
            existing = _subscriptions.Find(subscription.Filter);
            if (_isClosed || (existing is null && _subscriptions.Count >= _broker.Options.MaxSubscriptionsPerClient)) return false;
            _subscriptions.Set(subscription);
            if (existing is null) _holder?.CountFilters(1);
            return true;
        }
    }

    /// <inheritdoc/>
    internal override Subscription? TryUnsubscribe(ConnectionLease lease, ReadOnlySpan<byte> filter, out Completion? completion)
    {
        completion = null;
        lock (_lock.Alone())
        {
            Subscription? removed = _subscriptions.Remove(filter);
            if (removed is null) return null;
            _holder?.CountFilters(-1);
            _retained.Remove(removed.Filter);
            return removed;
        }
    }

    /// <inheritdoc/>
    internal override void QueueRetained(ConnectionLease lease, RetainedWalk? walk, Subscription subscription)
    {
        TaskCompletionSource<bool>? reader;
        lock (_lock.Alone())
        {
            _retained.Remove(subscription.Filter);
            if (walk is null || _isClosed) return;
            _retained.Add(new RetainedDelivery(walk, subscription));
            reader = TakeReader();
        }

        reader?.TrySetResult(true);
    }

    /// <summary>Takes a publish from its rates; what does not pass takes nothing.</summary>
    internal LimitVerdict TakeFromRates(ActiveLimits active, Message message)
    {
        long nowMs = _broker.Clock.NowMs;
        lock (_lock.Alone())
        {
            ClientRateLimits rates = _principal.Rates ??= new ClientRateLimits();
            LimitVerdict verdict = rates.Evaluate(active, Operation.Publish, message.QoS, refusalIsTold: true, nowMs);
            if (verdict.Decision == LimitDecision.Pass) rates.Charge(active, Operation.Publish, message.SizeBytes, verdict, nowMs);
            return verdict;
        }
    }

    private async ValueTask<ReasonCode> WaitAsync(PublishVerdict verdict, Message message, RetainedCondition? condition, CancellationToken cancel)
    {
        while (verdict.Decision == PublishDecision.Retry)
        {
            await Happens(action => _broker.WhenStoreRecovers(Id, action), cancel).ConfigureAwait(false);
            verdict = _clients.Publish(this, message, condition);
        }

        if (verdict.Completion is { IsDone: false } completion) await Happens(completion.WhenDone, cancel).ConfigureAwait(false);
        return verdict.Reason;
    }

    private static Task Happens(Action<Action> whenHappens, CancellationToken cancel)
    {
        var happened = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        whenHappens(() => happened.TrySetResult());
        return happened.Task.WaitAsync(cancel);
    }

    private bool TryDequeue(out LocalDelivery delivery)
    {
        long nowMs = _broker.Clock.NowMs;
        int expired = 0;
        bool found;
        lock (_lock.Alone())
        {
            LocalQueue.Entry? entry;
            while ((found = _queue.TryDequeue(out entry)) && entry!.Delivery.Message.IsExpired(nowMs)) expired++;
            delivery = found ? entry!.Delivery : default;
            _dropped += expired;
        }

        if (expired > 0) _clients.CountExpired(this, expired);
        return found;
    }

    private void TellRead(in LocalDelivery delivery)
    {
        if (!_broker.Events.WantsDelivery(delivery.Message.Passage) || Broker.IsSys(delivery.Message.Topic)) return;
        Publication message = Publication.Of(delivery.Message, _broker.Clock.NowMs);
        _broker.Events.MessageDelivered(new DeliveredEvent
        {
            Message = message,
            To = this,
            QoS = delivery.QoS,
            DelayMs = _broker.Clock.MillisecondsSince(message.Passage),
        });
    }

    /// <summary>Under the lock: whoever waits to read, to be told outside of it.</summary>
    private TaskCompletionSource<bool>? TakeReader()
    {
        _lock.MustBeHeld();
        TaskCompletionSource<bool>? reader = _reader;
        _reader = null;
        return reader;
    }

    private RetainedDelivery? TakeRetained()
    {
        lock (_lock.Alone()) return _retained.Take();
    }

    /// <summary>Takes the next message of a walk. The walk locks the tree of retained messages, so it steps outside the client's lock.</summary>
    private bool TryTake(RetainedDelivery retained, out LocalDelivery delivery)
    {
        long nowMs = _broker.Clock.NowMs;
        Subscription subscription = retained.Subscription;
        while (retained.Walk.TryTake(out Message? message))
        {
            if (message.IsExpired(nowMs)) continue;
            QoS qos = message.QoS < subscription.Options.MaximumQoS ? message.QoS : subscription.Options.MaximumQoS;
            delivery = new LocalDelivery(message, qos, Retain: true, subscription.Identifiers);
            return true;
        }

        delivery = default;
        return false;
    }
}
