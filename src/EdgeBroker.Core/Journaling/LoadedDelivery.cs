using EdgeBroker.Core.Messages;

namespace EdgeBroker.Core.Journaling;

/// <summary>A delivery read back from the store.</summary>
/// <param name="Position">Its place in the session's order.</param>
/// <param name="Message">The message; null when the store has lost it.</param>
/// <param name="SubscriptionIdentifiers">Identifiers of the subscriptions that caused it, or null.</param>
/// <param name="SharedFilter">The shared subscription it came by, or null.</param>
public readonly record struct LoadedDelivery(long Position, Message? Message, uint[]? SubscriptionIdentifiers, byte[]? SharedFilter);
