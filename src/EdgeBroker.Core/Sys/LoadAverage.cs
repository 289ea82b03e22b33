namespace EdgeBroker.Core.Sys;

/// <summary>A rate per minute, averaged over 1, 5 and 15 minutes by a first-order low-pass filter each, as operating systems do with load.</summary>
internal sealed class LoadAverage
{
    private static readonly double[] WindowsMinutes = [1, 5, 15];
    private readonly double[] _perMinute = new double[3];
    private long _lastTotal;

    /// <summary>The average over the window of the given index: 0 for 1, 1 for 5, 2 for 15 minutes.</summary>
    public double this[int window] => _perMinute[window];

    /// <summary>Takes the total so far in.</summary>
    public void Update(long total, TimeSpan elapsed)
    {
        if (elapsed <= TimeSpan.Zero) return;
        double now = (total - _lastTotal) / elapsed.TotalMinutes;
        _lastTotal = total;
        for (int i = 0; i < _perMinute.Length; i++)
        {
            double keep = WindowsMinutes[i] / (WindowsMinutes[i] + elapsed.TotalMinutes);
            _perMinute[i] = now + (keep * (_perMinute[i] - now));
        }
    }
}
