namespace EdgeBroker.Core.Ports;

/// <summary>
/// The loops that serve connections, to a thread that is none of them and calls links: what it asks of them from <see cref="Begin"/> to <see cref="End"/> is
/// kept, since a session's lock is held meanwhile, and they are woken at the end. Nests.
/// </summary>
public interface ILoopRequests
{
    /// <summary>From now on this thread's requests are kept.</summary>
    void Begin();

    /// <summary>Passes on what was kept, once for each <see cref="Begin"/>; with no lock held.</summary>
    void End();

    /// <summary>Runs what enters the system, as waking a thread does, once this thread holds no lock; at once where it does not serve connections.</summary>
    void Defer(Action work);
}

/// <summary>A broker without connections has no loops.</summary>
internal sealed class NoLoops : ILoopRequests
{
    public static readonly NoLoops Instance = new();

    private NoLoops()
    {
    }

    public void Begin()
    {
    }

    public void End()
    {
    }

    public void Defer(Action work) => work();
}
