using EdgeBroker.Cluster.Consensus;
using EdgeBroker.Cluster.State;

namespace EdgeBroker.Cluster.Tests.Consensus;

/// <summary>A member of a <see cref="ModelCluster"/>: the rules are those of the real one, the state machine is the same.</summary>
internal sealed class ModelConsensus(ModelCluster cluster, byte node) : IConsensus
{
    private readonly List<(long Index, TaskCompletionSource Reached)> _barriers = [];
    private ClusterStateMachine _machine = new();

    /// <summary>Whether it runs.</summary>
    public bool IsRunning { get; set; } = true;

    /// <summary>Entries it stays behind on purpose.</summary>
    public int Lag { get; set; }

    /// <summary>Is told of every entry, again after the member was stopped; null: nobody.</summary>
    public IStateObserver? Observer { get; set; }

    /// <summary>When a majority was last in contact.</summary>
    public long? ConfirmedAt { get; set; }

    /// <inheritdoc/>
    public long AppliedIndex => _machine.View.Index;

    /// <inheritdoc/>
    public ClusterView View => _machine.View;

    /// <inheritdoc/>
    public TimeSpan SinceMajority => ConfirmedAt is { } at ? cluster.Time.GetElapsedTime(at) : TimeSpan.MaxValue;

    /// <inheritdoc/>
    public byte? Leader => cluster.Knows(node) ? cluster.Leader : null;

    /// <inheritdoc/>
    public ValueTask<Applied> ProposeAsync(ReadOnlyMemory<byte> command, int hops, CancellationToken cancel) => cluster.Propose(node, command, hops);

    /// <inheritdoc/>
    public ValueTask BarrierAsync(CancellationToken cancel)
    {
        if (Leader is null) throw new ConsensusException("no majority of the voters answers");
        if (AppliedIndex >= cluster.CommitIndex) return ValueTask.CompletedTask;
        var reached = new TaskCompletionSource();
        _barriers.Add((cluster.CommitIndex, reached));
        return new ValueTask(reached.Task);
    }

    /// <inheritdoc/>
    public Task ResignAsync(CancellationToken cancel)
    {
        cluster.Resign(node);
        return Task.CompletedTask;
    }

    /// <summary>The claim of a session as applied here.</summary>
    public Claim? FindClaim(string clientId) => _machine.Claims.Find(clientId);

    /// <summary>Applies the next entry.</summary>
    public void Apply(IReadOnlyList<byte[]> log)
    {
        _machine.Observer = Observer;
        Applied applied = _machine.Apply(AppliedIndex + 1, log[(int)AppliedIndex]);
        cluster.Note(node, applied);
        foreach ((long index, TaskCompletionSource reached) in _barriers.FindAll(one => one.Index <= AppliedIndex))
        {
            _barriers.Remove((index, reached));
            reached.SetResult();
        }
    }

    /// <summary>Forgets what it has applied: a start reads the log again.</summary>
    public void Reset()
    {
        _machine = new ClusterStateMachine();
        ConfirmedAt = null;
        foreach ((_, TaskCompletionSource reached) in _barriers) reached.SetException(new ConsensusException("the member has stopped"));
        _barriers.Clear();
    }
}
