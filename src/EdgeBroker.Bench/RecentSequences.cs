namespace EdgeBroker.Bench;

/// <summary>
/// Follows one stream of which only some messages are expected, so that a gap tells nothing. Remembers the last numbers that came, which is enough to tell a
/// second copy from one that was overtaken; what is older than these counts as overtaken.
/// </summary>
internal sealed class RecentSequences
{
    private const int Remembered = 64;

    // One more than the number, so that 0 is an empty place.
    private readonly ulong[] _recent = new ulong[Remembered];
    private int _at;
    private ulong _highest;

    /// <summary>Takes note of an arrival.</summary>
    public Arrival Add(ulong sequence)
    {
        ulong entry = sequence + 1;
        var arrival = Arrival.InOrder;
        if (entry <= _highest)
        {
            if (_recent.AsSpan().Contains(entry)) return Arrival.Again;
            arrival = Arrival.Late;
        }
        else
        {
            _highest = entry;
        }

        _recent[_at] = entry;
        _at = (_at + 1) % Remembered;
        return arrival;
    }
}
