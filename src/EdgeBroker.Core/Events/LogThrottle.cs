namespace EdgeBroker.Core.Events;

/// <summary>Lets a burst of log lines through in each interval of ten seconds, and counts the rest.</summary>
public sealed class LogThrottle(TimeProvider time, int burst)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private long? _since;
    private int _admitted;
    private long _keptBack;

    /// <summary>Whether this line may be written.</summary>
    /// <param name="keptBack">Lines that were not, since the last that was.</param>
    public bool Admit(out long keptBack)
    {
        lock (_lock.Alone())
        {
            keptBack = 0;
            if (_since is not { } since || time.GetElapsedTime(since) >= Interval)
            {
                _since = time.GetTimestamp();
                _admitted = 0;
            }

            if (_admitted >= burst)
            {
                _keptBack++;
                return false;
            }

            _admitted++;
            keptBack = _keptBack;
            _keptBack = 0;
            return true;
        }
    }
}
