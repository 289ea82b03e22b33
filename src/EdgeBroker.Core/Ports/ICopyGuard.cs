using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Messages;

namespace EdgeBroker.Core.Ports;

/// <summary>What is known of a message that may have come another way before.</summary>
/// <param name="IsCopy">Whether it has: it is acknowledged, and nothing else is done with it.</param>
/// <param name="Arrival">
/// Of a copy, what its acknowledgement waits for: that the first is kept. Of any other message, what is to be completed when this one is. Null: nothing.
/// </param>
public readonly record struct CopyVerdict(bool IsCopy, Completion? Arrival);

/// <summary>
/// Knows messages that have been here before, because brokers are joined in a circle, and gives those that leave here by several ways an identity to know them
/// by. Called on any thread, with no lock held; returns soon.
/// </summary>
public interface ICopyGuard
{
    /// <summary>Whether a message has been here before. Asked about those that carry properties, in which the way they came is told.</summary>
    CopyVerdict Judge(in Publication message);

    /// <summary>The properties of a message that begins here, with an identity; null: it has one, or began elsewhere.</summary>
    byte[]? Identify(in Publication message);
}
