using EdgeBroker.Cli.Control;
using EdgeBroker.Cluster.Sockets;
using EdgeBroker.Hosting;

namespace EdgeBroker.Control;

/// <summary>What verbs ask of the cluster.</summary>
/// <param name="mesh">This node's part in it; null: the broker is in none.</param>
internal sealed class ClusterControl(MeshPart? mesh)
{
    // A disk's speed is measured and a log begun; whoever asks waits for 20 s.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(15);

    private static ControlAnswer None => ControlAnswer.Failed("this broker is in no cluster: there is no [cluster]");

    /// <summary>How it is.</summary>
    public ControlAnswer Status() => mesh is null ? None : new ControlAnswer { Cluster = ClusterStatus.ToVerb(mesh.Node.Status) };

    /// <summary>Forms it.</summary>
    public ControlAnswer Form()
    {
        if (mesh is null) return None;
        using var limit = new CancellationTokenSource(Limit);
        try
        {
            return mesh.FormAsync(limit.Token).GetAwaiter().GetResult() is { } problem ? ControlAnswer.Failed(problem) : Status();
        }
        catch (OperationCanceledException)
        {
            return ControlAnswer.Failed("it takes longer than expected; \"edgebroker cluster status\" shows what becomes of it");
        }
    }
}
