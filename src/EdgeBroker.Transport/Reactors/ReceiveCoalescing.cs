namespace EdgeBroker.Transport.Reactors;

/// <summary>
/// How long a reactor pauses between two turns, so that each receive finds more and each send carries more; with network cards it is known as interrupt coalescing. It is tried, again and
/// again, for some turns without pauses and for some with them, and pauses until the next trial where clearly more got done that way: clients that send at a rate of their own, or wait for
/// an answer before they send again, send no more to a broker that lets them wait. Times are in ticks of <see cref="TimeSpan"/>.
/// </summary>
internal sealed class ReceiveCoalescing
{
    /// <summary>The longest pause.</summary>
    public const long LongestPause = 100 * TimeSpan.TicksPerMicrosecond;

    // A pause is that part of the work before it: a message waits a little longer than it would have worked anyway.
    private const int Part = 4;

    // To sleep and be woken costs some 5 us. With little to do turns are too short for a pause, and trials change nothing.
    private const long ShortestPause = 10 * TimeSpan.TicksPerMicrosecond;

    // Means are over about so many turns: at half load a few follow one another by chance without a wait.
    private const double RecentTurns = 16;

    // What a busy one waits at most, as a part of what it works.
    private const double MostWaiting = 0.5;

    private const int TrialTurns = 64;

    // Not counted, at the beginning of each half of a trial: what they find came in the turns before.
    private const int SettlingTurns = 4;

    private const int TurnsBetweenTrials = 1024;

    // What they must get done, as a part of what gets done without: more than chance makes of a load that does not care.
    private const double LeastGain = 1.08;

    private double _waited;
    private double _worked;
    private int _turn;
    private double _plainRate;
    private long _received;
    private long _time;

    // Trials are short, so one alone says little; and one that a load began or ended in says nothing.
    private double _gain = 1;

    /// <summary>Whether work waits for the reactor rather than the reactor for work, as far as the last turns tell.</summary>
    public bool IsBusy => _waited <= _worked * MostWaiting;

    /// <summary>How long to pause after a turn; 0 not at all.</summary>
    /// <param name="paused">How long the pause before it was.</param>
    /// <param name="waited">How long it then waited for work.</param>
    /// <param name="worked">How long it worked.</param>
    /// <param name="received">Bytes it received.</param>
    public long PauseAfter(long paused, long waited, long worked, int received)
    {
        _waited += (waited - _waited) / RecentTurns;
        _worked += (worked - _worked) / RecentTurns;
        bool pauses = Follow(paused + waited + worked, received);
        long pause = Math.Min(worked / Part, LongestPause);
        return pauses && pause >= ShortestPause ? pause : 0;
    }

    /// <summary>Counts a turn; whether a pause follows it.</summary>
    private bool Follow(long time, int received)
    {
        if (_turn < 2 * TrialTurns && _turn % TrialTurns >= SettlingTurns)
        {
            _received += received;
            _time += time;
        }

        _turn++;
        if (_turn == TrialTurns) _plainRate = TakeRate();
        else if (_turn == 2 * TrialTurns) Judge(TakeRate());
        else if (_turn == (2 * TrialTurns) + TurnsBetweenTrials) _turn = 0;
        return _turn >= 2 * TrialTurns ? _gain >= LeastGain : _turn >= TrialTurns;
    }

    private double TakeRate()
    {
        double rate = _time > 0 ? (double)_received / _time : 0;
        _received = 0;
        _time = 0;
        return rate;
    }

    private void Judge(double pausedRate)
    {
        if (_plainRate > 0) _gain = ((3 * _gain) + Math.Clamp(pausedRate / _plainRate, 0.5, 2)) / 4;
    }
}
