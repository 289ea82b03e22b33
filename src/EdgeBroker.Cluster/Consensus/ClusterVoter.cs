using EdgeBroker.Cluster.Sockets;
using EdgeBroker.Cluster.State;
using EdgeBroker.Core;
using EdgeBroker.Core.Ports;

namespace EdgeBroker.Cluster.Consensus;

/// <summary>
/// This node as a voter: keeps Raft running beside the mesh, whose start never waits for it, begins a group when asked to, and while it leads makes the other
/// voters members as they appear.
/// </summary>
internal sealed class ClusterVoter : IMeshConsensus, IAsyncDisposable
{
    // A majority is asked five times in dead_after; three misses are more than chance.
    private const double MajorityPart = 0.6;
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan SilenceLimit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan BetweenStarts = TimeSpan.FromSeconds(5);
    // A voter that is added has to catch up; a proposal has to be agreed on.
    private static readonly TimeSpan AddTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan ProposalTimeout = TimeSpan.FromSeconds(10);

    private const string LostLog = "its Raft log is lost, and it may have voted: stop it, empty its node.data_dir,"
        + " and run \"edgebroker cluster replace\" with its number on another node";

    private readonly RaftSettings _settings;
    private readonly MeshNode _node;
    private readonly MeshThread _thread;
    private readonly Broker _broker;
    private readonly TimeSpan _majorityAge;
    private readonly CancellationTokenSource _ending = new();
    private readonly SemaphoreSlim _changing = new(1, 1);
    private RaftConsensus? _consensus;
    private string? _cause;
    private bool _hasBeenMember;
    private Task _keeping = Task.CompletedTask;

    /// <param name="settings">Raft's settings, but for what comes of the mesh.</param>
    /// <param name="node">The mesh node.</param>
    /// <param name="thread">Its thread.</param>
    /// <param name="broker">Whose journal must work where this node is to lead; faults are reported there.</param>
    public ClusterVoter(RaftSettings settings, MeshNode node, MeshThread thread, Broker broker)
    {
        (_node, _thread, _broker) = (node, thread, broker);
        _majorityAge = settings.DeadAfter * MajorityPart;
        _settings = settings with
        {
            Forward = HandOnAsync,
            LeaderCommit = () => _node.Status.Voters?.LinkedCommitIndex ?? 0,
            // Until it is a member it has no leader to find.
            SeesMajority = () => IsMember && (1 + LinkedVoters().Count()) * 2 > settings.Voters.Count,
            IsJournalFailing = () => broker.Journal.Condition == JournalCondition.Failing,
        };
    }

    /// <inheritdoc/>
    public ClusterView View => Volatile.Read(ref _consensus)?.View ?? ClusterView.Empty;

    /// <inheritdoc/>
    public IReadOnlyCollection<byte> Voters => [.. _settings.Voters.Keys];

    /// <inheritdoc/>
    public bool IsMember => Volatile.Read(ref _consensus) is { } consensus && consensus.Members.Contains(_settings.Node);

    /// <inheritdoc/>
    public bool IsFormed => IsMember || (_hasBeenMember |= RaftMember.HasBeenMember(_settings.Folder));

    /// <inheritdoc/>
    public bool IsRunning => Volatile.Read(ref _consensus) is not null;

    /// <inheritdoc/>
    public IReadOnlyCollection<byte> Members => Volatile.Read(ref _consensus) is { } consensus ? consensus.Members : [];

    /// <inheritdoc/>
    public byte? Leader => Volatile.Read(ref _consensus)?.Leader;

    /// <inheritdoc/>
    public long Term => Volatile.Read(ref _consensus)?.Term ?? 0;

    /// <inheritdoc/>
    public long CommitIndex => Volatile.Read(ref _consensus)?.CommitIndex ?? 0;

    /// <inheritdoc/>
    public bool HasMajority => Volatile.Read(ref _consensus) is { } consensus && consensus.SinceMajority < _majorityAge;

    /// <inheritdoc/>
    public string? Cause => Volatile.Read(ref _cause);

    /// <inheritdoc/>
    public Claim? FindClaim(string clientId) => Volatile.Read(ref _consensus)?.FindClaim(clientId);

    /// <summary>Begins; Raft itself starts as soon as it can.</summary>
    public void Start() => _keeping = Task.Run(KeepAsync);

    /// <summary>Begins a group of voters, of which this node is the first member; the others are added as they are linked.</summary>
    /// <param name="cancel">Ends the attempt.</param>
    /// <returns>Why that is not possible; null: it is done.</returns>
    public async Task<string?> InitAsync(CancellationToken cancel)
    {
        // The node's end does not wait for it.
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancel, _ending.Token);
        cancel = ending.Token;
        await _changing.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            if (IsFormed) return "this node is a member already: \"cluster init\" is done once, on one node";
            long began = _settings.Time.GetTimestamp();
            // Whoever is linked says with its next ping whether it is a member.
            while (_node.Status.Voters is { Silent.Count: > 0 } && _settings.Time.GetElapsedTime(began) < SilenceLimit)
            {
                await Task.Delay(Interval, _settings.Time, cancel).ConfigureAwait(false);
            }

