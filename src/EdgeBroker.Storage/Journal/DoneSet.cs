using EdgeBroker.Storage.Rows;

namespace EdgeBroker.Storage.Journal;

/// <summary>
/// The positions of a session's order that are done with: all below one, and ranges above it. Messages are acknowledged in about the order they were sent, so
/// the ranges are few and a queue of any length takes one small row.
/// </summary>
internal sealed class DoneSet
{
    private readonly List<(long From, long To)> _above = [];

    /// <summary>Every position below this one is done with.</summary>
    public long Low { get; private set; } = 1;

    /// <summary>The highest position done with.</summary>
    public long Highest => _above.Count > 0 ? _above[^1].To : Low - 1;

    /// <summary>Adds a position.</summary>
    public void Add(long position)
    {
        if (position < Low) return;
        if (position == Low)
        {
            Low++;
            while (_above.Count > 0 && _above[0].From <= Low)
            {
                Low = Math.Max(Low, _above[0].To + 1);
                _above.RemoveAt(0);
            }

            return;
        }

        int index = FirstAfter(position);
        bool joinsBefore = index > 0 && _above[index - 1].To >= position - 1;
        bool joinsAfter = index < _above.Count && _above[index].From == position + 1;
        if (joinsBefore && joinsAfter)
        {
            _above[index - 1] = (_above[index - 1].From, _above[index].To);
            _above.RemoveAt(index);
        }
        else if (joinsBefore)
        {
            _above[index - 1] = (_above[index - 1].From, Math.Max(_above[index - 1].To, position));
        }
        else if (joinsAfter)
        {
            _above[index] = (position, _above[index].To);
        }
        else
        {
            _above.Insert(index, (position, position));
        }
    }

    /// <summary>Whether a position is done with.</summary>
    public bool Contains(long position)
    {
        if (position < Low) return true;
        int index = FirstAfter(position);
        return index > 0 && position <= _above[index - 1].To;
    }

    /// <summary>The positions up to one that are not in this set.</summary>
    public DoneSet Rest(long last)
    {
        var rest = new DoneSet();
        long next = Low;
        foreach ((long from, long to) in _above)
        {
            rest.Append(next, Math.Min(from - 1, last));
            next = to + 1;
        }

        rest.Append(next, last);
        return rest;
    }

    /// <summary>The ranges as a blob: distances and lengths.</summary>
    public byte[] ToBlob()
    {
        var blob = new BlobWriter();
        long last = Low;
        foreach ((long from, long to) in _above)
        {
            blob.Number(from - last);
            blob.Number(to - from);
            last = to;
        }

        return blob.ToArray();
    }

    /// <summary>Reads what was written; null when the blob is damaged.</summary>
    public static DoneSet? Read(long low, ReadOnlySpan<byte> bytes)
    {
        var done = new DoneSet { Low = Math.Max(1, low) };
        var blob = new BlobReader(bytes);
        long last = done.Low;
        while (!blob.IsAtEnd && !blob.IsDamaged)
        {
            long from = last + blob.Number();
            long to = from + blob.Number();
            if (from < last || to < from) return null;
            done._above.Add((from, to));
            last = to;
        }

        return blob.IsDamaged ? null : done;
    }

    /// <summary>Adds a range behind all others; none when it ends before it begins.</summary>
    private void Append(long from, long to)
    {
        if (to < from) return;
        if (from == Low) Low = to + 1;
        else _above.Add((from, to));
    }

    /// <summary>The first range that begins behind a position.</summary>
    private int FirstAfter(long position)
    {
        int low = 0, high = _above.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_above[middle].From > position) high = middle;
            else low = middle + 1;
        }

        return low;
    }
}
