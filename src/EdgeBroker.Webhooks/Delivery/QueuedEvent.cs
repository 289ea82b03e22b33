using EdgeBroker.Webhooks.Events;

namespace EdgeBroker.Webhooks.Delivery;

/// <summary>An occurrence in the queue of one endpoint.</summary>
/// <param name="What">What happened.</param>
/// <param name="Sequence">Its number among all that this endpoint was to be told, those that were dropped included.</param>
/// <param name="SinceTimestamp">When it was queued, by the monotonic clock.</param>
internal readonly record struct QueuedEvent(Occurrence What, long Sequence, long SinceTimestamp);
