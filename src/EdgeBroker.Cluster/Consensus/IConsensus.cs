using EdgeBroker.Cluster.State;

namespace EdgeBroker.Cluster.Consensus;

/// <summary>One member's part in what the voters agree on.</summary>
internal interface IConsensus
{
    /// <summary>The index of the last entry applied here; 0: none.</summary>
    long AppliedIndex { get; }

    /// <summary>Members, leases and level as applied here.</summary>
    ClusterView View { get; }

    /// <summary>
    /// How long ago a majority was certainly in contact: the beginning of the last round to it that succeeded. <see cref="TimeSpan.MaxValue"/>: never since
    /// the start.
    /// </summary>
    TimeSpan SinceMajority { get; }

    /// <summary>The leader as known here; null: none is.</summary>
    byte? Leader { get; }

    /// <summary>Proposes a command and waits until it is applied here.</summary>
    /// <param name="command">Its bytes; not to be changed meanwhile.</param>
    /// <param name="hops">How often it may be handed on to who is thought to lead.</param>
    /// <param name="cancel">Nobody waits for it any more; it may be applied all the same.</param>
    /// <returns>What became of it; the same on every member.</returns>
    /// <exception cref="ConsensusException">It could not be proposed, or nobody can say what became of it.</exception>
    ValueTask<Applied> ProposeAsync(ReadOnlyMemory<byte> command, int hops, CancellationToken cancel);

    /// <summary>Waits until all that was committed anywhere before the call is applied here.</summary>
    /// <exception cref="ConsensusException">There is no leader or no majority.</exception>
    ValueTask BarrierAsync(CancellationToken cancel);

    /// <summary>Gives leadership up, if this member has it; another one, or the same again, is elected.</summary>
    Task ResignAsync(CancellationToken cancel);
}
