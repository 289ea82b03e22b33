namespace EdgeBroker.Transport.Reactors;

/// <summary>
/// How long reactors pause between two turns, so that each receive finds more and each send carries more; with network cards it is known as interrupt
/// coalescing. Now and then they try for
/// some milliseconds each what comes of not pausing and of each pause, and keep to the best until the next trial. They pause only when busy, and where clearly
/// more is received that way,
/// or as much for clearly less work; clients that wait for an answer before they send again send less to a broker that lets them wait. All reactors try the
/// same at once: what one leaves of
/// the processors the others take. Times are in ticks of <see cref="TimeSpan"/>, by a clock that all reactors share.
/// </summary>
/// <param name="loads">Those of the reactors.</param>
internal sealed class ReceiveCoalescing(ReactorLoad[] loads)
{
    /// <summary>The longest pause.</summary>
    public const long LongestPause = 800 * TimeSpan.TicksPerMicrosecond;

    // A trial has nothing to find where less of the time is work. Two reactors that wake each other for every message wait half of it, and come to a whole
    // together.
    private const double LeastWorkToTry = 0.75;

    // The same where clients have been seen to follow: they may be what keeps it waiting without a pause.
    private const double LeastWorkToGoOn = 0.5;

    // How soon it is seen that the load is gone for which a pause was chosen.
    private const long LookInterval = 20 * TimeSpan.TicksPerMillisecond;

    // Not counted, at the beginning of each part of a trial: what is received then came in the turns before.
    private const int SettlingTurns = 4;
    private const long SettlingTime = 2 * TimeSpan.TicksPerMillisecond;

    private const int CountedTurns = 20;
    private const long CountedTime = 8 * TimeSpan.TicksPerMillisecond;

    // A load that has just begun is tried soon and often, one that goes on seldom: what a trial shows is worth less than what it costs where nothing changes.
    private const long ShortestInterval = 50 * TimeSpan.TicksPerMillisecond;
    private const long ShortestIntervalAfterChange = 200 * TimeSpan.TicksPerMillisecond;
    private const long LongestInterval = 4 * TimeSpan.TicksPerSecond;

    // What must be received with a pause, as a part of the most that any gets: as much, but for chance.
    private const double LeastGain = 0.97;

    // What both gains, one times the other, must come to, as a multiple of what they are with a shorter pause. Where no more is received, that much less is
    // worked for it.
    private const double LeastWorth = 1.15;

    // Clients that send at a rate of their own send no more than that with any pause. A message of theirs would wait in it for less work only, so not for long.
    private const double LeastGainOfClientsThatFollow = 1.1;
    private const int LeastTrialsToFollow = 3;
    private const long LongestPauseForLessWork = 100 * TimeSpan.TicksPerMicrosecond;

    // For the pause that is in use, or it would come and go where two are nearly as good.
    private const double WorthOfStaying = 1.02;

    // Below this a longer pause is not tried.
    private const double LeastToTryLonger = 0.6;

    // Parts of a trial are short, so each counts for a quarter of what is believed, once as many have been seen; and one that a load began or ended in says
    // nothing.
    private const double Newest = 0.25;
    private const double LeastBelieved = 0.5;
    private const double MostGain = 2;
    private const double MostWorkGain = 4;

    private static readonly long[] Pauses =
    [
        0, 50 * TimeSpan.TicksPerMicrosecond, 100 * TimeSpan.TicksPerMicrosecond, 200 * TimeSpan.TicksPerMicrosecond, 400 * TimeSpan.TicksPerMicrosecond, LongestPause,
    ];

    // By pause: bytes received in a time, and for an amount of work, as parts of what both are without a pause.
    private readonly double[] _gains = NoGains();
    private readonly double[] _workGains = NoGains();
    private long _pause;
    private long _nextLook = ShortestInterval;
    private int _isLooking;
    private State _state;
    private int _chosen;
    private int _tried;

    // Since nothing was known.
    private int _trials;
    private long _nextTrial = ShortestInterval;
    private long _interval = ShortestInterval;
    private Totals _since;
    private double _plainRate;
    private double _plainWorkRate;

    private enum State
    {
        Keeps,
        Settles,
        Counts,
    }

    /// <summary>How long a reactor is to pause after a turn; 0 not at all. From the threads of all reactors.</summary>
    public long PauseAfterTurn(long now)
    {
        // What one of them finds holds for all; the others go on meanwhile.
        if (now >= Volatile.Read(ref _nextLook) && Interlocked.Exchange(ref _isLooking, 1) == 0)
        {
            // Another may have looked since.
            if (now >= Volatile.Read(ref _nextLook)) Look(now);
            Volatile.Write(ref _pause, Pauses[_state == State.Keeps ? _chosen : _tried]);
            Volatile.Write(ref _isLooking, 0);
        }

        return Volatile.Read(ref _pause);
    }

