using EdgeBroker.Cluster.State;

namespace EdgeBroker.Cluster.Tests.Consensus;

/// <summary>Notes what it is told.</summary>
internal sealed class ToldEntries : IStateObserver
{
    private readonly Lock _lock = new();
    private readonly List<string> _told = [];

    public IReadOnlyList<string> All
    {
        get
        {
            lock (_lock) return [.. _told];
        }
    }

    public void Applied(ClusterCommand command, Applied applied, ClusterView view)
    {
        lock (_lock) _told.Add($"{applied.Index} {command.GetType().Name} {applied.Outcome} {view.Index}");
    }

    public void Replaced(ClusterView view, ClaimTable claims)
    {
        lock (_lock) _told.Add($"{view.Index} snapshot");
    }
}
