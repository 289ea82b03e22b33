using EdgeBroker.Cli.Control;
using EdgeBroker.Cluster.Sockets;
using EdgeBroker.Hosting;

namespace EdgeBroker.Control;

/// <summary>What verbs ask of the cluster.</summary>
/// <param name="mesh">This node's part in it; null: the broker is in none.</param>
internal sealed class ClusterControl(MeshPart? mesh)
{
    private const int MostNodes = 7;

    // A disk's speed is measured and a log begun; whoever asks waits for 20 s.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(15);

    private static ControlAnswer None => ControlAnswer.Failed("this broker is in no cluster: there is no [cluster]");

    /// <summary>How it is.</summary>
    public ControlAnswer Status() => mesh is null ? None : new ControlAnswer { Cluster = ClusterStatus.ToVerb(mesh.Node.Status) };

    /// <summary>Forms it.</summary>
    public ControlAnswer Form() => Do((mesh, limit) => mesh.FormAsync(limit));

    /// <summary>Gives a node up.</summary>
    /// <param name="node">Its number.</param>
    /// <param name="isReplaced">Whether another is to come by it.</param>
    public ControlAnswer Remove(int? node, bool isReplaced) => node is { } number and >= 1 and <= MostNodes
        ? Do((mesh, limit) => mesh.RemoveAsync((byte)number, isReplaced, limit))
        : ControlAnswer.Failed($"a node's number is 1 to {MostNodes}");

    private ControlAnswer Do(Func<MeshPart, CancellationToken, Task<string?>> action)
    {
        if (mesh is null) return None;
        using var limit = new CancellationTokenSource(Limit);
        try
        {
            return action(mesh, limit.Token).GetAwaiter().GetResult() is { } problem ? ControlAnswer.Failed(problem) : Status();
        }
        catch (OperationCanceledException)
        {
            return ControlAnswer.Failed("it takes longer than expected; \"edgebroker cluster status\" shows what becomes of it");
        }
    }
}
