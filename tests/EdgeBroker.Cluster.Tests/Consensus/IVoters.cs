using EdgeBroker.Cluster.Consensus;

namespace EdgeBroker.Cluster.Tests.Consensus;

/// <summary>Three voters, of one implementation or the other, as the contract's tests need them.</summary>
internal interface IVoters : IAsyncDisposable
{
    /// <summary>A running member.</summary>
    IConsensus this[byte node] { get; }

    /// <summary>Those that run.</summary>
    IEnumerable<byte> Running { get; }

    /// <summary>What each member was told, in order; those that were stopped are told again.</summary>
    IReadOnlyList<string> Told(byte node);

    /// <summary>Stops a member.</summary>
    Task StopAsync(byte node);

    /// <summary>Starts a member again from its disk.</summary>
    Task StartAsync(byte node);

    /// <summary>Lets time pass until something holds.</summary>
    Task UntilAsync(Func<bool> holds, string what);
}