    /// <summary>Whether clients send more to a broker that pauses.</summary>
    private bool ClientsFollow => _trials >= LeastTrialsToFollow && _gains.Max() >= LeastGainOfClientsThatFollow;

    private static double[] NoGains()
    {
        var gains = new double[Pauses.Length];
        gains.AsSpan().Fill(1);
        return gains;
    }

    private void Look(long now)
    {
        Totals totals = Totals.Of(loads, now);
        Totals passed = totals - _since;
        switch (_state)
        {
            case State.Settles when passed.Turns >= SettlingTurns:
                Enter(State.Counts, totals, CountedTime);
                break;
            case State.Counts when passed.Turns >= CountedTurns:
                EndPart(passed, totals);
                break;
            case State.Keeps when _chosen > 0 && passed.Worked < passed.Time * ReactorLoad.LeastWorkToPause:
                Forget(totals);
                break;
            case State.Keeps when now >= _nextTrial:
                Try(0, totals);
                break;
            case State.Keeps:
                Enter(State.Keeps, totals, LookInterval);
                break;
        }
    }

    private void Enter(State state, Totals since, long nextLook)
    {
        _state = state;
        _since = since;
        Volatile.Write(ref _nextLook, since.Time + nextLook);
    }

    private void Try(int pause, Totals totals)
    {
        _tried = pause;
        Enter(State.Settles, totals, SettlingTime);
    }

    private void EndPart(Totals passed, Totals totals)
    {
        double rate = (double)passed.Received / passed.Time;
        double workRate = (double)passed.Received / Math.Max(1, passed.Worked);
        if (_tried == 0)
        {
            _plainRate = rate;
            _plainWorkRate = workRate;
            double leastWork = ClientsFollow ? LeastWorkToGoOn : LeastWorkToTry;
            if (passed.Received == 0 || passed.Worked < passed.Time * leastWork) Forget(totals);
            else Try(1, totals);
            return;
        }

        double gain = Math.Clamp(rate / _plainRate, LeastBelieved, MostGain);
        double workGain = Math.Clamp(workRate / _plainWorkRate, LeastBelieved, MostWorkGain);
        Believe(gain, workGain);
        // Longer ones that are not tried are thought to be as bad.
        for (; gain < LeastToTryLonger && _tried < Pauses.Length - 1; Believe(gain, workGain)) _tried++;
        if (_tried < Pauses.Length - 1) Try(_tried + 1, totals);
        else Choose(totals);
    }

    private void Believe(double gain, double workGain)
    {
        double weight = Math.Max(Newest, 1.0 / (_trials + 2));
        _gains[_tried] += weight * (gain - _gains[_tried]);
        _workGains[_tried] += weight * (workGain - _workGains[_tried]);
    }

    private void Choose(Totals totals)
    {
        _trials++;
        bool clientsFollow = ClientsFollow;
        int candidates = clientsFollow ? Pauses.Length : Pauses.Count(pause => pause <= LongestPauseForLessWork);
        double most = _gains.Take(candidates).Max();
        int best = -1;
        double worthOfBest = 0;
        for (int i = 0; i < candidates; i++)
        {
            double gain = _gains[i] * (i == _chosen ? WorthOfStaying : 1);
            double worth = gain * _workGains[i];
            bool isEnough = gain >= most * LeastGain && (i == 0 || worth >= LeastWorth);
            bool isBetter = best < 0 || (worth >= worthOfBest * LeastWorth && (best == 0 || clientsFollow));
            if (!isEnough || !isBetter) continue;
            best = i;
            worthOfBest = worth;
        }

        best = Math.Max(0, best);
        _interval = best == _chosen ? Math.Min(_interval * 2, LongestInterval) : Math.Max(_interval / 4, ShortestIntervalAfterChange);
        Keep(best, totals);
    }

    private void Forget(Totals totals)
    {
        _gains.AsSpan().Fill(1);
        _workGains.AsSpan().Fill(1);
        _trials = 0;
        _interval = ShortestInterval;
        Keep(0, totals);
    }

    private void Keep(int pause, Totals totals)
    {
        _chosen = pause;
        _nextTrial = totals.Time + _interval;
        Enter(State.Keeps, totals, LookInterval);
    }

    /// <summary>What all reactors did until a time, or in one.</summary>
    private readonly record struct Totals(long Time, long Turns, long Worked, long Received)
    {
        public static Totals Of(ReactorLoad[] loads, long time)
        {
            var totals = new Totals(time, 0, 0, 0);
            foreach (ReactorLoad load in loads) totals = new Totals(time, totals.Turns + load.Turns, totals.Worked + load.Worked, totals.Received + load.Received);
            return totals;
        }

        public static Totals operator -(Totals one, Totals other) =>
            new(one.Time - other.Time, one.Turns - other.Turns, one.Worked - other.Worked, one.Received - other.Received);
    }
}
