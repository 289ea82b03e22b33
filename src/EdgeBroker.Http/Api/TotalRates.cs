namespace EdgeBroker.Http.Api;

/// <summary>Rates of the whole broker: what has come between two looks, one to sixty seconds apart. Whoever looks sooner sees the rates of the look
/// before.</summary>
/// <param name="time">The clock.</param>
internal sealed class TotalRates(TimeProvider time)
{
    private readonly Lock _lock = new();
    private long _at;
    private (long In, long Out, long Dropped) _last;
    private (double? In, double? Out, double? Dropped) _rates;
    private bool _hasLooked;

    /// <summary>Takes a look.</summary>
    public (double? In, double? Out, double? Dropped) Look(long received, long sent, long dropped)
    {
        long now = time.GetTimestamp();
        lock (_lock)
        {
            double seconds = time.GetElapsedTime(_at, now).TotalSeconds;
            if (_hasLooked && seconds < 1) return _rates;
            _rates = _hasLooked && seconds <= 60
                ? (Math.Round((received - _last.In) / seconds, 1), Math.Round((sent - _last.Out) / seconds, 1),
                    Math.Round((dropped - _last.Dropped) / seconds, 1))
                : (null, null, null);
            (_at, _last, _hasLooked) = (now, (received, sent, dropped), true);
            return _rates;
        }
    }
}
