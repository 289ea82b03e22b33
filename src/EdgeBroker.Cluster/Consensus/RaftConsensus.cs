using EdgeBroker.Cluster.State;

namespace EdgeBroker.Cluster.Consensus;

/// <summary>
/// Consensus over DotNext's Raft. It keeps one <see cref="RaftMember"/> running, asks it at short intervals whether a majority is there, and lets it begin anew
/// or resign when <see cref="RaftWatch"/> finds it stuck.
/// </summary>
internal sealed class RaftConsensus : IConsensus, IAsyncDisposable
{
    // Five looks at least within the time after which a node counts as dead: the answer is always younger than 0.6 of it.
    private const int LooksPerDeath = 5;
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private static readonly TimeSpan LongestInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan SlowestFlush = TimeSpan.FromSeconds(5);

    private readonly RaftSettings _settings;
    private readonly OnceObserver? _observer;
    private readonly ElectionTimeouts _election;
    private readonly CancellationTokenSource _ending = new();
    private readonly TimeSpan _interval;
    private RaftMember? _member;
    private ClusterView _view = ClusterView.Empty;
    private Task _watching = Task.CompletedTask;
    private long _confirmedAt = long.MinValue;
    private long _restarts;
    private byte? _leaderSaid;
    private bool _isNoLeaderSaid;

    private RaftConsensus(RaftSettings settings, ElectionTimeouts election)
    {
        _settings = settings;
        _election = election;
        _interval = settings.DeadAfter / LooksPerDeath;
        if (_interval > LongestInterval) _interval = LongestInterval;
        _observer = settings.Observer is { } observer ? new OnceObserver(observer) : null;
        if (settings.Tls is { } tls) tls.NodeAt = settings.NodeAt;
    }

    /// <inheritdoc/>
    public long AppliedIndex => Volatile.Read(ref _member)?.AppliedIndex ?? View.Index;

    /// <inheritdoc/>
    public ClusterView View
    {
        get
        {
            // A member that begins anew starts at its snapshot; what was seen already is not unseen.
            ClusterView? now = Volatile.Read(ref _member)?.Machine.View;
            ClusterView seen = Volatile.Read(ref _view);
            if (now is null || now.Index < seen.Index) return seen;
            Volatile.Write(ref _view, now);
            return now;
        }
    }

    /// <summary>The claimed sessions as applied here.</summary>
    public ClaimTable Claims => Member.Machine.Claims;

    /// <summary>The claim of a session as applied here; null: there is none, or Raft does not run just now.</summary>
    public Claim? FindClaim(string clientId) => Volatile.Read(ref _member)?.Machine.Claims.Find(clientId);

    /// <inheritdoc/>
    public TimeSpan SinceMajority =>
        Interlocked.Read(ref _confirmedAt) is var at && at == long.MinValue ? TimeSpan.MaxValue : _settings.Time.GetElapsedTime(at);

    /// <inheritdoc/>
    public byte? Leader => Volatile.Read(ref _member)?.Leader;

    /// <summary>The term; 0: Raft is not running.</summary>
    public long Term => Volatile.Read(ref _member)?.Term ?? 0;

    /// <summary>The index of the last entry known to be committed.</summary>
    public long CommitIndex => Volatile.Read(ref _member)?.CommitIndex ?? 0;

    /// <summary>How often Raft had to begin anew since the start.</summary>
    public long Restarts => Interlocked.Read(ref _restarts);

    /// <summary>Voters that are members by now.</summary>
    public IReadOnlyList<byte> Members => Volatile.Read(ref _member) is { } member ? [.. member.Members] : [];

    private RaftMember Member => Volatile.Read(ref _member) ?? throw new ConsensusException("Raft is not running on this node");

