using EdgeBroker.Core.Messages;

namespace EdgeBroker.Core.Events;

/// <summary>
/// Is told what happens in the broker, as far as it wants to know: a log, webhooks, a console. Called outside all locks, on the thread it happened on, which
/// may serve many clients: it copies what it needs into a bounded queue, and returns. Spans and messages are borrowed. What it throws costs only itself.
/// </summary>
public abstract class BrokerEventSink
{
    /// <summary>What it is to be told of: the methods it overrides. Asked for when it is added.</summary>
    public abstract EventKinds Wanted { get; }

    /// <summary>A CONNECT was accepted.</summary>
    public virtual void ClientConnected(in ConnectedEvent what)
    {
    }

    /// <summary>An accepted connection ended.</summary>
    public virtual void ClientDisconnected(in DisconnectedEvent what)
    {
    }

    /// <summary>A client connected while another connection had its client id.</summary>
    public virtual void SessionTakenOver(in TakenOverEvent what)
    {
    }

    /// <summary>A session ended, and with it its subscriptions and queue.</summary>
    public virtual void SessionEnded(string clientId)
    {
    }

    /// <summary>A connection was refused or broke the rules before it was accepted.</summary>
    public virtual void ConnectRefused(in ConnectRefusedEvent what)
    {
    }

    /// <summary>A client was authenticated.</summary>
    public virtual void AuthenticationSucceeded(in AuthenticationSucceededEvent what)
    {
    }

    /// <summary>A client was not authenticated.</summary>
    public virtual void AuthenticationFailed(in AuthenticationFailedEvent what)
    {
    }

    /// <summary>A filter was subscribed.</summary>
    public virtual void SubscriptionCreated(in SubscriptionCreatedEvent what)
    {
    }

    /// <summary>A subscription ended.</summary>
    public virtual void SubscriptionRemoved(in SubscriptionRemovedEvent what)
    {
    }

    /// <summary>A filter was refused.</summary>
    public virtual void SubscribeRefused(in RefusedEvent what)
    {
    }

    /// <summary>A message was refused.</summary>
    public virtual void PublishRefused(in RefusedEvent what)
    {
    }

    /// <summary>A message was taken from its publisher, and is on its way to who wants it. Not those the broker publishes under <c>$SYS</c>.</summary>
    public virtual void MessagePublished(in Publication message)
    {
    }

    /// <summary>
    /// Asked with each message that is taken whether it is to be followed: then <see cref="MessageAcknowledged"/> and <see cref="MessageDelivered"/>
    /// tell of it. A message that is followed is delivered by itself, so it should be one of many.
    /// </summary>
    /// <param name="message">The message; borrowed.</param>
    /// <param name="passage">Who follows it already; null: nobody.</param>
    /// <returns>That, or another one; null: nobody does.</returns>
    public virtual MessagePassage? Follow(in Publication message, MessagePassage? passage) => passage;

    /// <summary>A message that is followed was taken for good: its publisher may be told.</summary>
    public virtual void MessageAcknowledged(in AcknowledgedEvent what)
    {
    }

    /// <summary>
    /// A receiver has taken a message, any message or one that is followed. While anybody wants this of any, messages are delivered one by one.
    /// </summary>
    public virtual void MessageDelivered(in DeliveredEvent what)
    {
    }

    /// <summary>A topic's retained message changed. Not those under <c>$SYS</c>.</summary>
    public virtual void MessageRetained(in RetainedEvent what)
    {
    }

    /// <summary>Messages were dropped for a receiver.</summary>
    public virtual void MessagesDropped(in DroppedEvent what)
    {
    }

    /// <summary>A limit was reached.</summary>
    public virtual void LimitReached(in LimitReachedEvent what)
    {
    }

    /// <summary>Memory has become short, or is not any more.</summary>
    public virtual void MemoryStageChanged(in MemoryStageEvent what)
    {
    }

    /// <summary>There was an exception that is a bug.</summary>
    public virtual void Fault(in FaultEvent what)
    {
    }
}
