namespace EdgeBroker.Transport.Pipes;

/// <summary>
/// The deadline of a connection over a pipe, and how long its peer may take for the last bytes: both by one timer. For iterations of the connection only.
/// </summary>
internal sealed class PipeTimer : IAsyncDisposable
{
    // As with a socket: a peer that does not take our last bytes in this time is cut.
    private const long LingerMs = 1000;

    // A timer takes no more than some 49 days; deadlines know no bound.
    private const long LongestTimerMs = 24 * 60 * 60 * 1000;

    private readonly TimeProvider _time;
    private readonly long _start;
    private readonly ITimer _timer;
    private readonly Action _attend;
    private long _cutMs = long.MaxValue;
    private volatile bool _hasFired;

    /// <param name="time">The clock.</param>
    /// <param name="attend">Called on the timer's thread when there is something to look at.</param>
    public PipeTimer(TimeProvider time, Action attend)
    {
        _time = time;
        _start = time.GetTimestamp();
        _attend = attend;
        _timer = time.CreateTimer(static state => ((PipeTimer)state!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Milliseconds since it was made.</summary>
    public long NowMs => (long)_time.GetElapsedTime(_start).TotalMilliseconds;

    /// <summary>The deadline; <see cref="long.MaxValue"/>: none.</summary>
    public long DueMs { get; private set; } = long.MaxValue;

    /// <summary>Sets the deadline.</summary>
    public void Set(long dueMs)
    {
        if (dueMs == DueMs) return;
        DueMs = dueMs;
        Arm(dueMs);
    }

    /// <summary>Whether the deadline has passed. Then there is none any more.</summary>
    public bool TakeDue()
    {
        // Before the clock is read: when the timer fires from here on, there is another iteration for it.
        bool hasFired = _hasFired;
        _hasFired = false;
        if (NowMs >= DueMs)
        {
            DueMs = long.MaxValue;
            return true;
        }

        // It measures with another clock and may be a little early.
        if (hasFired && DueMs != long.MaxValue) Arm(DueMs);
        return false;
    }

    /// <summary>Whether the peer of a connection that closes has had its time to take the last bytes, which begins with the first call.</summary>
    public bool IsCutDue()
    {
        long nowMs = NowMs;
        if (_cutMs == long.MaxValue) _cutMs = nowMs + LingerMs;
        if (nowMs >= _cutMs) return true;
        Arm(_cutMs);
        return false;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _timer.DisposeAsync();

    private void Arm(long dueMs)
    {
        TimeSpan delay = dueMs == long.MaxValue ? Timeout.InfiniteTimeSpan : TimeSpan.FromMilliseconds(Math.Clamp(dueMs - NowMs, 0, LongestTimerMs));
        _timer.Change(delay, Timeout.InfiniteTimeSpan);
    }

    private void OnTimer()
    {
        _hasFired = true;
        _attend();
    }
}
