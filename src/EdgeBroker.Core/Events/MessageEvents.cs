using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Events;

/// <summary>A filter was subscribed.</summary>
public readonly ref struct SubscriptionCreatedEvent
{
    public required string ClientId { get; init; }

    /// <summary>Null: anonymous.</summary>
    public string? UserName { get; init; }

    /// <summary>The filter, <c>$share/group/</c> included.</summary>
    public required ReadOnlySpan<byte> Filter { get; init; }

    public QoS Granted { get; init; }

    /// <summary>Whether the receiver had subscribed to it before.</summary>
    public bool Replaced { get; init; }
}

/// <summary>Why a subscription is no more.</summary>
public enum SubscriptionEnd
{
    Unsubscribed,
    SessionEnded,

    /// <summary>Somebody took it away who looks after the broker.</summary>
    Administration,
}

/// <summary>A subscription ended.</summary>
public readonly ref struct SubscriptionRemovedEvent
{
    public required string ClientId { get; init; }

    /// <summary>The filter, <c>$share/group/</c> included.</summary>
    public required ReadOnlySpan<byte> Filter { get; init; }

    public SubscriptionEnd Cause { get; init; }
}

/// <summary>A filter or a message was refused.</summary>
public readonly ref struct RefusedEvent
{
    public required string ClientId { get; init; }

    /// <summary>Null: anonymous.</summary>
    public string? UserName { get; init; }

    /// <summary>The filter or topic.</summary>
    public required ReadOnlySpan<byte> Topic { get; init; }

    /// <summary>Of a message, its QoS.</summary>
    public QoS QoS { get; init; }

    /// <summary>Of a message, its RETAIN.</summary>
    public bool Retain { get; init; }

    /// <summary>The reason code; 0x87 where a rule says so.</summary>
    public required ReasonCode Reason { get; init; }

    /// <summary>The rule with its place, or the key; null: the reason code says all.</summary>
    public string? Cause { get; init; }
}

/// <summary>
/// A receiver has a message: a client has acknowledged it (PUBACK, or PUBREC, with which the message is its own), or, at QoS 0, its connection has it to send;
/// whoever owns a local client has read it. A message that was sent before anybody wanted to know may not be told of.
/// </summary>
public readonly ref struct DeliveredEvent
{
    /// <summary>The message; borrowed.</summary>
    public required Publication Message { get; init; }

    public required Receiver To { get; init; }

    /// <summary>The QoS it is delivered with.</summary>
    public QoS QoS { get; init; }

    /// <summary>
    /// Milliseconds since the broker took it; whole seconds of them since it was queued, where it was not followed from the beginning; null: nobody knows.
    /// </summary>
    public double? DelayMs { get; init; }

    /// <summary>Whether it waited in the receiver's queue.</summary>
    public bool HasWaited { get; init; }
}

/// <summary>A message that is followed was taken for good.</summary>
/// <param name="Passage">What is noted of it.</param>
/// <param name="RoutedMs">Milliseconds until it had been handed to its receivers and to the journal.</param>
/// <param name="DoneMs">Milliseconds until its acknowledgement had nothing more to wait for: disk, receivers, or room in their queues.</param>
/// <param name="HasWaited">Whether there was anything to wait for.</param>
/// <param name="Reason">What its publisher may be told.</param>
public readonly record struct AcknowledgedEvent(MessagePassage Passage, double RoutedMs, double DoneMs, bool HasWaited, ReasonCode Reason);

/// <summary>What became of a topic's retained message.</summary>
public enum RetainedChange
{
    /// <summary>Nothing: there was none to delete.</summary>
    None,

    /// <summary>It is the first, or the first after a deletion.</summary>
    Set,

    /// <summary>It takes the place of another.</summary>
    Replaced,

    /// <summary>It was deleted.</summary>
    Deleted,

    /// <summary>Its time was over.</summary>
    Expired,
}

/// <summary>A topic's retained message changed.</summary>
public readonly ref struct RetainedEvent
{
    /// <summary>The message that is kept now; where there is none any more, the one that took it away, or the one that was. Borrowed.</summary>
    public required Publication Message { get; init; }

    public required RetainedChange Change { get; init; }
}

/// <summary>Messages were dropped for a receiver.</summary>
/// <param name="ClientId">The receiver.</param>
/// <param name="Reason">Why.</param>
/// <param name="Count">How many.</param>
public readonly record struct DroppedEvent(string ClientId, DropReason Reason, int Count);

/// <summary>
/// A limit held a client up, dropped what it sent, or refused it a filter. Refused connections are told of by <see cref="BrokerEventSink.ConnectRefused"/>.
/// </summary>
public readonly struct LimitReachedEvent
{
    private readonly BrokerLimits _limits;

    internal LimitReachedEvent(LimitKind limit, LimitAction action, string who, BrokerLimits limits)
    {
        Limit = limit;
        Action = action;
        Who = who;
        _limits = limits;
    }

    public LimitKind Limit { get; }

    /// <summary>What it did.</summary>
    public LimitAction Action { get; }

    /// <summary>The client id, or the address of one that has none yet.</summary>
    public string Who { get; }

    /// <summary>The limit's key and value; a text that is made here.</summary>
    public string Describe() => _limits.Describe(Limit);
}

/// <summary>Memory has become short, or is not any more.</summary>
/// <param name="Stage">What the broker does without.</param>
/// <param name="UsedBytes">Memory in use.</param>
/// <param name="LimitBytes">Memory there may be.</param>
public readonly record struct MemoryStageEvent(MemoryStage Stage, long UsedBytes, long LimitBytes);

/// <summary>An exception that is a bug: it cost one client its connection, or one task its result; everything else goes on.</summary>
/// <param name="Exception">The exception.</param>
/// <param name="Where">What was being done, and for whom.</param>
public readonly record struct FaultEvent(Exception Exception, string Where);
