using EdgeBroker.Client;

namespace EdgeBroker.Bridge.Hosting;

/// <summary>
/// Waits between attempts: each a random time between the first wait and three times the one before, so that the bridges of many gateways that lost the same
/// server do not come back together.
/// </summary>
/// <param name="options">The bounds.</param>
/// <param name="random">Between 0 and 1.</param>
internal sealed class DecorrelatedBackoff(ReconnectOptions options, Func<double> random)
{
    private TimeSpan _last = options.FirstDelay;

    /// <summary>The next wait.</summary>
    public TimeSpan Next()
    {
        TimeSpan most = _last * 3 < options.LongestDelay ? _last * 3 : options.LongestDelay;
        TimeSpan spread = most - options.FirstDelay;
        _last = options.FirstDelay + (spread > TimeSpan.Zero ? spread * random() : TimeSpan.Zero);
        return _last;
    }

    /// <summary>A connection that outlived the wait now due starts the waits anew; one that broke at once does not.</summary>
    public void ConnectionLasted(TimeSpan time)
    {
        if (time >= _last) _last = options.FirstDelay;
    }
}
