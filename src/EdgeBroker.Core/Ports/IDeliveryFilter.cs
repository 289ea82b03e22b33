using EdgeBroker.Core.Messages;

namespace EdgeBroker.Core.Ports;

/// <summary>
/// Says which of the messages that match its subscriptions a session takes at all. What it does not take is neither queued nor counted as dropped.
/// </summary>
public interface IDeliveryFilter
{
    /// <summary>Whether the session takes a message. Called on any thread, with no lock held; returns soon.</summary>
    bool Takes(in Publication message);
}
