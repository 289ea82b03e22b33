namespace EdgeBroker.Core.Sessions;

/// <summary>
/// The sessions without a connection by the time something is due for them: each is in it once at most, and taken out when a connection comes, so that clients
/// that come and go leave nothing behind.
/// </summary>
internal sealed class DeadlineHeap
{
    private readonly Lock _lock = new();
    private readonly List<Entry> _heap = [];

    /// <summary>Sessions waiting.</summary>
    public int Count
    {
        get
        {
            lock (_lock.Alone()) return _heap.Count;
        }
    }

    /// <summary>Puts the session in, or moves it to a new time.</summary>
    public void Set(Session session, long dueMs)
    {
        lock (_lock.Alone())
        {
            int index = session.DeadlineIndex;
            if (index < 0)
            {
                index = _heap.Count;
                _heap.Add(default);
            }

            Place(new Entry(dueMs, session), index);
            Down(Up(index));
        }
    }

    /// <summary>Takes the session out, if it is in.</summary>
    public void Remove(Session session)
    {
        lock (_lock.Alone())
        {
            if (session.DeadlineIndex >= 0) RemoveAt(session.DeadlineIndex);
        }
    }

    /// <summary>Takes out a session whose time has come; null when there is none.</summary>
    public Session? TakeDue(long nowMs)
    {
        lock (_lock.Alone())
        {
            if (_heap.Count == 0 || _heap[0].DueMs > nowMs) return null;
            Session first = _heap[0].Session;
            RemoveAt(0);
            return first;
        }
    }

    private void RemoveAt(int index)
    {
        _lock.MustBeHeld();
        _heap[index].Session.DeadlineIndex = -1;
        Entry last = _heap[^1];
        _heap.RemoveAt(_heap.Count - 1);
        if (index == _heap.Count) return;
        Place(last, index);
        Down(Up(index));
    }

    private int Up(int index)
    {
        _lock.MustBeHeld();
        Entry entry = _heap[index];
        while (index > 0 && _heap[(index - 1) / 2].DueMs > entry.DueMs)
        {
            Place(_heap[(index - 1) / 2], index);
            index = (index - 1) / 2;
        }

        Place(entry, index);
        return index;
    }

    private void Down(int index)
    {
        _lock.MustBeHeld();
        Entry entry = _heap[index];
        while (true)
        {
            int child = (2 * index) + 1;
            if (child >= _heap.Count) break;
            if (child + 1 < _heap.Count && _heap[child + 1].DueMs < _heap[child].DueMs) child++;
            if (_heap[child].DueMs >= entry.DueMs) break;
            Place(_heap[child], index);
            index = child;
        }

        Place(entry, index);
    }

    private void Place(in Entry entry, int index)
    {
        _lock.MustBeHeld();
        _heap[index] = entry;
        entry.Session.DeadlineIndex = index;
    }

    private readonly record struct Entry(long DueMs, Session Session);
}