    /// <summary>Starts this voter.</summary>
    /// <param name="settings">The settings.</param>
    /// <param name="isFirst">Whether it begins a new cluster, of which it is the only member until others are added. All others wait to be added.</param>
    /// <param name="cancel">Ends the attempt.</param>
    /// <exception cref="ArgumentException">The settings cannot be used.</exception>
    /// <exception cref="IOException">Folder or port cannot be used.</exception>
    /// <exception cref="InvalidOperationException">It begins a cluster where one has been begun.</exception>
    public static async Task<RaftConsensus> StartAsync(RaftSettings settings, bool isFirst, CancellationToken cancel)
    {
        settings.Check();
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(settings.Folder);
        else Directory.CreateDirectory(settings.Folder, Private);
        ElectionTimeouts election = settings.Election ?? ElectionTimeouts.Measure(settings.Folder, settings.Time, cancel);
        var consensus = new RaftConsensus(settings, election);
        consensus._member = await RaftMember.StartAsync(settings, election, isFirst, consensus._observer, cancel).ConfigureAwait(false);
        ConsensusLog.Started(settings.Log, settings.Node, settings.Voters[settings.Node].ToString(), election.Lower, election.Upper);
        consensus._watching = consensus.WatchAsync();
        return consensus;
    }

    /// <inheritdoc/>
    public async ValueTask<Applied> ProposeAsync(ReadOnlyMemory<byte> command, int hops, CancellationToken cancel)
    {
        if (command.Length is 0 or > StateLimits.MostCommandBytes)
        {
            throw new ArgumentException($"a command has 1 to {StateLimits.MostCommandBytes} bytes", nameof(command));
        }

        RaftMember member = Member;
        if (member.IsLeader)
        {
            long began = _settings.Time.GetTimestamp();
            Applied applied = await member.ReplicateAsync(command, cancel).ConfigureAwait(false);
            Confirm(began);
            return applied;
        }

        if (member.Leader is not { } leader || leader == _settings.Node) throw new ConsensusException("the cluster has no leader at present");
        if (hops == 0 || _settings.Forward is not { } forward) throw new ConsensusException($"node {leader} leads, and it cannot be handed on to it");
        Applied answer = await forward(leader, command, hops - 1, cancel).ConfigureAwait(false);
        await member.WaitForApplyAsync(answer.Index, cancel).ConfigureAwait(false);
        return answer;
    }

    /// <inheritdoc/>
    public async ValueTask BarrierAsync(CancellationToken cancel)
    {
        long began = _settings.Time.GetTimestamp();
        await Member.BarrierAsync(cancel).ConfigureAwait(false);
        // A leader has had answers of a majority; a follower and the leader that answered it are two of three.
        Confirm(began);
    }

    /// <inheritdoc/>
    public Task ResignAsync(CancellationToken cancel) => Member.ResignAsync(cancel);

    /// <summary>Makes a running voter a member, once it has caught up. On the leader.</summary>
    /// <returns>False: it does not answer or does not keep up, or it is a member already.</returns>
    /// <exception cref="ConsensusException">This node does not lead, or another change is under way.</exception>
    public Task<bool> AddAsync(byte node, CancellationToken cancel) => Member.AddAsync(node, cancel);

