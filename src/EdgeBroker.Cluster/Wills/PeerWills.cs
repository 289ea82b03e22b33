using EdgeBroker.Core.Cluster;
using EdgeBroker.Core.Journaling;

namespace EdgeBroker.Cluster.Wills;

/// <summary>A will of a dead node's client.</summary>
/// <param name="copy">The will.</param>
/// <param name="incarnation">The start of the node that ended.</param>
/// <param name="dueMs">When it is to be published.</param>
internal sealed class DueWill(WillCopy copy, long incarnation, long dueMs)
{
    public WillCopy Copy => copy;

    public long Incarnation => incarnation;

    public long DueMs => dueMs;

    /// <summary>Whether this node has published it.</summary>
    public bool IsPublished { get; set; }

    /// <summary>What is on disk when it will not be forgotten any more; null: nothing to wait for.</summary>
    public Completion? Kept { get; set; }
}

/// <summary>
/// Copies of the wills that clients of another node have, and of those whose node was found dead since. Only on the thread that serves the cluster.
/// </summary>
internal sealed class PeerWills
{
    private readonly Dictionary<string, DueWill> _due = new(StringComparer.Ordinal);
    private WillSet _present = new(0);
    private WillSet? _next;
    private long _dead;
    private long _dueBytes;

    /// <summary>Wills of clients whose node is dead.</summary>
    public IReadOnlyDictionary<string, DueWill> Due => _due;

    /// <summary>Copies there are.</summary>
    public int Count => _present.Wills.Count;

    /// <summary>Takes what the node says; false: it breaks the protocol.</summary>
    public bool Take(in WillFrame frame)
    {
        // A node that lives, and does not know yet that it was found dead, tells again what is known.
        if (frame.News is WillNews.Begin or WillNews.Set or WillNews.End && frame.Incarnation <= _dead) return true;
        switch (frame.News)
        {
            case WillNews.Begin:
                _next = new WillSet(frame.Incarnation);
                return true;
            case WillNews.End:
                if (_next?.Incarnation != frame.Incarnation) return false;
                (_present, _next) = (_next, null);
                return true;
            case WillNews.Set:
                WillSet set = _next ?? _present;
                if (set.Incarnation != frame.Incarnation) return false;
                set.Set(frame.ClientId, new WillCopy(frame.Stamp, frame.Will!));
                return true;
            default:
                (_next ?? _present).Remove(frame.ClientId);
                // It was found dead, and lives.
                if (_due.TryGetValue(frame.ClientId, out DueWill? due) && due.Incarnation == frame.Incarnation) Drop(frame.ClientId);
                return true;
        }
    }

    /// <summary>The link is over: what it had begun to tell comes anew with the next.</summary>
    public void Break() => _next = null;

    /// <summary>The node was found dead, in all starts up to this one: the delays of its clients' wills begin.</summary>
    public void NoteDeath(long incarnation, long nowMs)
    {
        _dead = incarnation;
        if (_next?.Incarnation <= incarnation) _next = null;
        if (_present.Incarnation == 0 || incarnation < _present.Incarnation) return;
        foreach ((string clientId, WillCopy copy) in _present.Wills)
        {
            Drop(clientId);
            int bytes = WillFrames.BytesOf(clientId, copy.Will);
            // A node that dies again and again leaves no more than one that dies once.
            if (_dueBytes + bytes > WillFrames.MostBytes) continue;
            _dueBytes += bytes;
            _due.Add(clientId, new DueWill(copy, _present.Incarnation, nowMs + (copy.Will.DelaySeconds * 1000L)));
        }

        _present = new WillSet(0);
    }

    /// <summary>A client has come to another node, or back: what its older connection left is not published.</summary>
    public void Cancel(string clientId, Stamp connected)
    {
        if (_present.Wills.TryGetValue(clientId, out WillCopy? copy) && copy.Stamp.Value < connected.Value) _present.Remove(clientId);
        if (_due.TryGetValue(clientId, out DueWill? due) && due.Copy.Stamp.Value < connected.Value) Drop(clientId);
    }

    /// <summary>A will is published.</summary>
    public void Finish(string clientId, Stamp stamp)
    {
        if (_present.Wills.TryGetValue(clientId, out WillCopy? copy) && copy.Stamp == stamp) _present.Remove(clientId);
        if (_due.TryGetValue(clientId, out DueWill? due) && due.Copy.Stamp == stamp) Drop(clientId);
    }

    /// <summary>A will is not published any more.</summary>
    public void Drop(string clientId)
    {
        if (_due.Remove(clientId, out DueWill? due)) _dueBytes -= WillFrames.BytesOf(clientId, due.Copy.Will);
    }

    /// <summary>Wills of one start of the node.</summary>
    private sealed class WillSet(long incarnation)
    {
        private readonly Dictionary<string, WillCopy> _wills = new(StringComparer.Ordinal);
        private long _bytes;

        public long Incarnation => incarnation;

        public Dictionary<string, WillCopy> Wills => _wills;

        /// <summary>
        /// Keeps a will, or, where there are too many, not. Changes come in the order in which there was room for them, so for a moment their sum may be above
        /// what the node itself has.
        /// </summary>
        public void Set(string clientId, WillCopy copy)
        {
            Remove(clientId);
            int bytes = WillFrames.BytesOf(clientId, copy.Will);
            if (_bytes + bytes > WillFrames.MostBytes) return;
            _bytes += bytes;
            _wills.Add(clientId, copy);
        }

        public void Remove(string clientId)
        {
            if (_wills.Remove(clientId, out WillCopy? copy)) _bytes -= WillFrames.BytesOf(clientId, copy.Will);
        }
    }
}
