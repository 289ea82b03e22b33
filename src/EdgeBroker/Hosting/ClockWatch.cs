using System.Globalization;
using EdgeBroker.Core.Hosting;
using EdgeBroker.Core.Metrics;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Hosting;

/// <summary>
/// Notices when somebody sets this machine's clock, or it slept: certificates, tokens and the times people read depend on it. Expiry of messages and sessions
/// does not: that goes by the time since the start.
/// </summary>
internal sealed partial class ClockWatch : IBrokerPart
{
    /// <summary>How often it looks.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    // Less is what a time server's corrections come to.
    private static readonly TimeSpan Smallest = TimeSpan.FromSeconds(2);

    // Longer between the looks at two clocks, and what they say does not belong together: this thread was held up.
    private static readonly TimeSpan LongestLook = Smallest / 4;
    private static readonly TimeSpan Remembered = TimeSpan.FromHours(1);

    // Older than any release of this program: nobody has set it since the machine was switched on.
    private static readonly DateTimeOffset Unset = new(2025, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private (long Timestamp, DateTimeOffset At)? _seen;
    private long _jumps;
    private volatile Jump? _last;

    /// <param name="meters">Where jumps are counted.</param>
    /// <param name="addPeriodic">Has something run again and again, once the listeners start.</param>
    /// <param name="time">The clock, and what it is compared with.</param>
    /// <param name="log">Event id 9070.</param>
    public ClockWatch(MeterRegistry meters, Action<TimeSpan, Action> addPeriodic, TimeProvider time, ILogger log)
    {
        (_time, _log) = (time, log);
        _seen = Read();
        meters.Counter("edgebroker.clock.jumps", "{jump}", "times this machine's clock was set, or it slept", () => Volatile.Read(ref _jumps));
        addPeriodic(Interval, Look);
    }

    /// <inheritdoc/>
    public string Name => "clock";

    /// <inheritdoc/>
    public IEnumerable<HealthFinding> Findings()
    {
        DateTimeOffset now = _time.GetUtcNow();
        string? wrong = now < Unset ? $"it says {now:yyyy-MM-dd}: set it, or have it set by NTP; certificates and tokens depend on it"
            : _last is { } jump && _time.GetElapsedTime(jump.Timestamp) < Remembered ? "it jumped " + jump.Text
            : null;
        yield return new HealthFinding(Name, wrong is null ? HealthState.Good : HealthState.Warning, wrong ?? "it goes evenly");
    }

    /// <summary>Compares the clock with the time that has passed; one thread at a time.</summary>
    internal void Look()
    {
        if (Read() is not var (timestamp, now)) return;
        (long Timestamp, DateTimeOffset At) seen = _seen ?? (timestamp, now);
        _seen = (timestamp, now);
        TimeSpan jump = now - seen.At - _time.GetElapsedTime(seen.Timestamp, timestamp);
        if (jump.Duration() < Smallest) return;
        string way = jump > TimeSpan.Zero ? "forward" : "back";
        string text = string.Create(CultureInfo.InvariantCulture, $"{way} by {jump.Duration().TotalSeconds:0} s at {now:yyyy-MM-dd HH:mm:ss} UTC");
        _last = new Jump(timestamp, text);
        Interlocked.Increment(ref _jumps);
        LogJump(_log, text);
    }

    /// <summary>Reads both clocks; null: not at the same time.</summary>
    private (long Timestamp, DateTimeOffset At)? Read()
    {
        long before = _time.GetTimestamp();
        DateTimeOffset now = _time.GetUtcNow();
        long after = _time.GetTimestamp();
        return _time.GetElapsedTime(before, after) <= LongestLook ? (after, now) : null;
    }

    [LoggerMessage(9070, LogLevel.Warning, "this machine's clock jumped {Jump}: it was set, or the machine slept; certificates and tokens are judged by it")]
    private static partial void LogJump(ILogger log, string jump);

    private sealed record Jump(long Timestamp, string Text);
}
