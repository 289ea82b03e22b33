using EdgeBroker.Core.Ports;

namespace EdgeBroker.Core.Sessions;

/// <summary>How much may wait for a session, how long, and what happens beyond. Asked when a message is queued, never when it is sent at once.</summary>
/// <param name="MaxMessages">Messages that may wait.</param>
/// <param name="MaxBytes">Bytes of messages that may wait: topic, payload and properties.</param>
/// <param name="MaxAge">How long a message may wait; null: as long as it has not expired.</param>
/// <param name="MaxStoreBytes">Bytes of messages that may wait on disk; null: no other limit than <paramref name="MaxBytes"/>.</param>
/// <param name="Overflow">What happens to a message beyond that.</param>
/// <param name="KeepsQoS0">Whether QoS 0 waits, too, for a client that is away or reads slowly.</param>
public sealed record QueuePolicy(int MaxMessages, long MaxBytes, TimeSpan? MaxAge, long? MaxStoreBytes, QueueOverflow Overflow, bool KeepsQoS0)
{
    /// <summary>
    /// Which messages are taken at all; null: every one. It is not stored: after a restart every message is taken until a connection brings it again.
    /// </summary>
    public IDeliveryFilter? Filter { get; init; }

    /// <summary>Whether the connection is told how long each message has waited. It is not stored.</summary>
    public bool TellsWait { get; init; }

    /// <summary>Whether messages that wait may be dropped to make room.</summary>
    public bool DropsQueued => Overflow is QueueOverflow.DropOldest or QueueOverflow.KeepLatestPerTopic;

    /// <summary>What holds for a session without a policy of its own.</summary>
    internal static QueuePolicy Of(MqttOptions options) =>
        new(options.MaxQueuedMessages, options.MaxQueuedBytes, MaxAge: null, MaxStoreBytes: null, options.QueueOverflow, KeepsQoS0: false);
}

/// <summary>The words for what happens to a message beyond a queue's limits.</summary>
public static class QueueOverflowWords
{
    /// <summary>The word.</summary>
    public static string ToWord(this QueueOverflow overflow) => overflow switch
    {
        QueueOverflow.DropOldest => "drop-oldest",
        QueueOverflow.DropNewest => "drop-newest",
        QueueOverflow.Reject => "reject",
        QueueOverflow.KeepLatestPerTopic => "keep-latest",
        QueueOverflow.HoldPublishers => "hold-publishers",
        _ => throw new ArgumentOutOfRangeException(nameof(overflow), overflow, "An overflow needs a word."),
    };

    /// <summary>What a word stands for; false where it stands for nothing.</summary>
    public static bool TryParse(string word, out QueueOverflow overflow)
    {
        overflow = Array.Find(Enum.GetValues<QueueOverflow>(), one => one.ToWord() == word);
        return overflow.ToWord() == word;
    }
}
