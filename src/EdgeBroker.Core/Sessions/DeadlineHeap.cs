namespace EdgeBroker.Core.Sessions;

/// <summary>
/// The detached sessions by the time something is due for them: at most one place a session, taken out when a connection comes, so that
/// clients that come and go leave nothing behind.
/// </summary>
internal sealed class DeadlineHeap
{
    private readonly Lock _gate = new();
    private readonly List<Session> _heap = [];

    /// <summary>Sessions waiting.</summary>
    public int Count
    {
        get
        {
            lock (_gate) return _heap.Count;
        }
    }

    /// <summary>Puts the session in, or moves it to a new time.</summary>
    public void Set(Session session, long dueMs)
    {
        lock (_gate)
        {
            session.DeadlineMs = dueMs;
            if (session.DeadlineIndex < 0)
            {
                session.DeadlineIndex = _heap.Count;
                _heap.Add(session);
            }

            Down(Up(session.DeadlineIndex));
        }
    }

    /// <summary>Takes the session out, if it is in.</summary>
    public void Remove(Session session)
    {
        lock (_gate)
        {
            int index = session.DeadlineIndex;
            if (index < 0) return;
            Session last = _heap[^1];
            _heap.RemoveAt(_heap.Count - 1);
            session.DeadlineIndex = -1;
            if (ReferenceEquals(last, session)) return;
            Place(last, index);
            Down(Up(index));
        }
    }

    /// <summary>Takes out a session whose time has come; null when there is none.</summary>
    public Session? TakeDue(long nowMs)
    {
        Session first;
        lock (_gate)
        {
            if (_heap.Count == 0 || _heap[0].DeadlineMs > nowMs) return null;
            first = _heap[0];
        }

        Remove(first);
        return first;
    }

    private int Up(int index)
    {
        Session session = _heap[index];
        while (index > 0 && _heap[(index - 1) / 2].DeadlineMs > session.DeadlineMs)
        {
            Place(_heap[(index - 1) / 2], index);
            index = (index - 1) / 2;
        }

        Place(session, index);
        return index;
    }

    private void Down(int index)
    {
        Session session = _heap[index];
        while (true)
        {
            int child = (2 * index) + 1;
            if (child >= _heap.Count) break;
            if (child + 1 < _heap.Count && _heap[child + 1].DeadlineMs < _heap[child].DeadlineMs) child++;
            if (_heap[child].DeadlineMs >= session.DeadlineMs) break;
            Place(_heap[child], index);
            index = child;
        }

        Place(session, index);
    }

    private void Place(Session session, int index)
    {
        _heap[index] = session;
        session.DeadlineIndex = index;
    }
}
