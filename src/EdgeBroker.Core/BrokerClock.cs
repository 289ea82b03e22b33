using EdgeBroker.Core.Messages;

namespace EdgeBroker.Core;

/// <summary>Monotonic time in milliseconds since the broker started: the clock of every timer and expiry. A jump of the wall clock does not touch it.</summary>
public sealed class BrokerClock(TimeProvider time)
{
    private readonly long _start = time.GetTimestamp();

    /// <summary>Milliseconds since the start.</summary>
    public long NowMs => (long)time.GetElapsedTime(_start).TotalMilliseconds;

    /// <summary>A moment, for <see cref="MillisecondsSince(long)"/>.</summary>
    public long Timestamp => time.GetTimestamp();

    /// <summary>Milliseconds, with their fractions, since a moment.</summary>
    public double MillisecondsSince(long timestamp) => time.GetElapsedTime(timestamp).TotalMilliseconds;

    /// <summary>Milliseconds since the broker took a message; null: it is not followed.</summary>
    internal double? MillisecondsSince(MessagePassage? passage) => passage is null ? null : MillisecondsSince(passage.TakenAt);

    /// <summary>The wall clock's time, to show people how far away a date is; nothing is decided by it.</summary>
    public DateTimeOffset WallTime => time.GetUtcNow();
}
