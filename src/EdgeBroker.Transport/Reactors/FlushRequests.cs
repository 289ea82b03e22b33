namespace EdgeBroker.Transport.Reactors;

/// <summary>
/// The connections that a thread's calls asked a flush or a callback of: a reactor's own, which it serves itself, and those of other loops, which are handed
/// over together when the thread holds no lock, each reactor being woken once. Only on the thread.
/// </summary>
internal sealed class FlushRequests
{
    private readonly List<TransportConnection> _ofOthers = [];
    private readonly List<Reactor> _toWake = [];
    private readonly List<Action> _deferred = [];
    private List<ReactorConnection> _own = [];
    private List<ReactorConnection> _serving = [];

    /// <summary>
    /// Where this thread's requests wait. Null: it has no loop, and has not said that it begins to call, see <see cref="LoopRequests"/>.
    /// </summary>
    [field: ThreadStatic]
    public static FlushRequests? OfThread { get; set; }

    /// <summary>Whether the reactor has something to serve itself.</summary>
    public bool HasOwn => _own.Count > 0;

    /// <summary>Asks on behalf of this thread for a connection of another loop.</summary>
    public static void AddOfOther(TransportConnection connection)
    {
        if (OfThread is { } requests)
        {
            requests._ofOthers.Add(connection);
            return;
        }

        LockRules.MustHoldNone();
        List<Reactor> toWake = [];
        connection.HandOver(toWake);
        foreach (Reactor reactor in toWake) reactor.Wake();
    }

    /// <summary>Keeps something that enters the system until <see cref="HandOver"/>.</summary>
    public void Defer(Action work) => _deferred.Add(work);

    /// <summary>Adds a connection of this reactor.</summary>
    public void Add(ReactorConnection connection) => _own.Add(connection);

    /// <summary>Serves the reactor's own, once each, and hands over the others. What is asked for meanwhile waits for the next time.</summary>
    public void Serve()
    {
        (_own, _serving) = (_serving, _own);
        foreach (ReactorConnection connection in _serving) connection.Service();
        _serving.Clear();
        HandOver();
    }

    /// <summary>Hands over the connections of other loops, wakes each of these once, and runs what was deferred.</summary>
    public void HandOver()
    {
        LockRules.MustHoldNone();
        foreach (Action work in _deferred) work();
        _deferred.Clear();
        foreach (TransportConnection connection in _ofOthers) connection.HandOver(_toWake);
        _ofOthers.Clear();
        foreach (Reactor other in _toWake) other.Wake();
        _toWake.Clear();
    }
}