            if (_node.Status.Voters is not { } status) return "this node has not started yet";
            if (status.Silent.Count > 0) return $"node {string.Join(" and ", status.Silent)} does not vote: it has no \"raft_bind\"";
            if (status.FormedElsewhere is { } other) return $"node {other} is a member of a cluster already, and adds this one by itself";
            byte[] linked = [.. LinkedVoters()];
            // One that is not asked may be a member of a cluster, and two clusters do not become one.
            byte[] missing = [.. _settings.Voters.Keys.Where(one => one != _settings.Node && !linked.Contains(one))];
            if (missing.Length > 0) return $"node {string.Join(" and ", missing)} is not linked: all voters have to be there when a cluster is formed";
            await EndConsensusAsync().ConfigureAwait(false);
            await StartConsensusAsync(isFirst: true).ConfigureAwait(false);
            return Cause;
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <summary>Has the voters give a node up that is dead or has lost its disk, and waits until it votes no more.</summary>
    /// <param name="node">The node.</param>
    /// <param name="isReplaced">Whether another is to come by its number.</param>
    /// <param name="cancel">Ends the wait.</param>
    /// <returns>Why that is not possible; null: it is done.</returns>
    public async Task<string?> RemoveAsync(byte node, bool isReplaced, CancellationToken cancel)
    {
        if (node == _settings.Node) return "this is the node itself: stop it, and ask another one";
        if (!IsMember) return "this node is no member of a cluster";
        if (!View.Members.TryGetValue(node, out ClusterMember? member)) return $"node {node} is not known to the cluster";
        // One that lives would go on serving its clients, beside whoever inherits them.
        if (_node.Status.Voters is not { } status) return "this node has not started yet";
        if (status.LinkedMembers.Contains(node)) return $"node {node} is linked: stop it first";
        if (member.State == MemberState.Up && !status.OtherStores.Contains(node))
        {
            return $"node {node} is held for Up: stop it, and ask again when \"edgebroker cluster status\" says that it is Down";
        }

        try
        {
            if (member.State == MemberState.Left && member.Start.Fingerprint != NodeUp.NoCertificate)
            {
                // Done is done: the certificate of one that was removed stays refused, that of one that was replaced stays good.
                bool isRefused = View.RefusedCertificates.Contains(member.Start.Fingerprint);
                if (isReplaced && isRefused) return $"node {node} was removed before, and its certificate is refused: another by its number needs another one";
                if (!isReplaced && !isRefused) return $"node {node} was given up for another before: its certificate stays good";
            }

            if (member.State != MemberState.Left)
            {
                RaftConsensus consensus = Volatile.Read(ref _consensus) ?? throw new ConsensusException("Raft is not running on this node");
                byte[] command = CommandCodec.Write(new NodeLeft(node, isReplaced));
                Applied applied = await consensus.ProposeAsync(command, Links.ConsensusFrames.MostHops, cancel).ConfigureAwait(false);
                if (applied.Outcome is not (CommandOutcome.Done or CommandOutcome.NoChange)) return $"the voters answered {applied.Outcome}";
            }

            // The leader changes the members, whichever node that is: here it is seen when it has.
            while (Members.Contains(node)) await Task.Delay(Interval, _settings.Time, cancel).ConfigureAwait(false);
            return null;
        }
        catch (ConsensusException exception)
        {
            return exception.Message;
        }
    }

