namespace EdgeBroker.Transport.Pipes;

// The deadline, and how long a peer may take for the last bytes: both by one timer.
public sealed partial class PipeConnection
{
    // A timer takes no more than some 49 days; deadlines know no bound.
    private const long LongestTimerMs = 24 * 60 * 60 * 1000;

    public override long DeadlineMs => _deadlineMs;

    public override void SetDeadline(long dueMs)
    {
        if (dueMs == _deadlineMs) return;
        _deadlineMs = dueMs;
        SetTimer(dueMs);
    }

    // When it fires before the time has come, it is set again.
    private void SetTimer(long dueMs)
    {
        TimeSpan delay = dueMs == long.MaxValue ? Timeout.InfiniteTimeSpan : TimeSpan.FromMilliseconds(Math.Clamp(dueMs - NowMs, 0, LongestTimerMs));
        _timer.Change(delay, Timeout.InfiniteTimeSpan);
    }

    private void OnTimer()
    {
        _timerFired = true;
        _attention.Set();
    }

    private void CutInTime()
    {
        long nowMs = NowMs;
        if (_cutMs == long.MaxValue) _cutMs = nowMs + LingerMs;
        // The timer measures with another clock and may be a little early: then it is set again.
        if (nowMs >= _cutMs) _pipe.Output.CancelPendingFlush();
        else SetTimer(_cutMs);
    }
}
