namespace EdgeBroker.Transport.Reactors;

/// <summary>
/// The connections that asked a reactor's thread for a flush or a callback: its own, which it serves itself, and those of other reactors, which it hands over
/// together. Only on the reactor's thread.
/// </summary>
internal sealed class FlushRequests
{
    private readonly List<ReactorConnection> _ofOthers = [];
    private readonly List<Reactor> _toWake = [];
    private List<ReactorConnection> _own = [];
    private List<ReactorConnection> _serving = [];

    /// <summary>Whether the reactor has something to serve itself.</summary>
    public bool HasOwn => _own.Count > 0;

    /// <summary>Adds a connection of this reactor.</summary>
    public void Add(ReactorConnection connection) => _own.Add(connection);

    /// <summary>Adds a connection of another reactor.</summary>
    public void AddOfOther(ReactorConnection connection) => _ofOthers.Add(connection);

    /// <summary>Serves the reactor's own, once each, and hands over the others. What is asked for meanwhile waits for the next time.</summary>
    public void Serve()
    {
        (_own, _serving) = (_serving, _own);
        foreach (ReactorConnection connection in _serving) connection.Service();
        _serving.Clear();
        HandOver();
    }

    /// <summary>Hands over the connections of other reactors, and wakes each of these once.</summary>
    public void HandOver()
    {
        foreach (ReactorConnection connection in _ofOthers)
        {
            connection.Reactor.Accept(connection);
            if (!_toWake.Contains(connection.Reactor)) _toWake.Add(connection.Reactor);
        }

        _ofOthers.Clear();
        foreach (Reactor other in _toWake) other.Wake();
        _toWake.Clear();
    }
}
