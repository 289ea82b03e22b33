using EdgeBroker.Cluster.Consensus;
using EdgeBroker.Cluster.State;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Cluster.Tests.Consensus;

/// <summary>
/// Consensus as the simulation has it: one thread, one agreed log, and everything that may go wrong with it on request: no leader, no majority, members cut off
/// from each other or slow to apply, proposals nobody knows the end of, a power cut of a majority that loses the end of the log. Nothing happens but in
/// <see cref="Step"/>; a seed says what chance would.
/// </summary>
internal sealed class ModelCluster
{
    private static readonly TimeSpan StepTime = TimeSpan.FromMilliseconds(100);

    private readonly Random _random;
    private readonly FakeTimeProvider _time;
    private readonly List<byte[]> _log = [];
    private readonly List<Proposal> _pending = [];
    private readonly HashSet<(byte, byte)> _cuts = [];
    private readonly SortedDictionary<byte, ModelConsensus> _members = [];

    /// <param name="size">Voters; their ids are 1 to this.</param>
    /// <param name="time">The clock, moved by each step.</param>
    /// <param name="seed">Of all chance.</param>
    public ModelCluster(int size, FakeTimeProvider time, int seed)
    {
        _random = new Random(seed);
        _time = time;
        for (byte node = 1; node <= size; node++) _members.Add(node, new ModelConsensus(this, node));
    }

    /// <summary>All members, running or not.</summary>
    public IReadOnlyDictionary<byte, ModelConsensus> Members => _members;

    /// <summary>Who leads; null: nobody.</summary>
    public byte? Leader { get; private set; }

    /// <summary>Entries that are agreed on.</summary>
    public long CommitIndex => _log.Count;

    /// <summary>Steps a proposal waits until it is agreed on.</summary>
    public int Delay { get; set; }

    /// <summary>The clock.</summary>
    public TimeProvider Time => _time;

    /// <summary>Cuts, or heals, what one member says to another and back.</summary>
    public void Cut(byte a, byte b, bool isCut)
    {
        if (isCut) _cuts.Add((Math.Min(a, b), Math.Max(a, b)));
        else _cuts.Remove((Math.Min(a, b), Math.Max(a, b)));
    }

    /// <summary>Stops a member, or lets it start again from the agreed log.</summary>
    public void Run(byte node, bool isRunning)
    {
        ModelConsensus member = _members[node];
        member.IsRunning = isRunning;
        if (isRunning) return;
        member.Reset();
        foreach (Proposal proposal in _pending.FindAll(one => one.Node == node)) proposal.Abandon();
    }

    /// <summary>Makes a member lead from the next step on, if a majority follows it.</summary>
    public void Prefer(byte node) => Elect(IsFollowed(node) ? node : null);

    /// <summary>A power cut of a majority whose disks had not kept the end of the log: its last entries never were.</summary>
    public void LoseTail(int entries)
    {
        Elect(null);
        _log.RemoveRange(_log.Count - entries, entries);
        foreach (ModelConsensus member in _members.Values) member.Reset();
    }

    /// <summary>One unit of time: an election where there is no leader, one entry agreed on, one applied at each member.</summary>
    public void Step()
    {
        _time.Advance(StepTime);
        if (Leader is { } old && !IsFollowed(old)) Elect(null);
        if (Leader is null && _members.Keys.Where(IsFollowed).ToArray() is { Length: > 0 } able) Elect(able[_random.Next(able.Length)]);
        if (Leader is { } leader)
        {
            Commit();
            foreach ((byte node, ModelConsensus member) in _members)
            {
                if (!Hears(node, leader)) continue;
                member.ConfirmedAt = _time.GetTimestamp();
                if (_log.Count - member.AppliedIndex > member.Lag) member.Apply(_log);
            }
        }

        _pending.RemoveAll(proposal => proposal.IsSettled);
    }

    internal bool Knows(byte node) => Leader is { } leader && Hears(node, leader);

    internal ValueTask<Applied> Propose(byte node, ReadOnlyMemory<byte> command, int hops)
    {
        if (!_members[node].IsRunning || !Knows(node)) throw new ConsensusException("the cluster has no leader at present");
        if (Leader != node && hops == 0) throw new ConsensusException($"node {Leader} leads, and it cannot be handed on to it");
        var proposal = new Proposal(node, command.ToArray(), Delay);
        _pending.Add(proposal);
        return new ValueTask<Applied>(proposal.Answer.Task);
    }

    internal void Resign(byte node)
    {
        if (Leader == node) Elect(null);
    }

    /// <summary>A member has applied an entry: who proposed it there hears of it.</summary>
    internal void Note(byte node, Applied applied)
    {
        foreach (Proposal proposal in _pending)
        {
            if (proposal.Node == node && proposal.Index == applied.Index) proposal.Answer.TrySetResult(applied);
        }
    }

    // What a leader had in hand when it lost leadership: some of it the next one has, some nobody.
    private void Elect(byte? leader)
    {
        if (Leader is not null && Leader != leader)
        {
            foreach (Proposal proposal in _pending.Where(one => one.Index is null))
            {
                proposal.Fail();
                if (_random.Next(2) == 0) proposal.Abandon();
            }
        }

        Leader = leader;
    }

    private void Commit()
    {
        if (_pending.Find(one => one is { Index: null, IsAbandoned: false }) is not { } next || next.Wait-- > 0) return;
        _log.Add(next.Command);
        next.Index = _log.Count;
    }

    private bool IsFollowed(byte node) => _members[node].IsRunning && _members.Keys.Count(other => Hears(other, node)) * 2 > _members.Count;

    private bool Hears(byte node, byte other) =>
        _members[node].IsRunning && _members[other].IsRunning && !_cuts.Contains((Math.Min(node, other), Math.Max(node, other)));

    private sealed class Proposal(byte node, byte[] command, int wait)
    {
        public byte Node => node;

        public byte[] Command => command;

        public int Wait { get; set; } = wait;

        public long? Index { get; set; }

        public bool IsAbandoned { get; private set; }

        public bool IsSettled => IsAbandoned || (Index is not null && Answer.Task.IsCompleted);

        public TaskCompletionSource<Applied> Answer { get; } = new();

        public void Fail() => Answer.TrySetException(new ConsensusException("the leader lost its majority", isUncertain: true));

        public void Abandon()
        {
            Fail();
            IsAbandoned = Index is null;
        }
    }
}