    /// <summary>Lets a voter be a member no longer. On the leader.</summary>
    /// <returns>False: it was none.</returns>
    /// <exception cref="ConsensusException">This node does not lead, or another change is under way.</exception>
    public Task<bool> RemoveAsync(byte node, CancellationToken cancel) => Member.RemoveAsync(node, cancel);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync().ConfigureAwait(false);
        await _watching.ConfigureAwait(false);
        if (Interlocked.Exchange(ref _member, null) is { } member) await member.DisposeAsync().ConfigureAwait(false);
        _ending.Dispose();
    }

    private void Confirm(long began)
    {
        long known = Interlocked.Read(ref _confirmedAt);
        while (began > known)
        {
            long was = Interlocked.CompareExchange(ref _confirmedAt, began, known);
            if (was == known) return;
            known = was;
        }
    }

    private async Task WatchAsync()
    {
        var watch = new RaftWatch(TimeSpan.FromMilliseconds(_election.Upper));
        using var timer = new PeriodicTimer(_interval, _settings.Time);
        long began = _settings.Time.GetTimestamp();
        try
        {
            while (await timer.WaitForNextTickAsync(_ending.Token).ConfigureAwait(false))
            {
                try
                {
                    await LookAsync(watch, _settings.Time.GetElapsedTime(began)).ConfigureAwait(false);
                }
                catch (Exception exception) when (exception is not OperationCanceledException)
                {
                    ConsensusLog.WatchFault(_settings.Log, exception);
                }
            }
        }
        catch (OperationCanceledException) when (_ending.IsCancellationRequested)
        {
            // The end.
        }
    }

    private async Task LookAsync(RaftWatch watch, TimeSpan now)
    {
        if (_member is not { } member)
        {
            // An earlier attempt to begin anew did not succeed.
            await BeginAsync().ConfigureAwait(false);
            return;
        }

        await AskMajorityAsync().ConfigureAwait(false);
        Say(member);
        string? unfit = member.IsLeader ? FindUnfit(member) : null;
        long commit = Math.Max(member.CommitIndex, _settings.LeaderCommit?.Invoke() ?? 0);
        var sight = new RaftSight(
            now, member.Leader is not null, member.IsLeader, _settings.SeesMajority?.Invoke() ?? false, member.AppliedIndex, commit, member.FindFault(), unfit);
        switch (watch.Look(sight, out string cause))
        {
            case WatchOrder.Restart:
                ConsensusLog.Restarting(_settings.Log, cause, Interlocked.Increment(ref _restarts));
                _ = View;
                Volatile.Write(ref _member, null);
                await member.DisposeAsync().ConfigureAwait(false);
                await BeginAsync().ConfigureAwait(false);
                break;
            case WatchOrder.Resign:
                ConsensusLog.Resigned(_settings.Log, cause);
                await member.ResignAsync(_ending.Token).ConfigureAwait(false);
                break;
        }
    }

    private async Task AskMajorityAsync()
    {
        using CancellationTokenSource patience = PatienceOf(_interval);
        try
        {
            await BarrierAsync(patience.Token).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is ConsensusException || (exception is OperationCanceledException && !_ending.IsCancellationRequested))
        {
            // No majority: the last time it answered gets older.
        }
    }

    private string? FindUnfit(RaftMember member)
    {
        if (_settings.IsJournalFailing?.Invoke() == true) return "its journal takes nothing";
        return member.WaitingForDisk > SlowestFlush ? $"its disk has not answered for {SlowestFlush.TotalSeconds} s" : null;
    }

    private CancellationTokenSource PatienceOf(TimeSpan time)
    {
        var patience = CancellationTokenSource.CreateLinkedTokenSource(_ending.Token);
        patience.CancelAfter(time);
        return patience;
    }

    private async Task BeginAsync()
    {
        try
        {
            Volatile.Write(ref _member, await RaftMember.StartAsync(_settings, _election, isFirst: false, _observer, _ending.Token).ConfigureAwait(false));
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            ConsensusLog.NotRestarted(_settings.Log, _interval.TotalSeconds, exception);
        }
    }

    private void Say(RaftMember member)
    {
        if (member.Leader is { } leader)
        {
            if (leader != _leaderSaid || _isNoLeaderSaid) ConsensusLog.Leads(_settings.Log, leader, member.Term);
            _leaderSaid = leader;
            _isNoLeaderSaid = false;
        }
        else if (!_isNoLeaderSaid && _leaderSaid is not null)
        {
            ConsensusLog.NoLeader(_settings.Log);
            _isNoLeaderSaid = true;
        }
    }

    /// <summary>Tells of each entry once: a member that begins anew applies some of its log again.</summary>
    private sealed class OnceObserver(IStateObserver inner) : IStateObserver
    {
        private long _told;

        public void Applied(ClusterCommand command, Applied applied, ClusterView view)
        {
            if (applied.Index <= _told) return;
            _told = applied.Index;
            inner.Applied(command, applied, view);
        }

        public void Replaced(ClusterView view, ClaimTable claims)
        {
            if (view.Index <= _told) return;
            _told = view.Index;
            inner.Replaced(view, claims);
        }
    }
}
