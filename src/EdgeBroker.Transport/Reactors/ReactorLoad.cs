namespace EdgeBroker.Transport.Reactors;

/// <summary>What the turns of a reactor were spent on: the last ones, for its own thread; all of them, which any thread may read. Times are in ticks of
/// <see cref="TimeSpan"/>. </summary>
internal sealed class ReactorLoad
{
    /// <summary>With less to do than this part of the time, pauses only make clients wait.</summary>
    public const double LeastWorkToPause = 1.0 / 8;

    // Means are over about so many turns: at half load a few follow one another by chance without a wait.
    private const double RecentTurns = 16;

    // What a busy one waits at most, as a part of what it works.
    private const double MostWaiting = 0.5;

    // To sleep and be woken costs about that much work besides.
    private const long PauseCost = 5 * TimeSpan.TicksPerMicrosecond;

    private double _meanTime;
    private double _meanWaited;
    private double _meanWorked;
    private long _turns;
    private long _worked;
    private long _received;

    /// <summary>Whether work waits for the reactor rather than the reactor for work, as far as the last turns tell.</summary>
    public bool IsBusy => _meanWaited <= _meanWorked * MostWaiting;

    /// <summary>Whether it has enough to do for pauses.</summary>
    public bool MayPause => _meanWorked >= _meanTime * LeastWorkToPause;

    /// <summary>All turns.</summary>
    public long Turns => Volatile.Read(ref _turns);

    /// <summary>The work of all turns, and of falling asleep and waking up between them.</summary>
    public long Worked => Volatile.Read(ref _worked);

    /// <summary>Bytes received in all turns.</summary>
    public long Received => Volatile.Read(ref _received);

    /// <summary>Counts a turn.</summary>
    /// <param name="paused">How long the pause before it was.</param>
    /// <param name="waited">How long it then waited for work.</param>
    /// <param name="worked">How long it worked.</param>
    /// <param name="received">Bytes it received.</param>
    public void Add(long paused, long waited, long worked, int received)
    {
        _meanTime += (paused + waited + worked - _meanTime) / RecentTurns;
        _meanWaited += (waited - _meanWaited) / RecentTurns;
        _meanWorked += (worked - _meanWorked) / RecentTurns;
        Volatile.Write(ref _received, _received + received);
        Volatile.Write(ref _worked, _worked + worked + (paused > 0 ? PauseCost : 0));
        Volatile.Write(ref _turns, _turns + 1);
    }
}
