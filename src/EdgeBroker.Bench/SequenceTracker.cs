namespace EdgeBroker.Bench;

/// <summary>Follows one stream of which every message is expected. What is missing is kept as ranges: none of them as long as nothing goes wrong.</summary>
internal struct SequenceTracker
{
    private ulong _next;
    private List<(ulong From, ulong To)>? _gaps;

    /// <summary>Takes note of an arrival.</summary>
    public Arrival Add(ulong sequence)
    {
        if (sequence == _next)
        {
            _next++;
            return Arrival.InOrder;
        }

        if (sequence < _next) return FillGap(sequence) ? Arrival.Late : Arrival.Again;
        (_gaps ??= []).Add((_next, sequence));
        _next = sequence + 1;
        return Arrival.InOrder;
    }

    /// <summary>Takes a number out of the range it is missing in; ranges are in order and end before <c>To</c>.</summary>
    private readonly bool FillGap(ulong sequence)
    {
        if (_gaps is null) return false;
        int low = 0, high = _gaps.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_gaps[middle].To <= sequence) low = middle + 1;
            else high = middle;
        }

        if (low == _gaps.Count || _gaps[low].From > sequence) return false;
        (ulong from, ulong to) = _gaps[low];
        _gaps.RemoveAt(low);
        if (sequence + 1 < to) _gaps.Insert(low, (sequence + 1, to));
        if (from < sequence) _gaps.Insert(low, (from, sequence));
        return true;
    }
}
