using Microsoft.Extensions.Logging;

namespace EdgeBroker.Logging;

/// <summary>A level of the log that somebody has set at run time, and that may end by itself.</summary>
/// <param name="loggers">The log.</param>
/// <param name="configured">What the configuration says.</param>
/// <param name="time">The clock.</param>
internal sealed class LevelForNow(LineLoggerFactory loggers, Func<LogLevel> configured, TimeProvider time) : IDisposable
{
    private readonly Lock _lock = new();
    private ITimer? _return;
    private long _endsAt;

    /// <summary>In how many seconds the configured level is back; null: not by itself.</summary>
    public long? UntilSeconds
    {
        get
        {
            lock (_lock) return _return is null ? null : Math.Max(0, (long)Math.Ceiling(time.GetElapsedTime(time.GetTimestamp(), _endsAt).TotalSeconds));
        }
    }

    /// <summary>Sets a level.</summary>
    /// <param name="level">The level.</param>
    /// <param name="duration">For how long; null: until somebody sets another, or a reload.</param>
    public void Set(LogLevel level, TimeSpan? duration)
    {
        lock (_lock)
        {
            _return?.Dispose();
            _return = null;
            loggers.MinimumLevel = level;
            if (duration is not { } span) return;
            _endsAt = time.GetTimestamp() + (long)(span.TotalSeconds * time.TimestampFrequency);
            _return = time.CreateTimer(static state => ((LevelForNow)state!).Return(), this, span, Timeout.InfiniteTimeSpan);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock) _return?.Dispose();
    }

    private void Return()
    {
        lock (_lock)
        {
            _return?.Dispose();
            _return = null;
            loggers.MinimumLevel = configured();
        }
    }
}
