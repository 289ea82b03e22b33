namespace EdgeBroker.Storage.Journal;

/// <summary>
/// Rows of retained messages that are superseded, to be deleted in ascending order: rows of one topic go in the order they came, so that no older value is ever
/// left over. Numbers in one array: as objects, the hundreds of thousands that a storm leaves would make each collection of garbage longer.
/// </summary>
internal sealed class SupersededRows
{
    private readonly PriorityQueue<long, long> _rows = new();
    private readonly List<long> _taken = [];

    /// <summary>How many there are, those taken included.</summary>
    public int Count => _rows.Count + _taken.Count;

    /// <summary>Adds one.</summary>
    public void Add(long id) => _rows.Enqueue(id, id);

    /// <summary>Takes the oldest for a transaction. What an earlier one took and could not delete is taken again.</summary>
    /// <param name="most">How many at most.</param>
    /// <param name="isNew">Whether the transaction itself brings a row; none from there on is taken.</param>
    public IReadOnlyList<long> Take(int most, Func<long, bool> isNew)
    {
        foreach (long id in _taken) Add(id);
        _taken.Clear();
        while (_taken.Count < most && _rows.TryPeek(out long id, out _) && !isNew(id)) _taken.Add(_rows.Dequeue());
        return _taken;
    }

    /// <summary>Those taken are deleted.</summary>
    public void RemoveTaken()
    {
        _taken.Clear();
        if (_rows.Count == 0) _rows.TrimExcess();
    }
}
