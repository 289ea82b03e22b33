namespace EdgeBroker.Core.Sys;

/// <summary>A rate per minute, averaged with exponential decay over 1, 5 and 15 minutes, as operating systems do with load.</summary>
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
            double keep = Decay(elapsed.TotalMinutes / WindowsMinutes[i]);
            _perMinute[i] = now + (keep * (_perMinute[i] - now));
        }
    }

    /// <summary>
    /// e to the power of -<paramref name="x"/>, to six digits. Math.Exp would bring in pages of the mathematics library that an idle broker needs for nothing
    /// else: a quarter of a megabyte.
    /// </summary>
    private static double Decay(double x)
    {
        const int Squarings = 12;
        double part = Math.Min(x, 100) / (1 << Squarings);
        double keep = 1 - part + (part * part / 2);
        for (int i = 0; i < Squarings; i++) keep *= keep;
        return keep;
    }
}
