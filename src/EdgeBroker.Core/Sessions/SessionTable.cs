using System.Collections.Concurrent;
using EdgeBroker.Core.Ports;

namespace EdgeBroker.Core.Sessions;

/// <summary>All sessions by client id, when something is due for those without a connection, and how many there are. Any thread may use it.</summary>
internal sealed class SessionTable() : ConcurrentDictionary<string, Session>(StringComparer.Ordinal)
{
    private readonly int[] _connectedBy = new int[LinkKind.Protocols.Length * LinkKind.Versions.Length];
    private int _attached;
    private int _connected;
    private int _mostConnected;
    private long _expired;
    private IEnumerator<KeyValuePair<string, Session>>? _sweep;

    /// <summary>When something is due for whom.</summary>
    public DeadlineHeap Deadlines { get; } = new();

    /// <summary>Sessions with a connection, a client's or one within the broker.</summary>
    public int Attached => Volatile.Read(ref _attached);

    /// <summary>Sessions with a client's connection.</summary>
    public int Connected => Volatile.Read(ref _connected);

    /// <summary>Those of one <see cref="LinkKind.Index"/>.</summary>
    public int ConnectedBy(int kind) => Volatile.Read(ref _connectedBy[kind]);

    /// <summary>Most sessions that were ever connected at once.</summary>
    public int MostConnected => Volatile.Read(ref _mostConnected);

    /// <summary>Sessions that ended by expiry.</summary>
    public long Expired => Volatile.Read(ref _expired);

    /// <summary>A session got a connection.</summary>
    public void CountConnected(ISessionLink link)
    {
        Interlocked.Increment(ref _attached);
        if (!link.IsClient) return;
        Interlocked.Increment(ref _connectedBy[link.Kind.Index]);
        int now = Interlocked.Increment(ref _connected);
        int most = Volatile.Read(ref _mostConnected);
        while (now > most)
        {
            int seen = Interlocked.CompareExchange(ref _mostConnected, now, most);
            if (seen == most) return;
            most = seen;
        }
    }

    /// <summary>A session lost its connection.</summary>
    public void CountDisconnected(ISessionLink link)
    {
        Interlocked.Decrement(ref _attached);
        if (!link.IsClient) return;
        Interlocked.Decrement(ref _connectedBy[link.Kind.Index]);
        Interlocked.Decrement(ref _connected);
    }

    /// <summary>A session ended by expiry.</summary>
    public void CountExpired() => Interlocked.Increment(ref _expired);

    /// <summary>Walks round all sessions, some at a call: the next of this round; null: the round is over. Only the thread that keeps house calls it.</summary>
    public Session? NextOfSweep()
    {
        _sweep ??= GetEnumerator();
        if (_sweep.MoveNext()) return _sweep.Current.Value;
        _sweep.Dispose();
        _sweep = null;
        return null;
    }
}
