namespace EdgeBroker.Webhooks.Delivery;

/// <summary>
/// When a receiver is tried again, and whether it is at all: after each failure a little later, after five in a row not for half a minute, then by one request,
/// and, while that fails as well, after twice the time.
/// </summary>
internal struct DeliverySchedule
{
    private const int MostFailures = 5;

    private static readonly TimeSpan[] Steps = [.. new[] { 1, 2, 4, 8, 16 }.Select(seconds => TimeSpan.FromSeconds(seconds))];
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(5);

    /// <summary>Whether the receiver is tried.</summary>
    public CircuitState State { get; private set; }

    /// <summary>Requests that have failed since the last that did not.</summary>
    public int Failures { get; private set; }

    /// <summary>A request has failed; returns how long to wait.</summary>
    /// <param name="asked">How long the receiver asks for; null: it does not say.</param>
    /// <param name="jitter">A random number from 0 to 1.</param>
    public TimeSpan Failed(TimeSpan? asked, double jitter)
    {
        Failures++;
        TimeSpan wait;
        if (Failures < MostFailures)
        {
            wait = Steps[Failures - 1];
        }
        else
        {
            State = CircuitState.Open;
            wait = FirstPause * (1L << Math.Min(Failures - MostFailures, 8));
            if (wait > LongestPause) wait = LongestPause;
        }

        wait *= 0.8 + (0.4 * jitter);
        if (asked is { } least && least > wait) wait = least > LongestPause ? LongestPause : least;
        return wait;
    }

    /// <summary>The wait is over.</summary>
    public void Retry()
    {
        if (State == CircuitState.Open) State = CircuitState.HalfOpen;
    }

    /// <summary>The receiver has answered.</summary>
    public void Answered() => this = default;

    /// <summary>The receiver wants no more.</summary>
    public void TurnOff() => State = CircuitState.Off;
}
