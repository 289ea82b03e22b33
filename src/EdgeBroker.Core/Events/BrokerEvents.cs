using EdgeBroker.Core.Messages;

namespace EdgeBroker.Core.Events;

/// <summary>
/// Tells what happens in the broker to all who want to know. A kind that nobody wants costs a test of one bit; whoever has to allocate for an event asks
/// <see cref="Wants"/> first. Any thread, outside all locks.
/// </summary>
public sealed class BrokerEvents
{
    private readonly Lock _lock = new();
    private volatile Registration[] _sinks = [];
    private volatile EventKinds _wanted;
    private long _faults;

    /// <param name="sinks">Who is told from the beginning.</param>
    public BrokerEvents(params ReadOnlySpan<BrokerEventSink> sinks)
    {
        foreach (BrokerEventSink sink in sinks) Add(sink);
    }

    private delegate void Call<T>(BrokerEventSink sink, scoped in T what)
        where T : allows ref struct;

    /// <summary>Exceptions that were bugs, since the start.</summary>
    public long Faults => Volatile.Read(ref _faults);

    /// <summary>Whether anybody wants to be told of a kind.</summary>
    public bool Wants(EventKinds kind) => (_wanted & kind) != 0;

    /// <summary>Has a sink told from here on, until what is returned is disposed of.</summary>
    public IDisposable Add(BrokerEventSink sink)
    {
        var registration = new Registration(this, sink);
        lock (_lock.Alone()) Replace([.. _sinks, registration]);
        return registration;
    }

    public void ClientConnected(in ConnectedEvent what) =>
        Tell(EventKinds.ClientConnected, what, static (BrokerEventSink sink, scoped in ConnectedEvent one) => sink.ClientConnected(one));

    public void ClientDisconnected(in DisconnectedEvent what) =>
        Tell(EventKinds.ClientDisconnected, what, static (BrokerEventSink sink, scoped in DisconnectedEvent one) => sink.ClientDisconnected(one));

    public void SessionTakenOver(in TakenOverEvent what) =>
        Tell(EventKinds.SessionTakenOver, what, static (BrokerEventSink sink, scoped in TakenOverEvent one) => sink.SessionTakenOver(one));

    public void SessionEnded(string clientId) =>
        Tell(EventKinds.SessionEnded, clientId, static (BrokerEventSink sink, scoped in string one) => sink.SessionEnded(one));

    public void ConnectRefused(in ConnectRefusedEvent what) =>
        Tell(EventKinds.ConnectRefused, what, static (BrokerEventSink sink, scoped in ConnectRefusedEvent one) => sink.ConnectRefused(one));

    public void AuthenticationSucceeded(in AuthenticationSucceededEvent what) => Tell(
        EventKinds.AuthenticationSucceeded,
        what,
        static (BrokerEventSink sink, scoped in AuthenticationSucceededEvent one) => sink.AuthenticationSucceeded(one));

    public void AuthenticationFailed(in AuthenticationFailedEvent what) =>
        Tell(EventKinds.AuthenticationFailed, what, static (BrokerEventSink sink, scoped in AuthenticationFailedEvent one) => sink.AuthenticationFailed(one));

    public void SubscriptionCreated(scoped in SubscriptionCreatedEvent what) =>
        Tell(EventKinds.SubscriptionCreated, what, static (BrokerEventSink sink, scoped in SubscriptionCreatedEvent one) => sink.SubscriptionCreated(one));

    public void SubscriptionRemoved(scoped in SubscriptionRemovedEvent what) =>
        Tell(EventKinds.SubscriptionRemoved, what, static (BrokerEventSink sink, scoped in SubscriptionRemovedEvent one) => sink.SubscriptionRemoved(one));

    public void SubscribeRefused(scoped in RefusedEvent what) =>
        Tell(EventKinds.SubscribeRefused, what, static (BrokerEventSink sink, scoped in RefusedEvent one) => sink.SubscribeRefused(one));

    public void PublishRefused(scoped in RefusedEvent what) =>
        Tell(EventKinds.PublishRefused, what, static (BrokerEventSink sink, scoped in RefusedEvent one) => sink.PublishRefused(one));

