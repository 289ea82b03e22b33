namespace EdgeBroker.Storage.Journal;

/// <summary>
/// How many deliveries are open in each segment of 64 message numbers. A segment goes as a whole when none is: to delete message by message would mean to write
/// a page for each, and to keep a count on disk another one.
/// </summary>
internal sealed class MessageSegments
{
    private const int Shift = 6;

    private readonly Dictionary<long, int> _open = [];
    private readonly SortedSet<long> _empty = [];
    private long _current;

    /// <summary>Segments that hold something.</summary>
    public int Count => _open.Count;

    /// <summary>The segment of a message.</summary>
    public static long Of(long messageId) => messageId >> Shift;

    /// <summary>Its first message.</summary>
    public static long FirstOf(long segment) => segment << Shift;

    /// <summary>Its last message.</summary>
    public static long LastOf(long segment) => (segment << Shift) + (1 << Shift) - 1;

    /// <summary>A message with this number and so many receivers was added; none: it is there, and nobody waits for it.</summary>
    public void Add(long messageId, int receivers)
    {
        long segment = Of(messageId);
        _current = Math.Max(_current, segment);
        _open[segment] = _open.GetValueOrDefault(segment) + receivers;
        if (_open[segment] == 0) _empty.Add(segment);
        else _empty.Remove(segment);
    }

    /// <summary>A receiver is done with a message.</summary>
    public void Close(long messageId)
    {
        long segment = Of(messageId);
        if (!_open.TryGetValue(segment, out int open) || open == 0) return;
        _open[segment] = --open;
        if (open == 0) _empty.Add(segment);
    }

    /// <summary>Takes out segments that nobody waits for, as few ranges as possible; the one that is being filled stays.</summary>
    public List<(long First, long Last)> TakeEmpty(int atMost)
    {
        var ranges = new List<(long First, long Last)>();
        foreach (long segment in _empty)
        {
            if (segment == _current || atMost-- == 0) break;
            if (ranges.Count > 0 && ranges[^1].Last + 1 == FirstOf(segment)) ranges[^1] = (ranges[^1].First, LastOf(segment));
            else ranges.Add((FirstOf(segment), LastOf(segment)));
        }

        foreach ((long first, long last) in ranges)
        {
            for (long segment = Of(first); segment <= Of(last); segment++)
            {
                _empty.Remove(segment);
                _open.Remove(segment);
            }
        }

        return ranges;
    }
}
