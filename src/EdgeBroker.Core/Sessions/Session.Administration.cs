using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Topics;

namespace EdgeBroker.Core.Sessions;

// What is done to it from outside, without a connection's right.
public sealed partial class Session
{
    /// <summary>The oldest messages that wait for it.</summary>
    /// <param name="limit">Most of them.</param>
    internal List<WaitingMessage> ListQueue(int limit)
    {
        lock (SyncRoot.Alone()) return _queue.ToList(limit);
    }

    /// <summary>Drops the oldest messages that wait; what is sent and not acknowledged stays.</summary>
    /// <param name="atMost">Messages that may go.</param>
    /// <returns>How many did.</returns>
    internal int PurgeQueue(int atMost)
    {
        Deferred deferred;
        int dropped = 0;
        lock (SyncRoot.Alone())
        {
            if (HasEnded || ReferenceEquals(_queue, MessageQueue.None)) return 0;
            for (; dropped < atMost && _queue.Count > 0; dropped++) DropOldest();
            deferred = TakeDeferred();
        }

        deferred.Complete();
        return dropped;
    }

    /// <summary>Takes a subscription away, whoever is connected.</summary>
    /// <returns>The subscription; null: there was none.</returns>
    internal Subscription? RemoveSubscription(ReadOnlySpan<byte> filter, out Completion? completion)
    {
        lock (SyncRoot.Alone()) return Unsubscribe(filter, out completion);
    }
}