    /// <inheritdoc/>
    public void Propose(ReadOnlyMemory<byte> command, int hops, Action<ProposalAnswer> answered) => _ = ProposeAsync(command, hops, answered);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync().ConfigureAwait(false);
        await _keeping.ConfigureAwait(false);
        await _changing.WaitAsync().ConfigureAwait(false);
        await EndConsensusAsync().ConfigureAwait(false);
        _changing.Dispose();
        _ending.Dispose();
    }

    private IEnumerable<byte> LinkedVoters() =>
        _node.Status.Peers.Where(peer => peer.State == "linked" && _settings.Voters.ContainsKey((byte)peer.Node)).Select(peer => (byte)peer.Node);

    private async Task KeepAsync()
    {
        while (!_ending.IsCancellationRequested)
        {
            TimeSpan pause = Interval;
            try
            {
                pause = await LookAsync().ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is ConsensusException or OperationCanceledException)
            {
                // It leads no longer, or whom it would add does not keep up: the next look finds out.
            }
            catch (Exception exception)
            {
                _broker.ReportFault(exception, "the voter of the cluster");
            }

            await Task.Delay(pause, _settings.Time, _ending.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<TimeSpan> LookAsync()
    {
        if (_node.Removed is not null)
        {
            // It would go on asking for votes.
            await EndConsensusAsync().ConfigureAwait(false);
            return BetweenStarts;
        }

        if (Volatile.Read(ref _consensus) is not { } consensus)
        {
            if (!MayStart()) return Interval;
            await _changing.WaitAsync(_ending.Token).ConfigureAwait(false);
            try
            {
                if (_consensus is null) await StartConsensusAsync(isFirst: false).ConfigureAwait(false);
            }
            finally
            {
                _changing.Release();
            }

            return Cause is null ? Interval : BetweenStarts;
        }

        if (consensus.Leader != _settings.Node || _node.Status.Voters is not { } status) return Interval;
        ClusterView view = consensus.View;
        byte[] ready = [.. LinkedVoters().Intersect(status.Runs)];
        foreach (byte voter in consensus.Members.Except(ready).ToArray())
        {
            bool isLeft = view.Members.TryGetValue(voter, out ClusterMember? member) && member.State == MemberState.Left;
            if (isLeft) await ChangeAsync(limit => consensus.RemoveAsync(voter, limit), () => ConsensusLog.Removed(_settings.Log, voter)).ConfigureAwait(false);
        }

        foreach (byte voter in ready.Except(consensus.Members).ToArray())
        {
            await ChangeAsync(limit => consensus.AddAsync(voter, limit), () => ConsensusLog.Added(_settings.Log, voter)).ConfigureAwait(false);
        }

        return Interval;
    }

    /// <summary>
    /// Whether Raft may start here. One that was never a member waits for somebody who can make it one; and one whose log is lost may have voted, which it does
    /// not know any more, and must not vote again until it is replaced.
    /// </summary>
    private bool MayStart()
    {
        if (IsFormed || RaftMember.HasStarted(_settings.Folder)) return true;
        if (_node.Status.Voters is not { FormedElsewhere: not null } status) return false;
        if (status.IsVoterElsewhere && Cause != LostLog) ConsensusLog.NotStarted(_settings.Log, LostLog);
        Volatile.Write(ref _cause, status.IsVoterElsewhere ? LostLog : null);
        return !status.IsVoterElsewhere;
    }

    private async Task ChangeAsync(Func<CancellationToken, Task<bool>> change, Action done)
    {
        using CancellationTokenSource limit = LimitOf(AddTimeout);
        try
        {
            if (await change(limit.Token).ConfigureAwait(false)) done();
        }
        catch (Exception exception) when (exception is ConsensusException || (exception is OperationCanceledException && !_ending.IsCancellationRequested))
        {
            // It does not keep up, or this node leads no longer: the next one is not to wait for that.
        }
    }

    // Only while nothing else changes it.
    private async Task StartConsensusAsync(bool isFirst)
    {
        try
        {
            Volatile.Write(ref _consensus, await RaftConsensus.StartAsync(_settings, isFirst, _ending.Token).ConfigureAwait(false));
            Volatile.Write(ref _cause, null);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            // The mesh serves without it.
            if (Cause != exception.Message) ConsensusLog.NotStarted(_settings.Log, exception.Message);
            Volatile.Write(ref _cause, exception.Message);
        }
    }

    private async Task EndConsensusAsync()
    {
        if (Interlocked.Exchange(ref _consensus, null) is { } consensus) await consensus.DisposeAsync().ConfigureAwait(false);
    }

    private async Task ProposeAsync(ReadOnlyMemory<byte> command, int hops, Action<ProposalAnswer> answered)
    {
        ProposalAnswer answer;
        try
        {
            using CancellationTokenSource limit = LimitOf(ProposalTimeout);
            RaftConsensus consensus = Volatile.Read(ref _consensus) ?? throw new ConsensusException("Raft is not running on this node");
            answer = new ProposalAnswer(await consensus.ProposeAsync(command, hops, limit.Token).ConfigureAwait(false));
        }
        catch (ConsensusException exception)
        {
            answer = new ProposalAnswer(null, exception.IsUncertain, exception.Message);
        }
        catch (Exception exception) when (exception is OperationCanceledException or ObjectDisposedException)
        {
            answer = new ProposalAnswer(null, IsUncertain: true, "the voters do not answer");
        }
        catch (Exception exception)
        {
            _broker.ReportFault(exception, "a proposal to the voters");
            answer = new ProposalAnswer(null, IsUncertain: true, "a bug of this node, see its log");
        }

        await OnThreadAsync(() => answered(answer)).ConfigureAwait(false);
    }

    private async ValueTask<Applied> HandOnAsync(byte leader, ReadOnlyMemory<byte> command, int hops, CancellationToken cancel)
    {
        var done = new TaskCompletionSource<ProposalAnswer>(TaskCreationOptions.RunContinuationsAsynchronously);
        await OnThreadAsync(() => _node.HandOn(leader, command.Span, hops, answer => done.TrySetResult(answer))).ConfigureAwait(false);
        ProposalAnswer answer = await done.Task.WaitAsync(cancel).ConfigureAwait(false);
        return answer.Applied ?? throw new ConsensusException(answer.Cause, answer.IsUncertain);
    }

    private async Task OnThreadAsync(Action work)
    {
        try
        {
            await _thread.RunAsync(() =>
            {
                _node.Resume(work);
                return true;
            }).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The mesh has ended: nobody waits any more.
        }
        catch (Exception exception)
        {
            _broker.ReportFault(exception, "what voters have answered");
        }
    }

    private CancellationTokenSource LimitOf(TimeSpan time)
    {
        var limit = CancellationTokenSource.CreateLinkedTokenSource(_ending.Token);
        limit.CancelAfter(time);
        return limit;
    }
}
