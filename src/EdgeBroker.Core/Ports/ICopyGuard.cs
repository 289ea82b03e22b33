using EdgeBroker.Core.Messages;

namespace EdgeBroker.Core.Ports;

/// <summary>
/// Knows messages that have been here before, because brokers are joined in a circle. Asked about those that carry properties, in which the way they came is
/// told; such a message is acknowledged, and nothing else is done with it.
/// </summary>
public interface ICopyGuard
{
    /// <summary>Whether a message has been here before. Called on any thread, with no lock held; returns soon.</summary>
    bool HasBeenHere(in Publication message);
}
