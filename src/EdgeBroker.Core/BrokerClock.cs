namespace EdgeBroker.Core;

/// <summary>Monotonic time in milliseconds since the broker started: the clock of every timer and expiry. A jump of the wall clock does not touch it.</summary>
public sealed class BrokerClock(TimeProvider time)
{
    private readonly long _start = time.GetTimestamp();

    /// <summary>Milliseconds since the start.</summary>
    public long NowMs => (long)time.GetElapsedTime(_start).TotalMilliseconds;

    /// <summary>The wall clock's time, to show people how far away a date is; nothing is decided by it.</summary>
    public DateTimeOffset WallTime => time.GetUtcNow();
}
