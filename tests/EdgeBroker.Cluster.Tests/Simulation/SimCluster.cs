using EdgeBroker.Core.Cluster;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Sessions;

namespace EdgeBroker.Cluster.Tests.Simulation;

/// <summary>What a broker knows of its cluster: the mesh, but for what a mutation leaves out.</summary>
internal sealed class SimCluster(MeshNode mesh, Mutation mutation) : ICluster
{
    public ValueTask<SessionClaim> ClaimAsync(in SessionRequest request, CancellationToken cancel)
    {
        if (Has(Mutation.CleanStartWithoutVoid) && request.CleanStart) return new(SessionClaim.Granted(Epoch.None));
        Task<SessionClaim> claim = mesh.ClaimAsync(request, cancel).AsTask();
        mesh.Run();
        return Has(Mutation.BeginsWithoutBarrier) && !claim.IsCompleted ? new(SessionClaim.Granted(Epoch.None)) : new(claim);
    }

    public void Connected(string clientId, Epoch epoch, ConnectionLease lease) => mesh.Connected(clientId, epoch, lease);

    public void Ended(string clientId) => mesh.Ended(clientId);

    public void Release(string clientId, Epoch epoch) => mesh.Release(clientId, epoch);

    public Completion? Subscribed(ReadOnlySpan<byte> filter) => Has(Mutation.NoBarrier) ? null : mesh.Subscribed(filter);

    private bool Has(Mutation one) => (mutation & one) != 0;
}
