namespace EdgeBroker.Core.Events;

/// <summary>
/// Bounds the log lines that clients can cause at will, for one kind of line: in ten seconds each subject - a client, an address - has some, and all subjects
/// together have more. The first line of a subject hides behind nobody else's. What was held back is told when the ten seconds are over. Any thread.
/// </summary>
public sealed class LogBudget
{
    private const int MostSubjects = 1_000;
    private const int MostTold = 20;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private readonly TimeProvider _time;
    private readonly int _each;
    private readonly int _all;
    private readonly Action<string?, long> _tell;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Count> _subjects = new(StringComparer.Ordinal);
    private ITimer? _timer;
    private long? _since;
    private int _admitted;
    private long _heldOfOthers;
    private bool _isTimerSet;

    /// <param name="time">The clock.</param>
    /// <param name="each">Lines of one subject in ten seconds.</param>
    /// <param name="all">Lines of all subjects in ten seconds.</param>
    /// <param name="tell">Is told how many lines of a subject were held back, or, with null, of all those not named one by one.</param>
    public LogBudget(TimeProvider time, int each, int all, Action<string?, long> tell)
    {
        _time = time;
        _each = each;
        _all = all;
        _tell = tell;
    }

    /// <summary>Whether this line may be written.</summary>
    public bool Admit(string subject)
    {
        List<(string? Subject, long Held)>? over = null;
        bool isAdmitted;
        lock (_lock.Alone())
        {
            if (_since is { } since && _time.GetElapsedTime(since) >= Interval) over = End();
            _since ??= _time.GetTimestamp();
            isAdmitted = Take(subject);
            if (!isAdmitted) SetTimer();
        }

        Tell(over);
        return isAdmitted;
    }

    private bool Take(string subject)
    {
        if (!_subjects.TryGetValue(subject, out Count count) && _subjects.Count >= MostSubjects)
        {
            _heldOfOthers++;
            return false;
        }

        bool isAdmitted = count.Admitted < _each && _admitted < _all;
        if (isAdmitted) _admitted++;
        _subjects[subject] = isAdmitted ? count with { Admitted = count.Admitted + 1 } : count with { Held = count.Held + 1 };
        return isAdmitted;
    }

    private void SetTimer()
    {
        if (_isTimerSet) return;
        _isTimerSet = true;
        TimeSpan left = Interval - _time.GetElapsedTime(_since!.Value);
        _timer ??= _time.CreateTimer(static state => ((LogBudget)state!).TimeIsOver(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _timer.Change(left > TimeSpan.Zero ? left : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }

    private void TimeIsOver()
    {
        List<(string? Subject, long Held)>? over = null;
        lock (_lock.Alone())
        {
            _isTimerSet = false;
            if (_since is { } since && _time.GetElapsedTime(since) >= Interval) over = End();
            else if (_since is not null) SetTimer();
        }

        Tell(over);
    }

    /// <summary>Ends the ten seconds; returns what was held back, those with most first.</summary>
    private List<(string? Subject, long Held)> End()
    {
        var held = new List<(string? Subject, long Held)>();
        long others = _heldOfOthers;
        foreach ((string subject, Count count) in _subjects.Where(one => one.Value.Held > 0).OrderByDescending(one => one.Value.Held))
        {
            if (held.Count < MostTold) held.Add((subject, count.Held));
            else others += count.Held;
        }

        if (others > 0) held.Add((null, others));
        _subjects.Clear();
        _since = null;
        _admitted = 0;
        _heldOfOthers = 0;
        return held;
    }

    private void Tell(List<(string? Subject, long Held)>? over)
    {
        if (over is null) return;
        foreach ((string? subject, long held) in over) _tell(subject, held);
    }

    private readonly record struct Count(int Admitted, long Held);
}
