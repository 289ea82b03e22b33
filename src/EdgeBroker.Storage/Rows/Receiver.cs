using EdgeBroker.Core.Journaling;

namespace EdgeBroker.Storage.Rows;

/// <summary>One receiver of a message, as stored.</summary>
/// <param name="Session">The session's number in the store.</param>
/// <param name="Position">The delivery's place in the session's order.</param>
/// <param name="Options">QoS and flags.</param>
/// <param name="SubscriptionIdentifiers">Identifiers of the subscriptions that caused it, or null.</param>
/// <param name="SharedFilter">The shared subscription it came by, or null.</param>
internal readonly record struct Receiver(long Session, long Position, DeliveryOptions Options, uint[]? SubscriptionIdentifiers, byte[]? SharedFilter);
