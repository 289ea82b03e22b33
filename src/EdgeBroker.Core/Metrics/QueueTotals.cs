using EdgeBroker.Core.Sessions;

namespace EdgeBroker.Core.Metrics;

/// <summary>What waits in all queues of one kind.</summary>
/// <param name="Messages">Messages that wait, in flight included.</param>
/// <param name="Bytes">The bytes of those that are not.</param>
/// <param name="OldestSeconds">How long the oldest of those has waited.</param>
/// <param name="LargestMessages">Messages of the longest queue, in flight included.</param>
internal readonly record struct QueueTotal(long Messages, long Bytes, long OldestSeconds, long LargestMessages)
{
    /// <summary>This and another queue.</summary>
    public QueueTotal With(in SessionBacklog backlog)
    {
        long messages = backlog.Messages + backlog.Inflight;
        return new QueueTotal(
            Messages + messages, Bytes + backlog.Bytes, Math.Max(OldestSeconds, backlog.OldestSeconds), Math.Max(LargestMessages, messages));
    }
}

/// <summary>What waits in all sessions.</summary>
/// <param name="Sessions">For clients.</param>
/// <param name="Bridges">For bridges.</param>
/// <param name="InflightSent">Messages sent to receivers that have not acknowledged them.</param>
/// <param name="InflightReceived">Messages of QoS 2 whose PUBREL has not come.</param>
internal sealed record QueueTotals(QueueTotal Sessions, QueueTotal Bridges, long InflightSent, long InflightReceived)
{
    /// <summary>Nothing.</summary>
    public static QueueTotals None { get; } = new(default, default, 0, 0);
}

/// <summary>What takes a walk over all sessions to find: whoever reads it gets figures that are up to five seconds old. Any thread.</summary>
internal sealed class RecentQueueTotals(Func<QueueTotals> count, BrokerClock clock)
{
    private const long LongestMs = 5_000;

    private long _validUntilMs = long.MinValue;
    private QueueTotals _totals = QueueTotals.None;

    public QueueTotals Read()
    {
        long nowMs = clock.NowMs;
        long validUntilMs = Volatile.Read(ref _validUntilMs);
        // Of several who find it old one counts, and the others take what there is.
        if (nowMs >= validUntilMs && Interlocked.CompareExchange(ref _validUntilMs, nowMs + LongestMs, validUntilMs) == validUntilMs)
        {
            Volatile.Write(ref _totals, count());
        }

        return Volatile.Read(ref _totals);
    }
}
