namespace EdgeBroker.Client;

/// <summary>The waits between attempts to connect: doubling, bounded, spread by a fifth so that many clients do not return at the same instant.</summary>
internal sealed class Backoff(ReconnectOptions options)
{
    private TimeSpan _next = options.FirstDelay;

    public TimeSpan Next()
    {
        TimeSpan wait = _next;
        _next = Min(2 * _next, options.LongestDelay);
        return wait * (0.8 + (0.4 * Random.Shared.NextDouble()));
    }

    /// <summary>A connection that outlived the wait now due starts the waits anew; one that broke at once does not.</summary>
    public void ConnectionLasted(TimeSpan time)
    {
        if (time >= _next) _next = options.FirstDelay;
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
