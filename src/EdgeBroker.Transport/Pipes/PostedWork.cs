using System.Diagnostics.CodeAnalysis;

namespace EdgeBroker.Transport.Pipes;

/// <summary>Work that other threads have for a connection, in order.</summary>
internal sealed class PostedWork
{
    private readonly Queue<Action> _waiting = new();
    private readonly Lock _lock = new();

    /// <summary>Adds something; from any thread.</summary>
    public void Add(Action work)
    {
        lock (_lock.Alone()) _waiting.Enqueue(work);
    }

    /// <summary>Takes the next; false when there is none.</summary>
    public bool TryTake([NotNullWhen(true)] out Action? work)
    {
        lock (_lock.Alone()) return _waiting.TryDequeue(out work);
    }
}
