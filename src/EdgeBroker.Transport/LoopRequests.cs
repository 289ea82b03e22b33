using EdgeBroker.Transport.Reactors;

namespace EdgeBroker.Transport;

/// <summary>
/// For threads that serve no connections and yet write to them: what they ask of connections between <see cref="Begin"/> and <see cref="End"/> is kept, and
/// handed to the connections' loops at the end, when they hold no lock any more. Nests. On a reactor's thread nothing happens: its iteration does the same.
/// </summary>
public static class LoopRequests
{
    [ThreadStatic]
    private static FlushRequests? _spare;

    [ThreadStatic]
    private static int _depth;

    /// <summary>From now on this thread's requests are kept.</summary>
    public static void Begin()
    {
        if (_depth == 0)
        {
            // A reactor's.
            if (FlushRequests.OfThread is not null) return;
            FlushRequests.OfThread = _spare ?? new FlushRequests();
            _spare = null;
        }

        _depth++;
    }

    /// <summary>Hands over what was kept, once for each <see cref="Begin"/>; with no lock held.</summary>
    public static void End()
    {
        if (_depth == 0 || --_depth > 0) return;
        FlushRequests requests = FlushRequests.OfThread!;
        FlushRequests.OfThread = null;
        requests.HandOver();
        _spare = requests;
    }

    /// <summary>
    /// Runs something that enters the system, as waking a thread does, when this thread holds no lock any more: at the end of the iteration or of what was
    /// begun. At once on a thread that keeps no requests.
    /// </summary>
    public static void Defer(Action work)
    {
        if (FlushRequests.OfThread is { } requests) requests.Defer(work);
        else work();
    }
}
