using EdgeBroker.Core.Ports;

namespace EdgeBroker.Core.Receivers;

/// <summary>What a receiver did with a message.</summary>
public enum DeliveryResult : byte
{
    /// <summary>Nothing: it is not there to take messages, or not of this QoS.</summary>
    Ignored,

    /// <summary>The message is on its way.</summary>
    Sent,

    /// <summary>The message waits in the receiver's queue.</summary>
    Queued,

    /// <summary>The message was dropped, and the publisher is not told.</summary>
    Dropped,

    /// <summary>The message was dropped, and the publisher is told that a queue is full.</summary>
    Refused,
}

/// <summary>What became of a message handed to a receiver.</summary>
/// <param name="Result">What the receiver did with it.</param>
/// <param name="Dropped">Messages dropped on the occasion: this one, or older ones to make room for it.</param>
/// <param name="Reason">Why they were dropped.</param>
public readonly record struct DeliveryOutcome(DeliveryResult Result, int Dropped = 0, DropReason Reason = default)
{
    /// <summary>Not taken, and nothing lost by it.</summary>
    public static readonly DeliveryOutcome Ignored;

    /// <summary>On its way.</summary>
    public static readonly DeliveryOutcome Sent = new(DeliveryResult.Sent);

    /// <summary>One message dropped of which the publisher is not told.</summary>
    public static DeliveryOutcome DroppedFor(DropReason reason) => new(DeliveryResult.Dropped, 1, reason);
}
