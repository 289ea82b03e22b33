using EdgeBroker.Core.Ports;

namespace EdgeBroker.Core.Sessions;

/// <summary>What became of a message handed to a session.</summary>
/// <param name="Taken">Whether it was sent or queued.</param>
/// <param name="Dropped">Messages dropped on the occasion: this one, or older ones in its favour.</param>
/// <param name="Reason">Why they were dropped.</param>
/// <param name="Refused">Whether the publisher is to be told that the queue is full.</param>
internal readonly record struct DeliveryOutcome(bool Taken, int Dropped = 0, DropReason Reason = default, bool Refused = false)
{
    public static readonly DeliveryOutcome Ignored;
    public static readonly DeliveryOutcome Sent = new(true);
}
