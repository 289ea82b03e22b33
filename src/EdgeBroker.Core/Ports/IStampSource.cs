using EdgeBroker.Core.Cluster;

namespace EdgeBroker.Core.Ports;

/// <summary>Gives out the times of the cluster.</summary>
public interface IStampSource
{
    /// <summary>A stamp above all that were given out and seen. Any thread; takes no lock.</summary>
    /// <param name="stamp">The stamp.</param>
    /// <returns>False: the disk has not taken for too long how far they may go.</returns>
    bool TryNext(out Stamp stamp);
}
