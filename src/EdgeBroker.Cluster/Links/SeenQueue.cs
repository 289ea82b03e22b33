using EdgeBroker.Core.Journaling;

namespace EdgeBroker.Cluster.Links;

/// <summary>What has come in versions and is told, in its order, to have been seen: as soon as what is to be kept of it is on disk.</summary>
/// <param name="wake">Called on any thread when there may be something to tell.</param>
internal sealed class SeenQueue(Action wake)
{
    private readonly Queue<(long Version, Completion? Completion)> _unseen = new();
    private Completion? _awaited;

    /// <summary>A part has come.</summary>
    /// <param name="version">The version that is whole with it; -1: none is.</param>
    /// <param name="completion">What is to be done first; null: nothing.</param>
    public void Add(long version, Completion? completion) => _unseen.Enqueue((version, completion));

    /// <summary>Tells what can be told.</summary>
    public void Tell(Action<long> send)
    {
        while (_unseen.TryPeek(out (long Version, Completion? Completion) first))
        {
            if (first.Completion is { IsDone: false } completion)
            {
                if (ReferenceEquals(_awaited, completion)) return;
                _awaited = completion;
                completion.WhenDone(wake);
                return;
            }

            _unseen.Dequeue();
            if (first.Version >= 0) send(first.Version);
        }
    }
}