    public void MessagePublished(scoped in Publication message) =>
        Tell(EventKinds.MessagePublished, message, static (BrokerEventSink sink, scoped in Publication one) => sink.MessagePublished(one));

    public void MessageAcknowledged(in AcknowledgedEvent what) =>
        Tell(EventKinds.MessageFollowed, what, static (BrokerEventSink sink, scoped in AcknowledgedEvent one) => sink.MessageAcknowledged(one));

    public void MessageDelivered(scoped in DeliveredEvent what) =>
        Tell(DeliveryOf(what.Message.Passage), what, static (BrokerEventSink sink, scoped in DeliveredEvent one) => sink.MessageDelivered(one));

    public void MessageRetained(scoped in RetainedEvent what) =>
        Tell(EventKinds.MessageRetained, what, static (BrokerEventSink sink, scoped in RetainedEvent one) => sink.MessageRetained(one));

    public void MessagesDropped(in DroppedEvent what) =>
        Tell(EventKinds.MessagesDropped, what, static (BrokerEventSink sink, scoped in DroppedEvent one) => sink.MessagesDropped(one));

    public void LimitReached(in LimitReachedEvent what) =>
        Tell(EventKinds.LimitReached, what, static (BrokerEventSink sink, scoped in LimitReachedEvent one) => sink.LimitReached(one));

    public void MemoryStageChanged(in MemoryStageEvent what) =>
        Tell(EventKinds.MemoryStageChanged, what, static (BrokerEventSink sink, scoped in MemoryStageEvent one) => sink.MemoryStageChanged(one));

    /// <summary>Counts and tells of an exception that is a bug. Whoever has caught it ends what it happened to.</summary>
    /// <param name="exception">The exception.</param>
    /// <param name="where">What was being done, and for whom.</param>
    public void Fault(Exception exception, string where)
    {
        Interlocked.Increment(ref _faults);
        Tell(EventKinds.Fault, new FaultEvent(exception, where), static (BrokerEventSink sink, scoped in FaultEvent one) => sink.Fault(one));
    }

    /// <summary>Whether anybody wants to know that a message was delivered.</summary>
    /// <param name="passage">What is noted of it; null: nobody follows it.</param>
    public bool WantsDelivery(MessagePassage? passage) => Wants(DeliveryOf(passage));

    /// <summary>Asks who follows a message; null: nobody.</summary>
    public MessagePassage? Follow(scoped in Publication message)
    {
        MessagePassage? passage = null;
        foreach (Registration one in _sinks)
        {
            if ((one.Wanted & EventKinds.MessageFollowed) == 0) continue;
            try
            {
                passage = one.Sink.Follow(message, passage);
            }
            catch (Exception exception)
            {
                Fault(exception, $"asking {one.Sink.GetType().Name} whether to follow a message");
            }
        }

        return passage;
    }

    private static EventKinds DeliveryOf(MessagePassage? passage) =>
        passage is null ? EventKinds.MessageDelivered : EventKinds.MessageDelivered | EventKinds.MessageFollowed;

    private void Tell<T>(EventKinds kind, scoped in T what, Call<T> call)
        where T : allows ref struct
    {
        if (!Wants(kind)) return;
        foreach (Registration one in _sinks)
        {
            if ((one.Wanted & kind) == 0) continue;
            try
            {
                call(one.Sink, what);
            }
            catch (Exception exception)
            {
                // One that fails over a fault is counted only: telling of that might have no end.
                if (kind == EventKinds.Fault) Interlocked.Increment(ref _faults);
                else Fault(exception, $"telling {one.Sink.GetType().Name} of {kind}");
            }
        }
    }

    private void Replace(Registration[] sinks)
    {
        EventKinds wanted = EventKinds.None;
        foreach (Registration one in sinks) wanted |= one.Wanted;
        _sinks = sinks;
        _wanted = wanted;
    }

    private sealed class Registration(BrokerEvents events, BrokerEventSink sink) : IDisposable
    {
        public BrokerEventSink Sink => sink;

        public EventKinds Wanted { get; } = sink.Wanted;

        public void Dispose()
        {
            lock (events._lock.Alone()) events.Replace([.. events._sinks.Where(one => one != this)]);
        }
    }
}
